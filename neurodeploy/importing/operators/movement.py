"""Transpose, Slice, Pad, Gather and Split: elements move, drop out or are joined by zeros."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from neurodeploy.errors import ModelError, UnsupportedError
from neurodeploy.importing.builder import Builder, Signal
from neurodeploy.importing.limits import MAX_ACTIVATION
from neurodeploy.importing.operation import Operation
from neurodeploy.importing.registry import register
from neurodeploy.network import Permute

__all__ = ["gather", "pad", "slice_", "split", "transpose"]

_MIXES = "samples of a batch do not meet in a spiking network"


def _elements(x: Signal) -> np.ndarray:
    """Index of each element of `x` in its flat order, in its shape."""
    return np.arange(prod(x.shape), dtype=np.int64).reshape(x.shape)


def _move(net: Builder, name: str, x: Signal, indices: np.ndarray) -> Signal:
    """The elements `indices` of `x`, -1 for zero; nothing if that is `x` itself."""
    if indices.shape == x.shape and np.array_equal(indices, _elements(x)):
        return x
    flat = np.ascontiguousarray(indices).reshape(-1)
    return net.add(Permute(net.unique(name), shape=indices.shape, indices=flat), x)


def _axis(axis: int, rank: int) -> int:
    """Axis of a sample (0 is the one behind the batch); -1 for the batch axis."""
    if not -rank <= axis < rank:
        raise ModelError(f"axis {axis} does not exist in an input of {rank} axes")
    return axis % rank - 1


@register("Transpose")
def transpose(operation: Operation, net: Builder) -> Signal:
    """``Transpose`` of all axes but the batch axis, which must stay first."""
    x = operation.signal()
    rank = len(x.shape) + 1
    order = operation.ints("perm", tuple(reversed(range(rank)))) or ()
    if sorted(order) != list(range(rank)):
        raise ModelError(f"perm {order} is no order of {rank} axes")
    if order[0] != 0:
        raise UnsupportedError(
            f"perm {order} moves the batch axis", remedy="keep the batch axis first"
        )
    moved = _elements(x).transpose([axis - 1 for axis in order[1:]])
    return _move(net, operation.name, x, moved)


@register("Slice")
def slice_(operation: Operation, net: Builder) -> Signal:
    """``Slice`` with constant bounds, steps of either sign; along the batch only the whole."""
    x = operation.signal()
    rank = len(x.shape) + 1
    steps: tuple[int, ...] | None = None
    if operation.version < 10:
        starts, ends = operation.ints("starts"), operation.ints("ends")
        axes = operation.ints("axes")
    else:
        starts, ends = operation.ints_at(1), operation.ints_at(2)
        axes, steps = operation.ints_at(3), operation.ints_at(4)
    if starts is None or ends is None:
        raise ModelError("has no bounds")
    axes = tuple(range(len(starts))) if axes is None else axes
    steps = (1,) * len(starts) if steps is None else steps
    if not len(starts) == len(ends) == len(axes) == len(steps) or 0 in steps:
        raise ModelError(f"bounds {starts}, {ends}, {axes}, {steps} do not fit together")
    cuts = [slice(None)] * (rank - 1)
    for start, end, number, step in zip(starts, ends, axes, steps, strict=True):
        axis = _axis(number, rank)
        cut = slice(start, end, step)
        if axis >= 0:
            cuts[axis] = cut
        elif range(net.batch)[cut] != range(net.batch):
            raise UnsupportedError(f"cuts the batch axis: {_MIXES}", remedy="slice other axes")
    return _move(net, operation.name, x, _elements(x)[tuple(cuts)])


@register("Pad")
def pad(operation: Operation, net: Builder) -> Signal:
    """``Pad``.

    1. With zeros, or by copying (reflect, edge, wrap), on any axis but the batch.
    2. Negative pads cut. Refused: another constant than 0, padding the batch.
    """
    x = operation.signal()
    rank = len(x.shape) + 1
    mode = operation.text("mode", "constant")
    axes: tuple[int, ...] | None = None
    if operation.version < 11:
        pads, value = operation.ints("pads"), operation.number("value", 0.0)
    else:
        pads = operation.ints_at(1)
        constant = operation.weights(2)
        value = 0.0 if constant is None or not constant.size else float(constant.reshape(-1)[0])
        axes = operation.ints_at(3)
    axes = tuple(range(rank)) if axes is None else axes
    if pads is None or len(pads) != 2 * len(axes):
        raise ModelError(f"pads {pads} do not fit {len(axes)} axes")
    if mode not in ("constant", "reflect", "edge", "wrap"):
        raise ModelError(f"mode {mode!r} does not exist")
    widths = [(0, 0)] * (rank - 1)
    for i, number in enumerate(axes):
        axis, ends = _axis(number, rank), (pads[i], pads[len(axes) + i])
        if axis >= 0:
            widths[axis] = ends
        elif any(ends):
            raise UnsupportedError(f"pads the batch axis: {_MIXES}", remedy="pad other axes")
    if mode == "constant" and value != 0 and any(n > 0 for ends in widths for n in ends):
        raise UnsupportedError(
            f"pads with {value:g}; silence is the only padding that spikes have",
            remedy="pad with zeros",
        )
    size = prod(max(n + b + e, 0) for n, (b, e) in zip(x.shape, widths, strict=True))
    if not 0 < size <= MAX_ACTIVATION:
        raise ModelError(f"padding an input of shape {x.shape} by {widths} gives {size} elements")
    elements = _elements(x)[
        tuple(slice(max(-b, 0), n - max(-e, 0)) for n, (b, e) in zip(x.shape, widths, strict=True))
    ]
    grow = [(max(b, 0), max(e, 0)) for b, e in widths]
    if mode == "constant":
        padded = np.pad(elements, grow, constant_values=-1)
    else:
        padded = np.pad(elements, grow, mode=mode)  # type: ignore[call-overload]
    return _move(net, operation.name, x, padded)


@register("Gather")
def gather(operation: Operation, net: Builder) -> Signal:
    """``Gather`` of constant positions along an axis other than the batch."""
    x = operation.signal()
    axis = _axis(operation.integer("axis", 0), len(x.shape) + 1)
    chosen = operation.constant(1)
    if axis < 0:
        raise UnsupportedError(f"chooses among samples: {_MIXES}", remedy="gather on other axes")
    if chosen is None or chosen.dtype.kind not in "iu":
        raise ModelError("has no integer positions")
    size = x.shape[axis]
    if chosen.size and not (-size <= int(chosen.min()) and int(chosen.max()) < size):
        raise ModelError(f"positions leave the axis of {size} elements")
    if prod(x.shape) // size * chosen.size > MAX_ACTIVATION:
        raise ModelError(f"gives {prod(x.shape) // size * chosen.size} elements")
    return _move(net, operation.name, x, np.take(_elements(x), chosen, axis=axis))


def _parts(operation: Operation, size: int) -> Sequence[int]:
    outputs = len(operation.node.outputs)
    parts = operation.ints_at(1) if operation.version >= 13 else operation.ints("split")
    if parts is None:
        each = -(-size // outputs)
        parts = tuple(min(each, size - each * i) for i in range(outputs))
    if len(parts) != outputs or sum(parts) != size or any(n < 1 for n in parts):
        raise ModelError(f"parts {parts} do not make up {size} elements in {outputs} outputs")
    return parts


@register("Split")
def split(operation: Operation, net: Builder) -> Sequence[Signal]:
    """``Split`` along an axis other than the batch, evenly or in given parts."""
    x = operation.signal()
    axis = _axis(operation.integer("axis", 0), len(x.shape) + 1)
    if axis < 0:
        raise UnsupportedError(f"divides the batch: {_MIXES}", remedy="split another axis")
    ends = np.cumsum(_parts(operation, x.shape[axis]))[:-1]
    pieces = np.split(_elements(x), ends, axis=axis)
    return [_move(net, f"{operation.name}/{i}", x, piece) for i, piece in enumerate(pieces)]
