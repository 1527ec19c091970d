"""Counting: synaptic operations and active channels."""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["count_active", "count_by_position", "count_fan_out"]


@njit(nogil=True, cache=True)
def count_fan_out(index, start, fan_out, counts):
    """Synaptic operations that the events of each part cause, added to int64 (parts,)."""
    for k in range(counts.size):
        total = np.int64(0)
        for e in range(start[k], start[k + 1]):
            total += fan_out[index[e]]
        counts[k] += total


@njit(nogil=True, cache=True)
def count_by_position(place, position, change, counts):
    """As `count_fan_out` where all neurons of a position reach as many; `place` falls in parts.

    ``sum_p (place[p + 1] - place[p]) * fan_out[p]`` is summed by parts: only where the fan-out
    changes from one position to the next, by `change` at `position`, is there something to add.
    """
    rows = place.shape[0] // counts.size
    for s in range(place.shape[0]):
        row = place[s]
        total = np.int64(0)
        for k in range(position.size):
            total += row[position[k]] * change[k]
        counts[s // rows] += total


@njit(nogil=True, cache=True)
def count_active(values, counts):
    """Add up over the middle axis how many of float (n, channels, positions) are above zero."""
    for k in range(values.shape[0]):
        row = counts[k]
        for c in range(values.shape[1]):
            value = values[k, c]
            for i in range(row.size):
                row[i] += np.int32(value[i] > 0)
