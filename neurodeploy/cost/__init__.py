"""What a program costs: counts of the simulator times published constants, the model named."""

from neurodeploy.cost.ann import AnnCost, ann_cost
from neurodeploy.cost.counts import Counts, count, counts_of
from neurodeploy.cost.energy import estimate
from neurodeploy.cost.estimating import estimate_cost
from neurodeploy.cost.report import Cost, Line
from neurodeploy.cost.traffic import Traffic

__all__ = [
    "AnnCost",
    "Cost",
    "Counts",
    "Line",
    "Traffic",
    "ann_cost",
    "count",
    "counts_of",
    "estimate",
    "estimate_cost",
]
