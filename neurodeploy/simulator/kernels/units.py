"""Messages of small integers as spikes: one of value m is so many spikes at once."""

from __future__ import annotations

import numpy as np
from numba import njit

from neurodeploy.simulator.kernels.lanes import spread, store

__all__ = ["MOST_UNITS", "pick", "spread_units", "turn_units"]

#: Spikes that a message may stand for: beyond it a multiplication is cheaper.
MOST_UNITS = 8


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
def spread_units(index, start, place, value, behind, before, out_index, out_start, out_place):
    """As `turn_units` for integers up to `MOST_UNITS`: one of -3 becomes three entries.

    Parameters
    ----------
    before
        int64 (messages + 1,): takes the entries before each message.
    out_index
        int32, with room for `MOST_UNITS` entries more than there are.
    out_start, out_place
        Take where the entries of each step and position begin.
    """
    count = 0
    for e in range(value.size):
        before[e] = count
        entry = index[e] + np.int32(value[e] < 0) * behind
        # as many as there could be, without a branch that the value decides: the next mends it
        store(out_index, count, spread(entry, MOST_UNITS))
        count += abs(value[e])
    before[value.size] = count
    for s in range(start.size):
        out_start[s] = before[start[s]]
    for s in range(place.shape[0]):
        for position in range(place.shape[1]):
            out_place[s, position] = before[place[s, position]]
