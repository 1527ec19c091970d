"""Spikes laid out for a matrix product: every output's neighbourhood as one row of bytes."""

from __future__ import annotations

import numpy as np
from numba import njit

from neurodeploy.simulator.kernels.lanes import move, store_flags

#: Bytes copied at once.
MOVED = 32

__all__ = [
    "MOVED",
    "lay_out",
    "lay_out_bits",
    "lay_out_integers",
    "lay_out_rows",
    "put",
    "spread_patches",
]


@njit(nogil=True, cache=True)
def lay_out(plane, steps, places, first, index, start, offset):
    """Count the spikes of some steps in uint8, flat, `places` bytes a step and zeroed here.

    `first` is the event step of the first row, steps before 0 hold no events; `offset` is the
    place of each source neuron.
    """
    for s in range(steps):
        row = plane[s * places : (s + 1) * places]
        row[:] = 0
        if first + s >= 0:
            for e in range(start[first + s], start[first + s + 1]):
                row[offset[index[e]]] += np.uint8(1)


@njit(nogil=True, cache=True)
def lay_out_bits(plane, steps, places, first, spikes, height, run, corner, pitch):
    """As `lay_out` from one bit a neuron, where each row of the map is one run of places.

    Parameters
    ----------
    spikes
        uint64 (event steps, words).
    height, run
        Rows of the map, and neurons in each.
    corner, pitch
        Place of the first neuron, and from one row to the next.
    """
    for s in range(steps):
        here = max(first + s, 0)
        silent = first + s < 0
        words = spikes[here]
        plane[s * places : (s + 1) * places] = 0
        for y in range(height):
            to = s * places + corner + y * pitch
            for k in range(0, run, 64):
                at = y * run + k
                shift = np.uint64(at & 63)
                word = words[at >> 6] >> shift
                if shift and (at >> 6) + 1 < words.size:
                    word |= words[(at >> 6) + 1] << (np.uint64(64) - shift)
                if silent:
                    word = np.uint64(0)
                if run - k >= 64:
                    store_flags(plane, to + k, word)
                else:
                    for i in range(run - k):
                        plane[to + k + i] = np.uint8(word >> np.uint64(i) & np.uint64(1))


@njit(nogil=True, cache=True)
def lay_out_integers(plane, steps, places, first, index, start, value, offset, zero):
    """As `lay_out` of integers, which are added to `zero`."""
    for s in range(steps):
        row = plane[s * places : (s + 1) * places]
        row[:] = zero
        if first + s >= 0:
            for e in range(start[first + s], start[first + s + 1]):
                row[offset[index[e]]] += np.uint8(value[e])


@njit(nogil=True, cache=True)
def lay_out_rows(plane, steps, places, first, sent, height, run, corner, pitch, zero):
    """As `lay_out_bits` of integers, which are added to `zero`.

    Parameters
    ----------
    sent
        int8 (event steps, neurons).
    others
        As of `lay_out_bits`.
    """
    for s in range(steps):
        plane[s * places : (s + 1) * places] = zero
        if first + s >= 0:
            row = sent[first + s]
            for y in range(height):
                to = s * places + corner + y * pitch
                line, into = row[y * run : (y + 1) * run], plane[to : to + run]
                for i in range(run):
                    into[i] = np.uint8(line[i]) + zero


@njit(nogil=True, cache=True)
def spread_patches(plane, steps, places, rows, run, step_y, step_x, height, width, out):
    """What each tile of outputs reads, as a row of `out`, one tile and step after the other.

    Parameters
    ----------
    plane
        uint8, flat: padded maps, channels last, `places` bytes a step; `MOVED` more at its end.
    rows, run
        Offsets in the plane of the kernel's rows, int64, and the bytes read of each.
    step_y, step_x
        Bytes from one tile's neighbourhood to the next below, and to the right.
    height, width
        Tiles of a step.
    out
        uint8, flat; `MOVED` more at its end.
    """
    to = 0
    for s in range(steps):
        for y in range(height):
            for x in range(width):
                corner = s * places + y * step_y + x * step_x
                for j in range(rows.size):
                    # what a copy writes too much, the next one mends
                    for k in range(0, run, MOVED):
                        move(out, to + k, plane, corner + rows[j] + k, MOVED)
                    to += run


@njit(nogil=True, cache=True)
def put(block, products, size, shift, keep):
    """Products int32 (steps, size) into rows of currents: in their place, or (keep) added."""
    for s in range(block.shape[0]):
        into, found = block[s], products[s]
        if keep:
            for k in range(size):
                into[k] += found[k] << shift
        else:
            for k in range(size):
                into[k] = found[k] << shift
