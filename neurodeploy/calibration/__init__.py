"""Activation statistics of a Network: from samples, or bounds without them."""

from neurodeploy.calibration.bounds import data_free
from neurodeploy.calibration.collect import collect
from neurodeploy.calibration.statistics import Calibration, LayerStatistics

__all__ = ["Calibration", "LayerStatistics", "collect", "data_free"]
