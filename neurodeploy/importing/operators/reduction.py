"""ReduceMean, ReduceSum and ReduceMax."""

from __future__ import annotations

import numpy as np

from neurodeploy.errors import ModelError, UnsupportedError
from neurodeploy.importing.building.builder import Builder, Signal
from neurodeploy.importing.building.operation import Operation
from neurodeploy.importing.building.permuting import move
from neurodeploy.importing.operators.pooling import whole_map
from neurodeploy.importing.registry import register
from neurodeploy.network import Conv, Node, Permute, Shape

__all__ = ["reduction"]


@register("ReduceMean", "ReduceSum", "ReduceMax")
def reduction(operation: Operation, net: Builder) -> Signal:
    """``ReduceMean`` and ``ReduceMax`` as a global pool, ``ReduceSum`` as a `Conv` of ones.

    1. Over all spatial axes of a map: one node; with ``keepdims=0`` a reshape behind it.
    2. Over other axes but the batch: the axes are moved to the end first.
    3. Refused: the batch axis (also by naming no axes), no axes at all.
    """
    x = operation.signal()
    rank = len(x.shape) + 1
    axes = operation.ints_at(1) if operation.count > 1 else operation.ints("axes")
    if not axes:
        if operation.flag("noop_with_empty_axes"):
            return x
        axes = tuple(range(rank))
    if any(not -rank <= axis < rank for axis in axes):
        raise ModelError(f"axes {axes} do not exist in an input of {rank} axes")
    inner = sorted({axis % rank - 1 for axis in axes})
    if inner[0] < 0:
        raise UnsupportedError(
            "reduces the batch axis, so samples would depend on each other",
            remedy="reduce over the axes behind the first",
        )
    kept = [axis for axis in range(rank - 1) if axis not in inner]
    left = tuple(x.shape[axis] for axis in kept)
    keep = operation.flag("keepdims", True)
    shape = tuple(1 if i in inner else n for i, n in enumerate(x.shape)) if keep else left
    name = operation.name
    if inner == list(range(1, rank - 1)) and rank <= 5:
        pooled_shape = x.shape
    else:
        # Bring the reduced axes to the end as one: (what stays, what is reduced).
        indices = np.arange(int(np.prod(x.shape))).reshape(x.shape)
        pooled_shape = (int(np.prod(left)), int(np.prod([x.shape[a] for a in inner])))
        moved = indices.transpose(kept + inner).reshape(pooled_shape)
        x = move(net, f"{name}/turned", x, moved)
    result = (pooled_shape[0],) + (1,) * (len(pooled_shape) - 1)
    if result == shape:
        return net.add(_whole(operation.op_type, net.unique(name), pooled_shape), x)
    x = net.add(_whole(operation.op_type, net.unique(f"{name}/whole"), pooled_shape), x)
    return net.add(Permute(net.unique(name), shape=shape), x)


def _whole(kind: str, name: str, shape: Shape) -> Node:
    """The reduction of all spatial axes of a map of `shape`, channel by channel."""
    if kind != "ReduceSum":
        return whole_map(name, shape, kind == "ReduceMean")
    spatial = len(shape) - 1
    return Conv(
        name,
        weight=np.ones((shape[0], 1, *shape[1:]), np.float32),
        bias=np.zeros(shape[0], np.float32),
        stride=(1,) * spatial,
        padding=(0,) * (2 * spatial),
        dilation=(1,) * spatial,
        groups=shape[0],
    )
