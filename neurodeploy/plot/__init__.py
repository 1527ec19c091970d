"""Plots by matplotlib (the extra `plot`): each function draws on axes and returns them.

import neurodeploy as nd
nd.plot.raster(nd.record(program, x[:1]))
"""

from neurodeploy.plot.axes import check_format
from neurodeploy.plot.layers import errors
from neurodeploy.plot.mapping import cores
from neurodeploy.plot.pareto import pareto
from neurodeploy.plot.steps import membranes, raster

__all__ = ["check_format", "cores", "errors", "membranes", "pareto", "raster"]
