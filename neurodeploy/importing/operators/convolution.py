"""Conv."""

from __future__ import annotations

import numpy as np

from neurodeploy.errors import ModelError
from neurodeploy.importing.building.builder import Builder, Signal
from neurodeploy.importing.building.operation import Operation
from neurodeploy.importing.building.sliding_window import read_window
from neurodeploy.importing.registry import register
from neurodeploy.network import Conv

__all__ = ["convolution"]


@register("Conv")
def convolution(operation: Operation, net: Builder) -> Signal:
    """``Conv`` over one, two or three axes.

    1. Groups, stride, dilation, pads, auto_pad; without a bias it is zero.
    2. Refused: weights that are not constant, what `read_window` refuses, shapes that do not fit.
    """
    x = operation.signal(0)
    weight = operation.required(1)
    bias = operation.weights(2)
    groups = operation.integer("group", 1)
    if weight.ndim < 3 or weight.ndim != len(x.shape) + 1:
        raise ModelError(f"weight {weight.shape} does not fit an input of shape {x.shape}")
    kernel = tuple(int(n) for n in weight.shape[2:])
    if groups < 1 or weight.shape[0] < 1 or weight.shape[0] % groups:
        raise ModelError(f"{weight.shape[0]} output channels do not divide into {groups} groups")
    window = read_window(operation, x.shape[1:], kernel)
    if bias is None:
        bias = np.zeros(weight.shape[0], np.float32)
    node = Conv(
        net.unique(operation.name),
        weight=weight,
        bias=bias,
        stride=window.stride,
        padding=window.padding,
        dilation=window.dilation,
        groups=groups,
    )
    return net.add(node, x)
