"""Reshape, Flatten, Squeeze and Unsqueeze: the elements keep their order."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from neurodeploy.errors import ModelError, UnsupportedError
from neurodeploy.importing.builder import Builder, Signal
from neurodeploy.importing.operation import Operation
from neurodeploy.importing.registry import register
from neurodeploy.network import Permute

__all__ = ["flatten", "reshape", "squeeze", "unsqueeze"]


def _become(operation: Operation, net: Builder, x: Signal, full: Sequence[int]) -> Signal:
    """Give `x` the shape `full`, the batch axis first; nothing if it has it already."""
    full = tuple(full)
    if prod(full) != net.batch * prod(x.shape):
        raise ModelError(f"an input of shape {(net.batch, *x.shape)} does not become {full}")
    folds = operation.op_type in ("Reshape", "Flatten")
    frames = _frames(x.shape, net.batch, full) if folds else 0
    if frames:
        rest = ", ".join(str(n) for n in full[1:])
        raise UnsupportedError(
            f"gives the shape {full}, whose first axis is not the batch of {net.batch}: it folds "
            f"{frames} frames of each sample into the batch, so that they pass one by one",
            remedy=f"export the part behind it for one frame, with an input of shape (batch, "
            f"{rest}), pass each frame as a sample of its own, and join the {frames} outputs of a "
            "sample outside, as the model does behind it (mean, sum or maximum over frames)",
        )
    if not full or full[0] != net.batch:
        raise UnsupportedError(
            f"gives the shape {full}, whose first axis is not the batch of {net.batch}",
            remedy="keep the batch axis first, e.g. x.flatten(1) or x.reshape(x.shape[0], -1)",
        )
    if full[1:] == x.shape:
        return x
    return net.add(Permute(net.unique(operation.name), shape=full[1:]), x)


def _frames(shape: Sequence[int], batch: int, full: Sequence[int]) -> int:
    """How many frames of a sample become samples, by leading axes that join the batch; else 0."""
    for count in range(1, len(shape)):
        frames = prod(shape[:count])
        if frames > 1 and full[:1] == (batch * frames,) and full[1:]:
            return frames
    return 0


@register("Reshape", integers="moves")
def reshape(operation: Operation, net: Builder) -> Signal:
    """``Reshape`` to a constant shape.

    1. 0 copies a dimension (unless ``allowzero``), one -1 is worked out.
    2. The first axis must stay the batch. Refused: a shape computed from the data.
    """
    x = operation.signal()
    wanted = operation.ints_at(1) if operation.count > 1 else operation.ints("shape")
    if wanted is None:
        raise ModelError("has no shape")
    old = (net.batch, *x.shape)
    full = list(wanted)
    if not operation.flag("allowzero"):
        for axis, n in enumerate(full):
            if n == 0:
                if axis >= len(old):
                    raise ModelError(f"shape {wanted} copies an axis that {old} does not have")
                full[axis] = old[axis]
    if any(n < -1 for n in full) or full.count(-1) > 1:
        raise ModelError(f"shape {wanted} is impossible")
    if -1 in full:
        rest = prod(n for n in full if n != -1)
        if rest == 0 or prod(old) % rest:
            raise ModelError(f"an input of shape {old} does not become {wanted}")
        full[full.index(-1)] = prod(old) // rest
    return _become(operation, net, x, full)


@register("Flatten", integers="moves")
def flatten(operation: Operation, net: Builder) -> Signal:
    """``Flatten`` behind the batch axis; with another axis only if the batch stays first."""
    x = operation.signal()
    old = (net.batch, *x.shape)
    axis = operation.integer("axis", 1)
    if not -len(old) <= axis <= len(old):
        raise ModelError(f"axis {axis} does not exist in an input of {len(old)} axes")
    axis = axis + len(old) if axis < 0 else axis
    return _become(operation, net, x, (prod(old[:axis]), prod(old[axis:])))


def _axes(operation: Operation, rank: int) -> set[int] | None:
    axes = operation.ints_at(1) if operation.version >= 13 else operation.ints("axes")
    if axes is None:
        return None
    if any(not -rank <= axis < rank for axis in axes):
        raise ModelError(f"axes {axes} do not exist among {rank} axes")
    return {axis % rank for axis in axes}


@register("Squeeze", integers="moves")
def squeeze(operation: Operation, net: Builder) -> Signal:
    """``Squeeze`` of named axes of size 1; without names, of all but the batch axis."""
    x = operation.signal()
    old = (net.batch, *x.shape)
    axes = _axes(operation, len(old))
    if not axes:
        if net.batch == 1:
            raise UnsupportedError(
                "removes every axis of size 1, the batch axis of a single sample included",
                remedy="name the axes to remove, e.g. x.squeeze(-1)",
            )
        axes = {axis for axis, n in enumerate(old) if n == 1}
    if any(old[axis] != 1 for axis in axes):
        raise ModelError(f"axes {sorted(axes)} of shape {old} are not all of size 1")
    return _become(operation, net, x, [n for axis, n in enumerate(old) if axis not in axes])


@register("Unsqueeze", integers="moves")
def unsqueeze(operation: Operation, net: Builder) -> Signal:
    """``Unsqueeze``: axes of size 1 behind the batch axis."""
    x = operation.signal()
    old = [net.batch, *x.shape]
    given = operation.ints_at(1) if operation.version >= 13 else operation.ints("axes")
    if given is None:
        raise ModelError("names no axes")
    axes = _axes(operation, len(old) + len(given)) or set()
    if len(axes) != len(given):
        raise ModelError(f"axes {given} repeat")
    rest = iter(old)
    full = [1 if axis in axes else next(rest) for axis in range(len(old) + len(axes))]
    return _become(operation, net, x, full)
