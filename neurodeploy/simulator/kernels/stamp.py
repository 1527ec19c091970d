"""Synaptic input stamped spike by spike: the whole kernel of a source, run by run of weights.

The runs of all sources are as long, so that they are added as vectors; `stamping` lays them out
such that none leaves its row of outputs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit

from neurodeploy.simulator.kernels.sums import add_row

__all__ = ["STAMPED", "stamp"]

#: Weights added at once: lengths that the kernel has code for.
STAMPED = (16, 32, 48, 96, 192)


def _stamper(lanes: int) -> Callable[..., Any]:
    """The loop over events for runs of pieces of so many weights."""

    @njit(nogil=True)
    def stamp_events(into, index, begin, end, table, where, channels, reached, pieces, pitch):
        narrow, size = np.uint32(channels), reached * pieces * lanes
        for e in range(begin, end):
            neuron = np.uint32(index[np.uint64(e)])
            position = np.uint64(neuron // narrow)
            channel = np.int64(neuron) - np.int64(position) * channels
            at, row = where[position, 0], where[position, 1] + channel * size
            if pieces == 1:
                for _ in range(where[position, 2]):
                    add_row(into, at, table, row, lanes)
                    row += lanes
                    at += pitch
            else:
                for _ in range(where[position, 2]):
                    for k in range(pieces):
                        add_row(into, at + k * lanes, table, row, lanes)
                        row += lanes
                    at += pitch

    return stamp_events


_stamp_16, _stamp_32, _stamp_48, _stamp_96, _stamp_192 = map(_stamper, STAMPED)


@njit(nogil=True, cache=True)
def stamp(block, first, index, start, table, where, geometry, keep):
    """Currents of some steps: (keep: added to) the weights of all spikes that arrive.

    Parameters
    ----------
    block
        Integers (steps, neurons), channels last.
    first
        Event step of the block's first row; steps before 0 hold no events.
    index, start
        Spikes, and where those of each step begin.
    table, where, geometry
        See `stamping.Stamped`.
    """
    channels, reached, pieces = geometry[0], geometry[1], geometry[2]
    lanes, pitch = geometry[3], geometry[4]
    for s in range(block.shape[0]):
        into = block[s]
        if not keep:
            into[:] = 0
        if first + s < 0:
            continue
        begin, end = start[first + s], start[first + s + 1]
        if lanes == 48:
            _stamp_48(into, index, begin, end, table, where, channels, reached, pieces, pitch)
        elif lanes == 96:
            _stamp_96(into, index, begin, end, table, where, channels, reached, pieces, pitch)
        elif lanes == 192:
            _stamp_192(into, index, begin, end, table, where, channels, reached, pieces, pitch)
        elif lanes == 32:
            _stamp_32(into, index, begin, end, table, where, channels, reached, pieces, pitch)
        else:
            _stamp_16(into, index, begin, end, table, where, channels, reached, pieces, pitch)
