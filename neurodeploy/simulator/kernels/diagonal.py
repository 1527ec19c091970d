"""Connections of each neuron to its counterpart: a weight, or so many, where the source sent."""

from __future__ import annotations

import numpy as np
from numba import njit

from neurodeploy.simulator.kernels.lanes import choose, flags, load, spread, store

__all__ = ["add_diagonal", "add_diagonal_integers"]

_LANES = 64


@njit(nogil=True, cache=True)
def add_diagonal(block, first, spikes, weights):
    """Add the weights of the neurons that fired.

    Parameters
    ----------
    block
        Integers (steps, neurons filled up to whole words).
    first
        Step of `spikes` at the block's first row; steps before 0 hold none.
    spikes
        uint64 (steps, words), one bit a neuron.
    weights
        int32 (neurons filled up to whole words,).
    """
    nothing = spread(0, _LANES)
    for s in range(block.shape[0]):
        if first + s < 0:
            continue
        into, row = block[s], spikes[first + s]
        for k in range(row.size):
            if row[k] != np.uint64(0):
                at = k * _LANES
                added = choose(flags(row[k], _LANES), load(weights, at, _LANES), nothing)
                store(into, at, load(into, at, _LANES) + added)


@njit(nogil=True, cache=True)
def add_diagonal_integers(block, first, spikes, rows, weights):
    """Add the weights times the integers that were sent.

    Parameters
    ----------
    rows
        int8 (steps, neurons filled up to whole words): what was sent.
    others
        As of `add_diagonal`.
    """
    for s in range(block.shape[0]):
        if first + s < 0:
            continue
        into, row, sent = block[s], spikes[first + s], rows[first + s]
        for k in range(row.size):
            if row[k] != np.uint64(0):
                at = k * _LANES
                added = load(weights, at, _LANES) * load(sent, at, _LANES)
                store(into, at, load(into, at, _LANES) + added)
