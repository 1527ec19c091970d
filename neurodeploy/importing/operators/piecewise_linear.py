"""What is linear in pieces, as sums of ReLUs: each piece costs a population of neurons.

LeakyRelu, PRelu, Abs, Clip, HardSigmoid, Shrink, and Max and Min of two values or more.
"""

from __future__ import annotations

import numpy as np

from neurodeploy.errors import ModelError, UnsupportedError
from neurodeploy.importing.building.affine import affine, fit, per_sample
from neurodeploy.importing.building.builder import Builder, Signal
from neurodeploy.importing.building.operation import Operation
from neurodeploy.importing.building.permuting import alike, widen
from neurodeploy.importing.registry import register
from neurodeploy.network import Activation, Add

__all__ = [
    "absolute",
    "clip",
    "extremum",
    "hard_sigmoid",
    "leaky",
    "prelu",
    "shrink",
    "thresholded",
]

#: Limits beyond this are not added to a value that may be small: float32 would lose the value.
_FAR = 2.0**10
#: Activations that one Max or Min may compare.
_MAX_COMPARED = 16


def _linear(net: Builder, name: str, x: Signal, scale: float, shift: float) -> Signal:
    if (scale, shift) == (1, 0):
        return x
    ones = np.ones((1,) * len(x.shape))
    return affine(net, name, x, scale * ones, shift * ones)


def _relu(net: Builder, name: str, x: Signal, maximum: float | None = None) -> Signal:
    return net.add(Activation(net.unique(name), maximum=maximum), x)


def _two_sided(
    net: Builder, name: str, x: Signal, slope: np.ndarray, low: float | None, high: float | None
) -> Signal:
    """``min(relu(x), high) - slope * min(relu(-x), -low)``, whatever the size of the limits."""
    above = _relu(net, f"{name}/above", x, high)
    mirrored = _linear(net, f"{name}/mirrored", x, -1, 0)
    below = _relu(net, f"{name}/below", mirrored, None if low is None else -low)
    scaled = affine(net, f"{name}/scaled", below, -slope, np.zeros_like(slope))
    return net.add(Add(net.unique(name)), above, scaled)


def _leak(operation: Operation, net: Builder, x: Signal, slope: np.ndarray) -> Signal:
    """x above zero, ``slope * x`` below."""
    if not slope.any():
        return _relu(net, operation.name, x)
    if (slope == 1).all():
        return x
    operation.note = "becomes relu(x) - slope * relu(-x), exactly: two populations of neurons"
    return _two_sided(net, operation.name, x, slope, None, None)


@register("LeakyRelu")
def leaky(operation: Operation, net: Builder) -> Signal:
    """``LeakyRelu`` as ``relu(x) - alpha * relu(-x)``; with alpha 0 one ReLU."""
    x = operation.signal()
    alpha = operation.number("alpha", 0.01)
    return _leak(operation, net, x, np.full((1,) * len(x.shape), alpha))


@register("PRelu")
def prelu(operation: Operation, net: Builder) -> Signal:
    """``PRelu`` of a constant slope: one number, one a channel, one an element."""
    x = operation.signal(0)
    slope = operation.required(1).astype(np.float64)
    return _leak(operation, net, x, per_sample(slope, x.shape, net.batch))


@register("Abs")
def absolute(operation: Operation, net: Builder) -> Signal:
    """``Abs`` as ``relu(x) + relu(-x)``."""
    x = operation.signal()
    operation.note = "becomes relu(x) + relu(-x), exactly: two populations of neurons"
    return _two_sided(net, operation.name, x, -np.ones((1,) * len(x.shape)), None, None)


