"""Synapses of any kind as a list of (target, source, weight)."""

from __future__ import annotations

import numpy as np

from neurodeploy.program.synapse import Convolution, Dense, Sparse, Synapses

__all__ = ["Triplets", "triplets"]

Shape = tuple[int, ...]
Triplets = tuple[np.ndarray, np.ndarray, np.ndarray]


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
