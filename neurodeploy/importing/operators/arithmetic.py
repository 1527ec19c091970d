"""Add, Sub, Mul, Div, Neg and Sum."""

from __future__ import annotations

import numpy as np

from neurodeploy.errors import ModelError, UnsupportedError
from neurodeploy.importing.affine import affine, merge_affine, per_sample
from neurodeploy.importing.builder import Builder, Signal
from neurodeploy.importing.operation import Operation
from neurodeploy.importing.registry import register
from neurodeploy.network import Add

__all__ = ["arithmetic", "negate", "total"]


def _apply(
    operation: Operation, net: Builder, index: int, scale: np.ndarray, shift: np.ndarray
) -> Signal:
    """``scale * input + shift``, folded into the layer before where that is possible."""
    x = operation.signal(index)
    scale, shift = (
        per_sample(np.asarray(v, np.float64), x.shape, net.batch) for v in (scale, shift)
    )
    if (scale == 1).all() and (shift == 0).all():
        return x
    if operation.exclusive(index) and merge_affine(net, x, scale, shift):
        operation.note = f"folded into {x.name!r}"
        return x
    return affine(net, operation.name, x, scale, shift)


def _join(operation: Operation, net: Builder, signals: list[Signal]) -> Signal:
    if any(s.shape != signals[0].shape for s in signals):
        raise UnsupportedError(
            f"adds activations of shapes {[s.shape for s in signals]}, broadcasting one of them",
            remedy="give both branches the same shape",
        )
    return net.add(Add(net.unique(operation.name)), *signals)


@register("Add", "Sub", "Mul", "Div")
def arithmetic(operation: Operation, net: Builder) -> Signal:
    """``Add``, ``Sub``, ``Mul``, ``Div``.

    1. With a constant that is one number, one a channel, or one an element: scale and shift, folded
       into the linear layer before if nothing else reads that, else an affine node.
    2. Sum or difference of two activations of one shape: `Add`, the second negated for ``Sub``.
    3. Refused: products and quotients of activations, a constant divided by an activation,
       activations of different shapes, constants that enlarge the activation.
    """
    kind = operation.op_type
    one, zero = np.ones(()), np.zeros(())
    first, second = operation.is_signal(0), operation.is_signal(1)
    if first and second:
        if kind in ("Mul", "Div"):
            raise UnsupportedError(
                f"{kind} of two activations: synapses weigh an activation with a constant",
                remedy="retrain without gates, attention or squeeze-and-excitation",
            )
        a, b = operation.signal(0), operation.signal(1)
        if a.shape != b.shape:
            return _join(operation, net, [a, b])
        if kind == "Sub":
            b = affine(net, f"{operation.name}/negated", b, *_spread(-one, zero, b))
        return _join(operation, net, [a, b])
    if not first and not second:
        raise UnsupportedError("has no activation among its inputs")
    index, other = (0, 1) if first else (1, 0)
    constant = operation.required(other).astype(np.float64)
    if kind == "Add":
        return _apply(operation, net, index, one, constant)
    if kind == "Sub":
        if first:
            return _apply(operation, net, index, one, -constant)
        return _apply(operation, net, index, -one, constant)
    if kind == "Mul":
        return _apply(operation, net, index, constant, zero)
    if not first:
        raise UnsupportedError(
            "divides a constant by an activation", remedy="retrain without this node"
        )
    if (constant == 0).any():
        raise ModelError("divides by zero")
    return _apply(operation, net, index, 1 / constant, zero)


def _spread(scale: np.ndarray, shift: np.ndarray, x: Signal) -> tuple[np.ndarray, np.ndarray]:
    ones = (1,) * len(x.shape)
    return scale.reshape(ones), shift.reshape(ones)


@register("Neg")
def negate(operation: Operation, net: Builder) -> Signal:
    """``Neg``: a scale of -1."""
    return _apply(operation, net, 0, -np.ones(()), np.zeros(()))


@register("Sum")
def total(operation: Operation, net: Builder) -> Signal:
    """``Sum`` of activations of one shape; of one it is that one. Constants are refused."""
    signals = [operation.signal(index) for index in range(operation.count)]
    if len(signals) == 1:
        return signals[0]
    return _join(operation, net, signals)
