"""Add, Sub, Mul, Div, Neg, Sum and Mean."""

from __future__ import annotations

import numpy as np

from neurodeploy.errors import ModelError, UnsupportedError
from neurodeploy.importing.building.affine import affine, fit, merge_affine
from neurodeploy.importing.building.builder import Builder, Signal
from neurodeploy.importing.building.operation import Operation
from neurodeploy.importing.building.permuting import alike, widen
from neurodeploy.importing.registry import register
from neurodeploy.network import Add

__all__ = ["arithmetic", "mean", "negate", "total"]

_ONE, _ZERO = np.ones(()), np.zeros(())


def _apply(
    operation: Operation, net: Builder, index: int, scale: np.ndarray, shift: np.ndarray
) -> Signal:
    """``scale * input + shift``, folded into the layer before where that is possible."""
    x = operation.signal(index)
    for constant in (scale, shift):
        _, wide = fit(constant, x.shape, net.batch)
        x = widen(net, f"{operation.name}/wide", x, wide)
    scale, shift = (fit(np.asarray(v, np.float64), x.shape, net.batch)[0] for v in (scale, shift))
    if (scale == 1).all() and (shift == 0).all():
        return x
    alone = operation.exclusive(index) and x == operation.signal(index)
    if alone and merge_affine(net, x, scale, shift):
        operation.note = f"folded into {x.name!r}"
        return x
    return affine(net, operation.name, x, scale, shift)


def _negated(operation: Operation, net: Builder, x: Signal) -> Signal:
    ones = (1,) * len(x.shape)
    return affine(net, f"{operation.name}/negated", x, -np.ones(ones), np.zeros(ones))


def _join(operation: Operation, net: Builder, name: str, signals: list[Signal]) -> Signal:
    return net.add(Add(net.unique(name)), *alike(net, operation.name, signals))


@register("Add", "Sub", "Mul", "Div")
def arithmetic(operation: Operation, net: Builder) -> Signal:
    """Constants become scale and shift, folded into a layer where one is before; sums become `Add`.

    1. With a constant that is one number, one a channel, or one an element: scale and shift, folded
       into the linear layer before if nothing else reads that, else an affine node.
    2. Sum or difference of two activations: `Add`, the second negated for ``Sub``.
    3. An activation of size 1 along an axis is repeated there first, to the size of the other.
    4. Refused: products and quotients of activations, a constant divided by an activation,
       different numbers of axes, constants that differ by sample.
    """
    kind = operation.op_type
    first, second = operation.is_signal(0), operation.is_signal(1)
    if first and second:
        if kind in ("Mul", "Div"):
            raise UnsupportedError(
                f"{kind} of two activations: synapses weigh an activation with a constant",
                remedy="retrain without gates, attention or squeeze-and-excitation",
            )
        a, b = operation.signal(0), operation.signal(1)
        if kind == "Sub":
            b = _negated(operation, net, b)
        return _join(operation, net, operation.name, [a, b])
    if not first and not second:
        raise UnsupportedError("has no activation among its inputs")
    index, other = (0, 1) if first else (1, 0)
    constant = operation.required(other).astype(np.float64)
    if kind == "Add":
        return _apply(operation, net, index, _ONE, constant)
    if kind == "Sub":
        if first:
            return _apply(operation, net, index, _ONE, -constant)
        return _apply(operation, net, index, -_ONE, constant)
    if kind == "Mul":
        return _apply(operation, net, index, constant, _ZERO)
    if not first:
        raise UnsupportedError(
            "divides a constant by an activation", remedy="retrain without this node"
        )
    if (constant == 0).any():
        raise ModelError("divides by zero")
    return _apply(operation, net, index, 1 / constant, _ZERO)


@register("Neg")
def negate(operation: Operation, net: Builder) -> Signal:
    """``Neg``: a scale of -1."""
    return _apply(operation, net, 0, -_ONE, _ZERO)


@register("Sum")
def total(operation: Operation, net: Builder) -> Signal:
    """``Sum`` of activations and constants, repeated along axes of size 1 where sizes differ.

    1. Activations: one `Add`. Constants: one shift behind it.
    2. One activation alone is itself.
    """
    return _weighted(operation, net, 1.0)


@register("Mean")
def mean(operation: Operation, net: Builder) -> Signal:
    """``Mean``: the sum, scaled."""
    return _weighted(operation, net, 1 / max(operation.count, 1))


def _weighted(operation: Operation, net: Builder, weight: float) -> Signal:
    inputs = range(operation.count)
    signals = [operation.signal(i) for i in inputs if operation.is_signal(i)]
    constants = [
        operation.required(i).astype(np.float64) for i in inputs if not operation.is_signal(i)
    ]
    if not signals:
        raise UnsupportedError("has no activation among its inputs")
    plain = not constants and weight == 1
    name = operation.name if plain else f"{operation.name}/sum"
    x = _join(operation, net, name, signals) if len(signals) > 1 else signals[0]
    if plain:
        return x
    shift = np.zeros((1,) * len(x.shape))
    for constant in constants:
        fitted, wide = fit(constant, x.shape, net.batch)
        x = widen(net, f"{operation.name}/wide", x, wide)
        shift = shift + fitted
    if weight == 1 and not shift.any():
        return x
    scale = np.full((1,) * len(x.shape), weight)
    return affine(net, operation.name, x, scale, weight * shift)