def _limit(
    operation: Operation, net: Builder, x: Signal, low: float | None, high: float | None
) -> Signal:
    """``min(max(x, low), high)``; a limit that is None is none.

    1. From 0: a ReLU. No limits: `x`. Limits that leave one value: that value.
    2. A shift that brings the limit nearer to zero to 0, a ReLU, the shift back.
    3. Both limits far from zero, on both sides of it: two ReLUs, as the shift would round x off.
    """
    name = operation.name
    if low is None and high is None:
        return x
    if low is not None and high is not None and low >= high:
        operation.note = f"gives {high:g} whatever it reads: a bias"
        return _linear(net, name, x, 0, high)
    if low == 0:
        return _relu(net, name, x, high)
    span = None if low is None or high is None else high - low
    around = (low is None or low < 0) and (high is None or high > 0)
    if around and min(abs(end) for end in (low, high) if end is not None) > _FAR:
        operation.note = "becomes a ReLU for each sign, exactly: two populations of neurons"
        slope = np.ones((1,) * len(x.shape))
        return _two_sided(net, name, x, slope, low, high)
    operation.note = "becomes a ReLU between two shifts: one population of neurons"
    if low is not None and (high is None or abs(low) <= abs(high)):
        passed = _relu(net, f"{name}/relu", _linear(net, f"{name}/shifted", x, 1, -low), span)
        return _linear(net, name, passed, 1, low)
    assert high is not None
    passed = _relu(net, f"{name}/relu", _linear(net, f"{name}/turned", x, -1, high), span)
    return _linear(net, name, passed, -1, high)


def _bound(operation: Operation, index: int, name: str) -> float | None:
    """A limit of ``Clip``: an attribute before opset 11, an input since; None if there is none."""
    if operation.version < 11:
        value = operation.number(name, 0.0) if operation.has(name) else None
    else:
        values = operation.constant(index)
        if values is None:
            return None
        if values.size != 1 or np.isnan(values).any():
            raise ModelError(f"{name} is not one number")
        value = float(values.reshape(()))
    largest = float(np.finfo(np.float32).max)
    if value is None or (value <= -largest if name == "min" else value >= largest):
        return None
    if abs(value) > largest:
        raise ModelError(f"{name} is {value}: nothing passes")
    return value


@register("Clip")
def clip(operation: Operation, net: Builder) -> Signal:
    """``Clip`` between any limits.

    1. From 0, to a maximum or to none (also infinity, or the largest float): one ReLU.
    2. Other limits: a ReLU between two shifts. A minimum above the maximum gives the maximum
       (refused before opset 11, which does not say what it means).
    3. Without any limit: nothing.
    """
    x = operation.signal()
    low, high = _bound(operation, 1, "min"), _bound(operation, 2, "max")
    if operation.version < 11 and low is not None and high is not None and low > high:
        raise ModelError(f"its minimum {low:g} is above its maximum {high:g}")
    return _limit(operation, net, x, low, high)


@register("HardSigmoid")
def hard_sigmoid(operation: Operation, net: Builder) -> Signal:
    """``HardSigmoid``: ``alpha * x + beta``, and a ReLU that ends at 1."""
    alpha, beta = operation.number("alpha", 0.2), operation.number("beta", 0.5)
    scaled = _linear(net, f"{operation.name}/scaled", operation.signal(), alpha, beta)
    operation.note = "becomes a scale and a ReLU that ends at 1: one population of neurons"
    return _relu(net, operation.name, scaled, 1.0)


@register("ThresholdedRelu")
def thresholded(operation: Operation, net: Builder) -> Signal:
    """``ThresholdedRelu`` of alpha 0, which is a ReLU; any other jumps, and is refused."""
    alpha = operation.number("alpha", 1.0)
    if alpha != 0:
        raise UnsupportedError(
            f"jumps from 0 to {alpha:g}: no sum of ReLUs does", remedy="retrain with ReLU"
        )
    return _relu(net, operation.name, operation.signal())


