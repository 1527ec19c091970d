"""BatchNormalization."""

from __future__ import annotations

import numpy as np

from neurodeploy.errors import ModelError, UnsupportedError
from neurodeploy.importing.building.affine import affine
from neurodeploy.importing.building.builder import Builder, Signal
from neurodeploy.importing.building.operation import Operation
from neurodeploy.importing.registry import register

__all__ = ["batch_normalization"]


@register("BatchNormalization")
def batch_normalization(operation: Operation, net: Builder) -> Signal:
    """``BatchNormalization`` with constant statistics: scale and shift of each channel.

    1. Anywhere, before or after a ReLU; on maps a depthwise `Conv`, flat a diagonal `Dense`. A pass
       folds it into its neighbours.
    2. Refused: training mode, statistics by element (``spatial=0``), a variance below zero.
    """
    operation.only_first_output()
    if operation.flag("training_mode"):
        raise UnsupportedError(
            "is in training mode: its statistics depend on the batch",
            remedy="export the model in evaluation mode (model.eval())",
        )
    if not operation.flag("spatial", True):
        raise UnsupportedError(
            "has statistics of its own for each element", remedy="export with spatial=1"
        )
    x = operation.signal(0)
    gain, offset, mean, variance = (operation.required(i).astype(np.float64) for i in range(1, 5))
    channels = x.shape[:1]
    if not channels or any(v.shape != channels for v in (gain, offset, mean, variance)):
        raise ModelError(f"its statistics do not fit an input of shape {x.shape}")
    spread = variance + operation.number("epsilon", 1e-5)
    if (spread <= 0).any():
        raise ModelError("its variance is not positive", remedy="train or export the model again")
    scale = gain / np.sqrt(spread)
    shift = offset - mean * scale
    column = (-1,) + (1,) * (len(x.shape) - 1)
    return affine(net, operation.name, x, scale.reshape(column), shift.reshape(column))
