"""Arrays that are not (n, *shape of a sample): what most likely happened, and what undoes it."""

from __future__ import annotations

from itertools import permutations
from math import prod

__all__ = ["shape_remedy"]

#: Axes up to which orders are tried; more have too many.
_AXES = 6


def shape_remedy(found: tuple[int, ...], shape: tuple[int, ...]) -> str:
    """What to do with samples of shape `found` where the network reads (n, *shape).

    1. A single sample: the batch axis is missing.
    2. Samples, or one sample, whose axes are in another order (channels last).
    3. Samples cut or flattened otherwise, with as many elements.
    4. Anything else: other samples, or another network.
    """
    bare = _bare(shape)
    if _bare(found) == bare:
        return "this is a single sample: add the batch axis, x[None]"
    order = _order(found[1:], shape)
    if order is not None:
        axes = ", ".join(str(1 + axis) for axis in order)
        return f"the axes are in another order: x.transpose(0, {axes})"
    order = _order(found, shape)
    if order is not None:
        return (
            "this is a single sample with its axes in another order: "
            f"x.transpose({', '.join(map(str, order))})[None]"
        )
    if prod(found[1:]) == prod(shape):
        axes = ", ".join(map(str, shape))
        return f"if the elements lie in the order of these axes: x.reshape(-1, {axes})"
    return "give samples of that shape (ONNX order: channels come first)"


def _bare(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(n for n in shape if n != 1)


def _order(found: tuple[int, ...], shape: tuple[int, ...]) -> tuple[int, ...] | None:
    """The axes of `found` in the order of `shape`, equal ones left in their order; or None."""
    if len(found) != len(shape) or len(shape) > _AXES or sorted(found) != sorted(shape):
        return None
    for order in permutations(range(len(found))):
        if tuple(found[axis] for axis in order) == shape:
            return order
    return None
