"""Neuron updates, a block of steps at a time."""

from __future__ import annotations

import numpy as np
from numba import njit

from neurodeploy.simulator.kernels.lanes import (
    above,
    bits,
    choose,
    load,
    population_count,
    spread,
    store,
)
from neurodeploy.simulator.kernels.registers import ALL, LIMIT, NONE, WORD, WRAP

__all__ = [
    "RESET_NONE",
    "RESET_SUBTRACT",
    "RESET_ZERO",
    "step_earliest",
    "step_lif",
    "step_plain",
    "step_ttfs",
]

RESET_ZERO, RESET_SUBTRACT, RESET_NONE = 0, 1, 2


@njit(nogil=True, cache=True)
def _mark(words, i):
    """Set the bit of a neuron."""
    words[i >> 6] |= np.uint64(1) << np.uint64(i & 63)


@njit(nogil=True, cache=True)
def step_plain(
    block, row_of, v, bias, shift, threshold, mode, v_initial, tau, fired, neurons, record, slot,
    checked,
):  # fmt: skip
    """Neuron updates of a block: no leak, no current memory, currents proved not to wrap.

    `row_of` names the row of `block` that holds a step's currents; `tau` counts the steps of a
    window from 0, where a sample begins; `slot` names the row of `record` that takes a step's
    membranes, -1 for none; `fired` takes one bit a neuron, uint64 (steps, words). Rows of neurons
    are as long as `fired` has bits (the same in the kernels below).
    Returns how many membranes clipped (0 without looking when not `checked`).
    """
    steps = fired.shape[0]
    clipped = np.int64(0)
    limit, low = spread(LIMIT, WORD), spread(-LIMIT, WORD)
    level, nothing, first = spread(threshold, WORD), spread(0, WORD), spread(v_initial, WORD)
    by = spread(shift, WORD)
    for word in range(fired.shape[1]):
        base = word * WORD
        left = neurons - base
        valid = ALL if left >= WORD else (np.uint64(1) << np.uint64(left)) - np.uint64(1)
        state, every = load(v, base, WORD), load(bias, base, WORD)
        for s in range(steps):
            if tau[s] == 0:
                state = first
            state = state + (load(block[row_of[s]], base, WORD) << by) + every
            if checked:
                over, under = above(state, limit), above(low, state)
                beyond = (bits(over) | bits(under)) & valid
                if beyond != NONE:
                    clipped += population_count(beyond)
                    state = choose(over, limit, choose(under, low, state))
            if mode != RESET_NONE:
                spike = above(state, level)
                fired[s, word] = bits(spike) & valid
                reset = state - level if mode == RESET_SUBTRACT else nothing
                state = choose(spike, reset, state)
            if slot[s] >= 0:
                store(record[slot[s]], base, state)
        store(v, base, state)
    return clipped


@njit(nogil=True, cache=True)
def step_lif(
    block, row_of, u, v, bias, du, dv, shift, threshold, mode, v_initial, loud, tau, fired, record,
    slot, overflow,
):  # fmt: skip
    """Neuron updates of a block in full: decay, 24-bit wrap of u, clip of v, all counted.

    `loud`: steps of a window in which they may fire. `overflow[0]` counts wraps, `overflow[1]`
    clips.
    """
    steps, neurons = fired.shape[0], v.size
    fired[:] = 0
    keep_u = np.int64(4096 - (du + 1))
    keep_v = np.int64(4096 - dv)
    for s in range(steps):
        if tau[s] == 0:
            for i in range(neurons):
                u[i] = 0
                v[i] = v_initial
        for i in range(neurons):
            x = np.int64(u[i])
            x = -((-x * keep_u) >> 12) if x < 0 else (x * keep_u) >> 12
            x += np.int64(block[row_of[s], i]) << shift
            if x > WRAP:
                x -= 2 * WRAP
                overflow[0] += 1
            elif x <= -WRAP:
                x += 2 * WRAP
                overflow[0] += 1
            u[i] = x
            y = np.int64(v[i])
            y = -((-y * keep_v) >> 12) if y < 0 else (y * keep_v) >> 12
            y += x + bias[i]
            if y > LIMIT:
                y = LIMIT
                overflow[1] += 1
            elif y < -LIMIT:
                y = -LIMIT
                overflow[1] += 1
            f = mode != RESET_NONE and y > threshold and tau[s] < loud
            if f:
                _mark(fired[s], i)
                y = y - threshold if mode == RESET_SUBTRACT else np.int64(0)
            v[i] = y
            if slot[s] >= 0:
                record[slot[s], i] = y


@njit(nogil=True, cache=True)
def step_ttfs(
    block, row_of, u, v, held, done, bias, slope, fires, tau, period, fired, record, slot, overflow,
):  # fmt: skip
    """Time-to-first-spike updates of a block; `held` is what the window before added up to."""
    steps, neurons = fired.shape[0], v.size
    fired[:] = 0
    for s in range(steps):
        if tau[s] == 0:
            for i in range(neurons):
                held[i] = v[i]
                done[i] = not fires
                u[i] = 0
                v[i] = bias[i]
        left = period - tau[s]
        for i in range(neurons):
            x = u[i] + np.int64(block[row_of[s], i])
            if x > WRAP:
                x -= 2 * WRAP
                overflow[0] += 1
            elif x <= -WRAP:
                x += 2 * WRAP
                overflow[0] += 1
            u[i] = x
            y = v[i] + x
            if y > LIMIT:
                y = LIMIT
                overflow[1] += 1
            elif y < -LIMIT:
                y = -LIMIT
                overflow[1] += 1
            v[i] = y
            if not done[i] and held[i] >= slope[i] * left - (slope[i] >> 1):
                _mark(fired[s], i)
                done[i] = True
            if slot[s] >= 0:
                record[slot[s], i] = y


@njit(nogil=True, cache=True)
def step_earliest(block, row_of, done, tau, fired):
    """Earliest-spike updates of a block."""
    steps, neurons = fired.shape[0], done.size
    fired[:] = 0
    for s in range(steps):
        if tau[s] == 0:
            done[:] = False
        for i in range(neurons):
            if not done[i] and block[row_of[s], i] > 0:
                _mark(fired[s], i)
                done[i] = True
