"""Where Lava puts things: tensors are (x, y, channel), connections flat lists of synapses."""

from __future__ import annotations

from math import prod

import numpy as np

from neurodeploy.program import Convolution, Dense, Sparse, Synapses

__all__ = ["lava_order", "lava_shape", "row_bound", "triplets", "unique_layers"]

Shape = tuple[int, ...]
Triplets = tuple[np.ndarray, np.ndarray, np.ndarray]


def lava_shape(shape: Shape) -> Shape:
    """(W, H, C) for (C, H, W), flat for everything else."""
    return (shape[2], shape[1], shape[0]) if len(shape) == 3 else (prod(shape),)


def lava_order(shape: Shape) -> np.ndarray:
    """Index in C order of each neuron in Lava's order: ``lava = flat[lava_order(shape)]``.

    Returns
    -------
    int64 (neurons,), a permutation.
    """
    index = np.arange(prod(shape))
    return index.reshape(shape).transpose(2, 1, 0).reshape(-1) if len(shape) == 3 else index


def row_bound(synapses: Synapses) -> int:
    """Largest sum of absolute weights over the synapses of one target."""
    weights = np.abs(synapses.weights.astype(np.int64))
    if isinstance(synapses, Sparse):
        sums = np.concatenate([[0], np.cumsum(weights)])
        return int(np.diff(sums[synapses.row_starts]).max(initial=0))
    return int(weights.reshape(weights.shape[0], -1).sum(1).max(initial=0))


def triplets(synapses: Synapses, source_shape: Shape) -> Triplets:
    """The synapses as a list: target, source (both in C order) and weight of each.

    Returns
    -------
    int64, int64, int8 (synapses,).
    """
    if isinstance(synapses, Sparse):
        rows = np.repeat(np.arange(synapses.row_starts.size - 1), np.diff(synapses.row_starts))
        return rows, synapses.columns.astype(np.int64), synapses.weights
    if isinstance(synapses, Dense):
        targets, sources = synapses.weights.shape
        return (
            np.repeat(np.arange(targets), sources),
            np.tile(np.arange(sources), targets),
            synapses.weights.reshape(-1),
        )
    return _unrolled(synapses, source_shape)


def _unrolled(synapses: Convolution, source_shape: Shape) -> Triplets:
    """Every tap of a convolution that does not read padding."""
    out_channels, out_height, out_width = synapses.output_shape(source_shape)
    _, height, width = source_shape
    per_group_in = synapses.weights.shape[1]
    axes = (out_channels, out_height, out_width, per_group_in, *synapses.weights.shape[2:])
    channel, y, x, within, tap_y, tap_x = np.ogrid[tuple(slice(n) for n in axes)]
    group = channel // (out_channels // synapses.groups)
    row = y * synapses.stride[0] + tap_y * synapses.dilation[0] - synapses.padding[0]
    column = x * synapses.stride[1] + tap_x * synapses.dilation[1] - synapses.padding[1]
    inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
    source = ((group * per_group_in + within) * height + row) * width + column
    target = (channel * out_height + y) * out_width + x
    weights = synapses.weights[:, None, None]
    keep = np.broadcast_to(inside, axes)
    return (
        np.broadcast_to(target, axes)[keep],
        np.broadcast_to(source, axes)[keep],
        np.broadcast_to(weights, axes)[keep],
    )


def unique_layers(synapses: Triplets) -> list[Triplets]:
    """Split a list with repeated (target, source) pairs into lists without.

    A matrix would add the repeated weights up, and their sum may leave 8 bit.
    """
    rows, columns, weights = synapses
    order = np.lexsort((columns, rows))
    rows, columns, weights = rows[order], columns[order], weights[order]
    same = np.zeros(rows.size, bool)
    same[1:] = (rows[1:] == rows[:-1]) & (columns[1:] == columns[:-1])
    position = np.arange(rows.size)
    first = np.maximum.accumulate(np.where(same, 0, position)) if rows.size else position
    repeat = position - first
    return [
        (rows[repeat == k], columns[repeat == k], weights[repeat == k])
        for k in range(int(repeat.max(initial=0)) + 1)
    ]
