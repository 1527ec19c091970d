"""Messages of small integers as spikes: one of value m is so many spikes at once."""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["pick", "spread_units", "turn_units"]


@njit(nogil=True, cache=True)
def pick(rows, index, start, value):
    """What each event carries: `value`, of the integers (steps, neurons) that were sent."""
    for s in range(start.size - 1):
        row = rows[s]
        for e in range(start[s], start[s + 1]):
            value[e] = row[np.uint64(index[e])]


@njit(nogil=True, cache=True)
def turn_units(index, value, behind, out_index):
    """Entries of messages of -1 and 1: those of -1 lie so far `behind`."""
    for e in range(value.size):
        out_index[e] = index[e] + np.int32(value[e] < 0) * behind


@njit(nogil=True, cache=True)
def spread_units(index, start, place, value, behind, out_index, out_start, out_place):
    """As `turn_units` for any integers: one of -3 becomes three entries."""
    count = 0
    out_start[0] = 0
    for s in range(start.size - 1):
        row, into = place[s], out_place[s]
        e = start[s]
        for position in range(row.size):
            while e < row[position]:
                entry = index[e] + np.int32(value[e] < 0) * behind
                for _ in range(abs(value[e])):
                    out_index[count] = entry
                    count += 1
                e += 1
            into[position] = count
        out_start[s + 1] = count
