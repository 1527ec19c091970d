"""Relu, Clip, and what equals them."""

from __future__ import annotations

import numpy as np

from neurodeploy.errors import ModelError, UnsupportedError
from neurodeploy.importing.builder import Builder, Signal
from neurodeploy.importing.operation import Operation
from neurodeploy.importing.registry import register
from neurodeploy.network import Activation

__all__ = ["clip", "leaky", "maximum", "relu"]

_REMEDY = "retrain with ReLU, or ReLU6 (Clip from 0 to 6)"


@register("Relu")
def relu(operation: Operation, net: Builder) -> Signal:
    """``Relu``."""
    return net.add(Activation(net.unique(operation.name)), operation.signal())


def _bound(operation: Operation, index: int, name: str) -> float | None:
    """A limit of ``Clip``: an attribute before opset 11, an input since; None if there is none."""
    if operation.version < 11:
        return operation.number(name, 0.0) if operation.has(name) else None
    values = operation.constant(index)
    if values is None:
        return None
    if values.size != 1 or np.isnan(values).any():
        raise ModelError(f"{name} is not one number")
    return float(values.reshape(()))


@register("Clip")
def clip(operation: Operation, net: Builder) -> Signal:
    """``Clip`` as a ReLU with an upper limit.

    1. From 0 to a positive maximum, or to none (also infinity, or the largest float).
    2. Without any limit: nothing.
    3. Refused: another minimum, none, a maximum of zero or below.
    """
    x = operation.signal()
    low, high = _bound(operation, 1, "min"), _bound(operation, 2, "max")
    if high is not None and high >= np.finfo(np.float32).max:
        high = None
    if low is not None and low <= np.finfo(np.float32).min:
        low = None
    if low is None and high is None:
        return x
    if low != 0:
        raise UnsupportedError(
            f"clips at {low} below, not at 0: spike counts and times start at 0", remedy=_REMEDY
        )
    if high is not None and high <= 0:
        raise UnsupportedError(f"clips at {high} above: nothing passes", remedy=_REMEDY)
    return net.add(Activation(net.unique(operation.name), maximum=high), x)


@register("Max")
def maximum(operation: Operation, net: Builder) -> Signal:
    """``Max`` of an activation and the constant 0: a ReLU. Everything else is refused."""
    if operation.count == 2 and operation.is_signal(0) != operation.is_signal(1):
        index = 0 if operation.is_signal(0) else 1
        constant = operation.required(1 - index)
        if (
            constant.size == 1
            and constant.ndim <= len(operation.signal(index).shape) + 1
            and not constant.any()
        ):
            return net.add(Activation(net.unique(operation.name)), operation.signal(index))
    raise UnsupportedError(
        "takes the larger of two values, of which none is the constant 0", remedy=_REMEDY
    )


@register("LeakyRelu")
def leaky(operation: Operation, net: Builder) -> Signal:
    """``LeakyRelu`` of slope 0, which is a ReLU; any other slope is refused."""
    slope = operation.number("alpha", 0.01)
    if slope != 0:
        raise UnsupportedError(
            f"LeakyRelu passes negative values at a slope of {slope:g}; neurons do not spike "
            "backwards",
            remedy="retrain with ReLU",
        )
    return net.add(Activation(net.unique(operation.name)), operation.signal())