@register("Shrink")
def shrink(operation: Operation, net: Builder) -> Signal:
    """``Shrink`` without a jump (bias = lambd), as ``relu(x - lambd) - relu(-x - lambd)``."""
    bias, width = operation.number("bias", 0.0), operation.number("lambd", 0.5)
    if bias != width or width < 0:
        raise UnsupportedError(
            f"jumps at {width:g} by {width - bias:g}: no sum of ReLUs does",
            remedy="use bias = lambd (soft shrinkage)",
        )
    x, name = operation.signal(), operation.name
    if width == 0:
        return x
    above = _relu(net, f"{name}/above", _linear(net, f"{name}/shifted", x, 1, -width))
    below = _relu(net, f"{name}/below", _linear(net, f"{name}/mirrored", x, -1, -width))
    operation.note = "becomes relu(x - lambd) - relu(-x - lambd): two populations of neurons"
    return net.add(Add(net.unique(name)), above, _linear(net, f"{name}/turned", below, -1, 0))


@register("Max", "Min")
def extremum(operation: Operation, net: Builder) -> Signal:
    """``Max`` and ``Min`` of activations and constants.

    1. Of an activation and one number: as ``Clip``; ``Max`` with 0 is a ReLU.
    2. With a constant of several numbers: ``c + relu(x - c)``, ``c - relu(c - x)``.
    3. Of activations: ``a + relu(b - a)``, ``a - relu(a - b)``, one after the other.
    4. Sizes of 1 are repeated. Refused: more than 16 activations.
    """
    inputs = range(operation.count)
    signals = list(dict.fromkeys(operation.signal(i) for i in inputs if operation.is_signal(i)))
    constants = [operation.required(i) for i in inputs if not operation.is_signal(i)]
    if not signals or len(signals) > _MAX_COMPARED:
        raise UnsupportedError(
            f"compares {len(signals)} activations; 1 to {_MAX_COMPARED} are possible",
            remedy="compare fewer activations at once",
        )
    sign = 1 if operation.op_type == "Max" else -1
    name = operation.name
    signals = alike(net, name, signals)
    x = signals[0]
    for number, other in enumerate(signals[1:], start=1):
        last = not constants and number == len(signals) - 1
        x = _further(net, name if last else f"{name}/{number}", x, other, sign)
    populations = len(signals) - 1
    if populations and not constants:
        operation.note = f"becomes a + relu(b - a) or its like: {populations} more populations"
    return _beyond(operation, net, x, constants, sign) if constants else x


def _further(net: Builder, name: str, a: Signal, b: Signal, sign: int) -> Signal:
    """The larger of two activations; with a sign of -1 the smaller."""
    turned = [_linear(net, f"{name}/turned", a if sign > 0 else b, -1, 0)]
    difference = net.add(Add(net.unique(f"{name}/difference")), *turned, b if sign > 0 else a)
    more = _relu(net, f"{name}/relu", difference)
    more = _linear(net, f"{name}/more", more, sign, 0)
    return net.add(Add(net.unique(name)), a, more)


def _beyond(
    operation: Operation, net: Builder, x: Signal, constants: list[np.ndarray], sign: int
) -> Signal:
    """The larger of an activation and constants; with a sign of -1 the smaller."""
    name = operation.name
    limit = np.full((1,) * len(x.shape), -np.inf)
    for constant in constants:
        fitted, wide = fit(sign * constant.astype(np.float64), x.shape, net.batch)
        x = widen(net, f"{name}/wide", x, wide)
        limit = np.maximum(limit, fitted)
    if (limit == limit.flat[0]).all():
        number = sign * float(limit.flat[0])
        return _limit(operation, net, x, *((number, None) if sign > 0 else (None, number)))
    if limit.min() < -_FAR:
        raise UnsupportedError(
            f"limits some elements at {sign * limit.min():g}, so far away that float32 would round "
            "the others off",
            remedy="limit all elements at one number, or nearer to zero",
        )
    ones = np.ones((1,) * len(x.shape))
    shifted = affine(net, f"{name}/shifted", x, sign * ones, -limit)
    operation.note = "becomes a ReLU between two shifts: one population of neurons"
    return affine(net, name, _relu(net, f"{name}/relu", shifted), sign * ones, sign * limit)
