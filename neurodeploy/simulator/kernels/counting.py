"""Counting: synaptic operations and active channels."""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["count_active", "count_by_position", "count_digits", "count_fan_out", "lowest_bits"]


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
def count_active(values, group, signed, counts):
    """Add up how many of float (n, channels, positions) are above zero, or `signed` not zero.

    Into int32 (n, groups, positions); `group`: that of each channel.
    """
    for k in range(values.shape[0]):
        for c in range(values.shape[1]):
            value, row = values[k, c], counts[k, group[c]]
            if signed:
                for i in range(row.size):
                    row[i] += np.int32(value[i] != 0)
            else:
                for i in range(row.size):
                    row[i] += np.int32(value[i] > 0)


def lowest_bits(digit: int) -> np.uint32:
    """A number with the lowest bit of each digit set, of digits of so many bits."""
    return np.uint32(sum(1 << shift for shift in range(0, 32, digit)))


@njit(nogil=True, cache=True)
def count_digits(values, group, digit, lowest, counts):
    """As `count_active`, of the digits that are not 0.

    `digit`: bits of one; `lowest`: see `lowest_bits`.
    """
    for k in range(values.shape[0]):
        for c in range(values.shape[1]):
            value, row = values[k, c], counts[k, group[c]]
            for i in range(row.size):
                x = np.uint32(np.int32(value[i]))
                # each digit's lowest bit says whether any of its bits is set
                y = x
                for b in range(1, digit):
                    y |= x >> np.uint32(b)
                y &= lowest
                y -= (y >> np.uint32(1)) & np.uint32(0x55555555)
                y = (y & np.uint32(0x33333333)) + ((y >> np.uint32(2)) & np.uint32(0x33333333))
                y = (y + (y >> np.uint32(4))) & np.uint32(0x0F0F0F0F)
                # integers have 16 bits at most: two bytes
                row[i] += np.int32((y + (y >> np.uint32(8))) & np.uint32(0x1F))
