"""Synaptic input scattered spike by spike: contiguous runs, taps or lists of targets."""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["scatter_grouped", "scatter_rows", "scatter_single", "scatter_sparse"]


@njit(nogil=True, cache=True)
def scatter_rows(
    block, first, index, start, value, weights, channels, position_of, y_of, x_of,
    row_count, row_to, row_from, run_to, run_from, run_length,
):  # fmt: skip
    """Add each message's weights: one contiguous run for each kernel row (see `layout`).

    `value` holds the payloads, or is empty for binary messages. `first` is the event step of
    the block's first row; steps before 0 hold no events.
    """
    graded = value.size > 0
    for s in range(block.shape[0]):
        if first + s < 0:
            continue
        into = block[s]
        for e in range(start[first + s], start[first + s + 1]):
            position = position_of[index[e]]  # tables: divisions would cost more than the adds
            source = weights[index[e] - position * channels]
            y = y_of[position]
            x = x_of[position]
            length = np.uint64(run_length[x])
            for j in range(row_count[y]):
                to = np.uint64(row_to[y, j] + run_to[x])
                at = np.uint64(row_from[y, j] + run_from[x])
                if graded:
                    factor = np.int64(value[e])
                    for k in range(length):
                        k = np.uint64(k)
                        into[to + k] += source[at + k] * factor
                else:
                    for k in range(length):
                        k = np.uint64(k)
                        into[to + k] += source[at + k]


@njit(nogil=True, cache=True)
def scatter_grouped(
    block, first, index, start, value, weights, channels, width,
    row_count, row_to, row_from, tap_count, tap_to, tap_from, group_in, group_out,
):  # fmt: skip
    """As `scatter_rows` for a convolution in groups: one short run for each kernel tap."""
    graded = value.size > 0
    for s in range(block.shape[0]):
        if first + s < 0:
            continue
        into = block[s]
        for e in range(start[first + s], start[first + s + 1]):
            position = index[e] // channels
            channel = index[e] - position * channels
            source = weights[channel]
            offset = channel // group_in * group_out
            y = position // width
            x = position - y * width
            factor = np.int64(value[e]) if graded else np.int64(1)
            for j in range(row_count[y]):
                for i in range(tap_count[x]):
                    to = row_to[y, j] + tap_to[x, i] + offset
                    at = row_from[y, j] + tap_from[x, i]
                    for k in range(group_out):
                        into[to + k] += source[at + k] * factor


@njit(nogil=True, cache=True)
def scatter_sparse(block, first, index, start, value, weights, targets, column_starts):
    """Add each message's weights through lists of targets."""
    graded = value.size > 0
    for s in range(block.shape[0]):
        if first + s < 0:
            continue
        into = block[s]
        for e in range(start[first + s], start[first + s + 1]):
            factor = np.int64(value[e]) if graded else np.int64(1)
            for k in range(column_starts[index[e]], column_starts[index[e] + 1]):
                into[targets[k]] += weights[k] * factor


@njit(nogil=True, cache=True)
def scatter_single(block, first, index, start, value, weights, targets):
    """As `scatter_sparse` for sources with one target each.

    A source without a target adds the weight 0 to any.
    """
    graded = value.size > 0
    for s in range(block.shape[0]):
        if first + s < 0:
            continue
        into = block[s]
        for e in range(start[first + s], start[first + s + 1]):
            source = np.uint64(index[e])
            factor = np.int64(value[e]) if graded else np.int64(1)
            into[np.uint64(targets[source])] += weights[source] * factor
