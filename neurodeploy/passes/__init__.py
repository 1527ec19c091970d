"""Network to Network: the same function, closer to what a chip holds."""

from neurodeploy.passes.base import Pass, run_passes
from neurodeploy.passes.fire_before_max_pooling import FireBeforeMaxPooling
from neurodeploy.passes.fold_batch_norm import FoldBatchNorm
from neurodeploy.passes.fold_dense import FoldDense
from neurodeploy.passes.fold_pooling import FoldPooling
from neurodeploy.passes.join_late import JoinLate
from neurodeploy.passes.l4 import L4Correction
from neurodeploy.passes.move_max_pooling import MoveMaxPooling

__all__ = [
    "FireBeforeMaxPooling",
    "FoldBatchNorm",
    "FoldDense",
    "FoldPooling",
    "JoinLate",
    "L4Correction",
    "MoveMaxPooling",
    "Pass",
    "run_passes",
    "standard_passes",
]


def standard_passes() -> tuple[Pass, ...]:
    """What every conversion starts with, in order."""
    return (
        JoinLate(),
        MoveMaxPooling(),
        FireBeforeMaxPooling(),
        FoldPooling(),
        FoldBatchNorm(),
        FoldPooling(),
        FoldDense(),
    )
