"""ReduceMean and ReduceMax."""

from __future__ import annotations

import numpy as np

from neurodeploy.errors import ModelError, UnsupportedError
from neurodeploy.importing.builder import Builder, Signal
from neurodeploy.importing.operation import Operation
from neurodeploy.importing.operators.pooling import whole_map
from neurodeploy.importing.registry import register
from neurodeploy.network import Permute

__all__ = ["reduction"]


@register("ReduceMean", "ReduceMax")
def reduction(operation: Operation, net: Builder) -> Signal:
    """``ReduceMean`` and ``ReduceMax`` as a global pool.

    1. Over all spatial axes of a map: one `Pool`; with ``keepdims=0`` a reshape behind it.
    2. Over other axes but the batch: the axes are moved to the end first.
    3. Refused: the batch axis (also by naming no axes), no axes at all.
    """
    x = operation.signal()
    rank = len(x.shape) + 1
    axes = operation.ints_at(1) if operation.count > 1 else operation.ints("axes")
    if not axes:
        if operation.integer("noop_with_empty_axes", 0):
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
    average = operation.op_type == "ReduceMean"
    kept = [axis for axis in range(rank - 1) if axis not in inner]
    left = tuple(x.shape[axis] for axis in kept)
    keep = operation.integer("keepdims", 1)
    shape = tuple(1 if i in inner else n for i, n in enumerate(x.shape)) if keep else left
    name = operation.name
    if inner == list(range(1, rank - 1)) and rank <= 5:
        pooled_shape = x.shape
    else:
        # Bring the reduced axes to the end as one: (what stays, what is reduced).
        indices = np.arange(int(np.prod(x.shape))).reshape(x.shape)
        pooled_shape = (int(np.prod(left)), int(np.prod([x.shape[a] for a in inner])))
        moved = indices.transpose(kept + inner).reshape(-1)
        turned = Permute(net.unique(f"{name}/turned"), shape=pooled_shape, indices=moved)
        x = net.add(turned, x)
    result = (pooled_shape[0],) + (1,) * (len(pooled_shape) - 1)
    if result == shape:
        return net.add(whole_map(net.unique(name), pooled_shape, average), x)
    x = net.add(whole_map(net.unique(f"{name}/pool"), pooled_shape, average), x)
    return net.add(Permute(net.unique(name), shape=shape), x)
