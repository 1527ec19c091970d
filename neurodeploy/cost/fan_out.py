"""Which synapses of a connection end in a block of its target."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from neurodeploy.program import Convolution, Dense, Sparse, Synapses

__all__ = ["fan_out_into"]

Shape = tuple[int, ...]
Box = Sequence[tuple[int, int]]


def fan_out_into(
    synapses: Synapses, source_shape: Shape, target_shape: Shape, box: Box
) -> np.ndarray:
    """Synapses of each source neuron that end in a block of the target: int64 (sources,).

    Over blocks that cover the target once they add up to `Synapses.fan_out`.

    Parameters
    ----------
    box
        Half-open range along each axis of the target's shape.
    """
    if isinstance(synapses, Dense):
        return np.full(prod(source_shape), prod(end - begin for begin, end in box), np.int64)
    if isinstance(synapses, Convolution):
        return _convolution(synapses, source_shape, box)
    return _sparse(synapses, prod(source_shape), target_shape, box)


def _sparse(synapses: Sparse, sources: int, target_shape: Shape, box: Box) -> np.ndarray:
    number = np.arange(prod(target_shape)).reshape(target_shape)
    targets = number[tuple(slice(begin, end) for begin, end in box)].reshape(-1)
    starts = synapses.row_starts[targets]
    length = synapses.row_starts[targets + 1] - starts
    # the block's rows one after the other, without looking at all others
    before = np.cumsum(length) - length
    chosen = np.arange(length.sum()) + np.repeat(starts - before, length)
    return np.bincount(synapses.columns[chosen], minlength=sources).astype(np.int64)


def _convolution(synapses: Convolution, source_shape: Shape, box: Box) -> np.ndarray:
    channels, height, width = source_shape
    (first, last), rows, columns = box
    out_per_group = synapses.weights.shape[0] // synapses.groups
    # output channels of the block in each group; an input channel reaches those of its own
    begin = np.arange(synapses.groups) * out_per_group
    shared = np.minimum(begin + out_per_group, last) - np.maximum(begin, first)
    kernels = np.repeat(np.maximum(shared, 0), channels // synapses.groups)
    down = _taps(synapses, 0, height, rows)
    across = _taps(synapses, 1, width, columns)
    return np.einsum("c,h,w->chw", kernels, down, across).reshape(-1)


def _taps(synapses: Convolution, axis: int, size: int, outputs: tuple[int, int]) -> np.ndarray:
    """How many outputs of a range along one axis each input position reaches: int64 (size,)."""
    count = np.zeros(size, np.int64)
    at = np.arange(*outputs) * synapses.stride[axis] - synapses.padding[axis]
    for tap in range(synapses.weights.shape[2 + axis]):
        read = at + tap * synapses.dilation[axis]
        # a tap reads each position at most once
        count[read[(read >= 0) & (read < size)]] += 1
    return count
