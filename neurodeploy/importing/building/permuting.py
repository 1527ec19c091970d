"""Elements that move, repeat, drop out or are joined by zeros, as one Permute."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from neurodeploy.errors import ModelError, UnsupportedError
from neurodeploy.importing.building.builder import Builder, Signal
from neurodeploy.importing.limits import MAX_ACTIVATION
from neurodeploy.network import Permute, Shape

__all__ = ["alike", "check_size", "elements", "move", "sample_axis", "widen"]


def check_size(shape: Sequence[int], doing: str) -> None:
    """Refuse a result that is empty or too large, before memory is taken for it."""
    if not 0 < prod(shape) <= MAX_ACTIVATION:
        raise ModelError(
            f"{doing} gives {prod(shape)} elements; 1 to {MAX_ACTIVATION} are possible"
        )


def elements(x: Signal) -> np.ndarray:
    """Index of each element of `x` in its flat order, in its shape."""
    return np.arange(prod(x.shape), dtype=np.int64).reshape(x.shape)


def move(net: Builder, name: str, x: Signal, indices: np.ndarray) -> Signal:
    """The elements `indices` of `x`, -1 for zero.

    1. Nothing, if that is `x` itself.
    2. A pure reshape, if only the shape is another.
    """
    flat = np.ascontiguousarray(indices).reshape(-1)
    same = flat.size == prod(x.shape) and np.array_equal(flat, np.arange(flat.size))
    if same and indices.shape == x.shape:
        return x
    node = Permute(net.unique(name), shape=indices.shape, indices=None if same else flat)
    return net.add(node, x)


def sample_axis(axis: int, rank: int) -> int:
    """Axis of a sample (0 is the one behind the batch); -1 for the batch axis."""
    if not -rank <= axis < rank:
        raise ModelError(f"axis {axis} does not exist in an input of {rank} axes")
    return axis % rank - 1


def widen(net: Builder, name: str, x: Signal, shape: Shape) -> Signal:
    """`x` repeated along its axes of size 1, so that it has `shape`."""
    if x.shape == shape:
        return x
    check_size(shape, f"repeating an activation of shape {x.shape}")
    return move(net, name, x, np.broadcast_to(elements(x), shape))


def alike(net: Builder, name: str, signals: Sequence[Signal]) -> list[Signal]:
    """Activations that meet element by element, those of size 1 along an axis repeated there.

    Refused: different numbers of axes (their batch axes would not meet), sizes that do not fit.
    """
    shapes = [signal.shape for signal in signals]
    if len({len(shape) for shape in shapes}) > 1:
        raise UnsupportedError(
            f"joins activations of shapes {shapes}: the batch axis of one meets another axis",
            remedy="give both branches the same number of axes",
        )
    try:
        shape = np.broadcast_shapes(*shapes)
    except ValueError:
        raise ModelError(f"joins activations of shapes {shapes}, which do not fit") from None
    return [widen(net, f"{name}/wide", signal, shape) for signal in signals]
