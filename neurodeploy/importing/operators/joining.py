"""Concat."""

from __future__ import annotations

from math import prod

import numpy as np

from neurodeploy.errors import ModelError, UnsupportedError
from neurodeploy.importing.building.affine import affine
from neurodeploy.importing.building.builder import Builder, Signal
from neurodeploy.importing.building.operation import Operation
from neurodeploy.importing.building.permuting import check_size, move
from neurodeploy.importing.registry import register
from neurodeploy.network import Concat

__all__ = ["concat"]


def _block(operation: Operation, net: Builder, index: int) -> np.ndarray:
    """A constant input as every sample sees it."""
    values = operation.real(operation.required(index))
    if values.ndim < 2 or values.shape[0] != net.batch:
        raise ModelError(f"its constant of shape {values.shape} is not one of {net.batch} samples")
    if not (values == values[:1]).all():
        raise UnsupportedError(
            "its constant differs between the samples of a batch",
            remedy="export with a batch of one, or with constants that are the same for all",
        )
    return values[0]


@register("Concat", integers="moves")
def concat(operation: Operation, net: Builder) -> Signal:
    """``Concat`` along any axis but the batch.

    1. Activations: a `Concat`.
    2. With constants, too: the activations spread with zeros between them, and a shift behind.
    """
    inputs = range(operation.count)
    signals = {i: operation.signal(i) for i in inputs if operation.is_signal(i)}
    if not signals or not operation.has("axis"):
        raise ModelError("has no activation among its inputs, or no axis")
    rank = len(next(iter(signals.values())).shape) + 1
    axis = operation.integer("axis", 0)
    if not -rank <= axis < rank:
        raise ModelError(f"axis {axis} does not exist in an input of {rank} axes")
    if axis % rank == 0:
        raise UnsupportedError(
            "joins along the batch axis: samples of a batch do not meet in a spiking network",
            remedy="concatenate along another axis",
        )
    axis = axis % rank - 1
    blocks = {i: _block(operation, net, i) for i in inputs if i not in signals}
    name = f"{operation.name}/joined" if blocks else operation.name
    joined = next(iter(signals.values()))
    if len(signals) > 1:
        joined = net.add(Concat(net.unique(name), axis=axis), *signals.values())
    if not blocks:
        return joined
    return _between(net, operation.name, joined, axis, [
        blocks[i] if i in blocks else signals[i].shape[axis] for i in inputs
    ])  # fmt: skip


def _between(
    net: Builder, name: str, x: Signal, axis: int, parts: list[np.ndarray | int]
) -> Signal:
    """`x` along `axis` in pieces of given lengths, with constants between them."""
    rest = x.shape[:axis] + x.shape[axis + 1 :]
    blocks = [part for part in parts if isinstance(part, np.ndarray)]
    if any(b.ndim != len(x.shape) or b.shape[:axis] + b.shape[axis + 1 :] != rest for b in blocks):
        raise ModelError(f"constants of shapes {[b.shape for b in blocks]} do not join {x.shape}")
    length = x.shape[axis] + sum(block.shape[axis] for block in blocks)
    shape = (*x.shape[:axis], length, *x.shape[axis + 1 :])
    check_size(shape, "joining")
    indices = np.full(shape, -1, np.int64)
    shift = np.zeros(shape, np.float32)
    source = np.moveaxis(np.arange(prod(x.shape)).reshape(x.shape), axis, 0)
    target, wanted = np.moveaxis(indices, axis, 0), np.moveaxis(shift, axis, 0)
    read = written = 0
    for part in parts:
        if isinstance(part, np.ndarray):
            count = part.shape[axis]
            wanted[written : written + count] = np.moveaxis(part, axis, 0)
        else:
            count = part
            target[written : written + count] = source[read : read + count]
            read += count
        written += count
    if not shift.any():
        return move(net, name, x, indices)
    spread = move(net, f"{name}/spread", x, indices)
    return affine(net, name, spread, np.ones((1,) * len(shape)), shift)
