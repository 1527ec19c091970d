"""Transpose, Slice, Pad, Gather and Split: elements move, drop out or are joined by zeros."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from neurodeploy.errors import ModelError, UnsupportedError
from neurodeploy.importing.building.affine import affine
from neurodeploy.importing.building.builder import Builder, Signal
from neurodeploy.importing.building.operation import Operation
from neurodeploy.importing.building.permuting import check_size, elements, move, sample_axis
from neurodeploy.importing.registry import register

__all__ = ["gather", "pad", "slice_", "split", "transpose"]

_MIXES = "samples of a batch do not meet in a spiking network"


@register("Transpose", integers="moves")
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
    moved = elements(x).transpose([axis - 1 for axis in order[1:]])
    return move(net, operation.name, x, moved)


@register("Slice", integers="moves")
def slice_(operation: Operation, net: Builder) -> Signal:
    """``Slice`` with constant bounds, steps of either sign; along the batch only the whole."""
    x = operation.signal()
    rank = len(x.shape) + 1
    steps: tuple[int, ...] | None = None
    if operation.version < 10:
        starts, ends = operation.bounds("starts"), operation.bounds("ends")
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
        axis = sample_axis(number, rank)
        cut = slice(start, end, step)
        if axis >= 0:
            cuts[axis] = cut
        elif range(net.batch)[cut] != range(net.batch):
            raise UnsupportedError(f"cuts the batch axis: {_MIXES}", remedy="slice other axes")
    return move(net, operation.name, x, elements(x)[tuple(cuts)])


@register("Pad", integers="moves")
def pad(operation: Operation, net: Builder) -> Signal:
    """Zeros or copies around the map, as a `Permute`; another constant as a shift behind it.

    1. With zeros, or by copying (reflect, edge, wrap), on any axis but the batch.
    2. With another constant: zeros, and a shift behind them.
    3. Negative pads cut. Refused: padding the batch.
    """
    x = operation.signal()
    rank = len(x.shape) + 1
    mode = operation.text("mode", "constant")
    axes: tuple[int, ...] | None = None
    if operation.version < 11:
        pads, value = operation.ints("pads"), operation.number("value", 0.0)
    else:
        pads = operation.ints_at(1)
        constant = operation.constant(2)
        filling = np.zeros(1) if constant is None or not constant.size else constant
        value = float(operation.real(filling).reshape(-1)[0])
        axes = operation.ints_at(3)
    if not np.isfinite(value):
        raise UnsupportedError(
            f"pads with {value}, which no neuron can hold",
            remedy="pad with a finite number, or leave the padding to the pooling behind it",
        )
    axes = tuple(range(rank)) if axes is None else axes
    if pads is None or len(pads) != 2 * len(axes):
        raise ModelError(f"pads {pads} do not fit {len(axes)} axes")
    if mode not in ("constant", "reflect", "edge", "wrap"):
        raise ModelError(f"mode {mode!r} does not exist")
    widths = [(0, 0)] * (rank - 1)
    for i, number in enumerate(axes):
        axis, ends = sample_axis(number, rank), (pads[i], pads[len(axes) + i])
        if axis >= 0:
            widths[axis] = ends
        elif any(ends):
            raise UnsupportedError(f"pads the batch axis: {_MIXES}", remedy="pad other axes")
    sizes = [max(n + b + e, 0) for n, (b, e) in zip(x.shape, widths, strict=True)]
    check_size(sizes, f"padding an input of shape {x.shape} by {widths}")
    kept = elements(x)[
        tuple(slice(max(-b, 0), n - max(-e, 0)) for n, (b, e) in zip(x.shape, widths, strict=True))
    ]
    grow = [(max(b, 0), max(e, 0)) for b, e in widths]
    if mode == "constant":
        padded = np.pad(kept, grow, constant_values=-1)
    else:
        padded = np.pad(kept, grow, mode=mode)  # type: ignore[call-overload]
    if value == 0 or not (padded < 0).any():
        return move(net, operation.name, x, padded)
    moved = move(net, f"{operation.name}/moved", x, padded)
    shift = np.where(padded < 0, value, 0.0)
    return affine(net, operation.name, moved, np.ones((1,) * shift.ndim), shift)


@register("Gather", integers="moves")
def gather(operation: Operation, net: Builder) -> Signal:
    """``Gather`` of constant positions along an axis other than the batch."""
    x = operation.signal()
    axis = sample_axis(operation.integer("axis", 0), len(x.shape) + 1)
    chosen = operation.constant(1)
    if axis < 0:
        raise UnsupportedError(f"chooses among samples: {_MIXES}", remedy="gather on other axes")
    if chosen is None or chosen.dtype.kind not in "iu":
        raise ModelError("has no integer positions")
    size = x.shape[axis]
    if chosen.size and not (-size <= int(chosen.min()) and int(chosen.max()) < size):
        raise ModelError(f"positions leave the axis of {size} elements")
    check_size((prod(x.shape) // size, chosen.size), "gathering")
    return move(net, operation.name, x, np.take(elements(x), chosen, axis=axis))


def _parts(operation: Operation, size: int) -> Sequence[int]:
    outputs = len(operation.node.outputs)
    parts = operation.ints_at(1) if operation.version >= 13 else operation.ints("split")
    if parts is None:
        each = -(-size // outputs)
        parts = tuple(min(each, size - each * i) for i in range(outputs))
    if len(parts) != outputs or sum(parts) != size or any(n < 1 for n in parts):
        raise ModelError(f"parts {parts} do not make up {size} elements in {outputs} outputs")
    return parts


@register("Split", integers="moves")
def split(operation: Operation, net: Builder) -> Sequence[Signal]:
    """``Split`` along an axis other than the batch, evenly or in given parts."""
    x = operation.signal()
    axis = sample_axis(operation.integer("axis", 0), len(x.shape) + 1)
    if axis < 0:
        raise UnsupportedError(f"divides the batch: {_MIXES}", remedy="split another axis")
    ends = np.cumsum(_parts(operation, x.shape[axis]))[:-1]
    pieces = np.split(elements(x), ends, axis=axis)
    return [move(net, f"{operation.name}/{i}", x, piece) for i, piece in enumerate(pieces)]
