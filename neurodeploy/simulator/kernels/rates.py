"""Neuron updates of the kinds that rates are made of, a block of steps at a time."""

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
    "step_count_maximum",
    "step_integrate_fire",
    "step_integrate_fire_plain",
    "step_two_compartments",
    "step_two_compartments_plain",
]

#: Shift of the stock neuron.
_STOCK = 6
_CELLS, _FIELD = 12, 2
_ONES = np.int64((4**_CELLS - 1) // 3)


@njit(nogil=True, cache=True)
def _mark(words, i):
    """Set the bit of a neuron."""
    words[i >> 6] |= np.uint64(1) << np.uint64(i & 63)


@njit(nogil=True, cache=True)
def step_integrate_fire(
    block, row_of, v, count, sent, bias, threshold, initial, signed, fires, tau, fired, messages,
    record, slot, overflow,
):  # fmt: skip
    """Updates of `integrate_fire`; `sent` is room for what is sent in one step."""
    neurons = v.size
    graded = messages.shape[0] > 0
    for s in range(fired.shape[0]):
        if tau[s] == 0:
            for i in range(neurons):
                v[i] = initial[i]
                count[i] = 0
        row = block[row_of[s]]
        clipped = np.int64(0)
        # without branches: the compiler makes vector instructions of it
        for i in range(neurons):
            y = np.int64(v[i]) + np.int64(row[i]) + np.int64(bias[i])
            over, under = y > LIMIT, y < -LIMIT
            clipped += np.int64(over) + np.int64(under)
            y = LIMIT if over else (-LIMIT if under else y)
            up = np.int32(fires and y >= threshold[i])
            down = np.int32(fires and signed and y < 0 and count[i] > 0)
            sent[i] = up - down
            v[i] = np.int32(y) - sent[i] * threshold[i]
            count[i] += sent[i]
        overflow[1] += clipped
        if graded:
            messages[s, :neurons] = sent
        if fires:
            for word in range(fired.shape[1]):
                bits, base = np.uint64(0), word << 6
                for k in range(min(64, neurons - base)):
                    bits |= np.uint64(sent[base + k] != 0) << np.uint64(k)
                fired[s, word] = bits
        if slot[s] >= 0:
            record[slot[s], :neurons] = v


@njit(nogil=True, cache=True)
def step_integrate_fire_plain(
    block, row_of, v, count, bias, threshold, initial, signed, fires, tau, fired, neurons, messages,
    record, slot, checked,
):  # fmt: skip
    """As `step_integrate_fire` where sums of 32 bits hold; 64 neurons stay in registers.

    Parameters
    ----------
    v, count, bias, threshold, initial
        int32 (neurons filled up to whole words,).
    messages
        int8 (steps, neurons filled up to whole words); no rows where there is no -1.
    checked
        Whether a membrane could clip.
    others
        As of `kernels.neurons.step_plain`, which this follows.

    Returns
    -------
    How many membranes clipped.
    """
    clipped = np.int64(0)
    limit, low = spread(LIMIT, WORD), spread(-LIMIT, WORD)
    nothing, one, back = spread(0, WORD), spread(1, WORD), spread(-1, WORD)
    graded = messages.shape[0] > 0
    for word in range(fired.shape[1]):
        base = word * WORD
        left = neurons - base
        valid = ALL if left >= WORD else (np.uint64(1) << np.uint64(left)) - np.uint64(1)
        state, every, balance = load(v, base, WORD), load(bias, base, WORD), load(count, base, WORD)
        level = load(threshold, base, WORD)
        below = level - one
        for s in range(fired.shape[0]):
            if tau[s] == 0:
                state, balance = load(initial, base, WORD), nothing
            state = state + load(block[row_of[s]], base, WORD) + every
            if checked:
                over, under = above(state, limit), above(low, state)
                beyond = (bits(over) | bits(under)) & valid
                if beyond != NONE:
                    clipped += population_count(beyond)
                    state = choose(over, limit, choose(under, low, state))
            if fires:
                up = above(state, below)
                spikes = bits(up)
                if signed:
                    # nothing to take back, nothing that falls below 0
                    down = above(nothing, choose(above(balance, nothing), state, nothing))
                    spikes |= bits(down)
                    sent = choose(up, one, choose(down, back, nothing))
                    balance = balance + sent
                    state = choose(down, state + level, state)
                    if graded:
                        store(messages[s], base, sent)
                state = choose(up, state - level, state)
                fired[s, word] = spikes & valid
            if slot[s] >= 0:
                store(record[slot[s]], base, state)
        store(v, base, state)
        store(count, base, balance)
    return clipped


@njit(nogil=True, cache=True)
def step_count_maximum(block, row_of, counts, passed, lowest, tau, fired, messages):
    """Updates of `count_maximum`; `counts` (neurons, cells), `lowest`: the least that is sent."""
    neurons, cells = counts.shape
    graded = messages.shape[0] > 0
    fired[:] = 0
    for s in range(fired.shape[0]):
        if tau[s] == 0:
            counts[:] = 0
            passed[:] = 0
        for i in range(neurons):
            a = np.int64(block[row_of[s], i])
            if a:
                a += _ONES
                for j in range(cells):
                    counts[i, j] += ((a >> (_FIELD * j)) & 3) - 1
            largest = counts[i, 0]
            for j in range(1, cells):
                largest = max(largest, counts[i, j])
            sent = min(max(largest - passed[i], lowest), 1)
            passed[i] += sent
            if sent:
                _mark(fired[s], i)
            if graded:
                messages[s, i] = sent


@njit(nogil=True, cache=True)
def step_two_compartments(
    block, row_of, v, spiked, bias, threshold, v_initial, tau, fired, record, slot, overflow
):
    """Updates of `two_compartments`; `spiked`: who is inhibited at the next step."""
    neurons = v.size
    level = np.int64(threshold) << _STOCK
    fired[:] = 0
    for s in range(fired.shape[0]):
        if tau[s] == 0:
            v[:] = v_initial
            spiked[:] = 0
        for i in range(neurons):
            x = (np.int64(block[row_of[s], i]) - spiked[i] * threshold) << _STOCK
            if x > WRAP:
                x -= 2 * WRAP
                overflow[0] += 1
            elif x <= -WRAP:
                x += 2 * WRAP
                overflow[0] += 1
            y = v[i] + x + bias[i]
            if y > LIMIT:
                y = LIMIT
                overflow[1] += 1
            elif y < -LIMIT:
                y = -LIMIT
                overflow[1] += 1
            v[i] = y
            spiked[i] = np.int64(y > level)
            if spiked[i]:
                _mark(fired[s], i)
            if slot[s] >= 0:
                record[slot[s], i] = y


@njit(nogil=True, cache=True)
def step_two_compartments_plain(
    block, row_of, v, inhibition, bias, threshold, v_initial, tau, fired, neurons, record, slot,
    wraps, checked, overflow,
):  # fmt: skip
    """As `step_two_compartments` where sums of 32 bits hold; 64 neurons stay in registers.

    Parameters
    ----------
    v, inhibition, bias
        int32 (neurons filled up to whole words,); `inhibition` is that of the next step.
    threshold
        In membrane integers.
    wraps, checked
        Whether a current could wrap, a membrane clip.
    others
        As of `kernels.neurons.step_plain`, which this follows.
    """
    limit, low = spread(LIMIT, WORD), spread(-LIMIT, WORD)
    whole, last, first = spread(WRAP, WORD), spread(1 - WRAP, WORD), spread(v_initial, WORD)
    turn, nothing = spread(2 * WRAP, WORD), spread(0, WORD)
    level, by = spread(threshold, WORD), spread(_STOCK, WORD)
    for word in range(fired.shape[1]):
        base = word * WORD
        left = neurons - base
        valid = ALL if left >= WORD else (np.uint64(1) << np.uint64(left)) - np.uint64(1)
        state, every, held = (
            load(v, base, WORD), load(bias, base, WORD), load(inhibition, base, WORD)
        )  # fmt: skip
        for s in range(fired.shape[0]):
            if tau[s] == 0:
                state, held = first, nothing
            current = (load(block[row_of[s]], base, WORD) << by) - held
            if wraps:
                over, under = above(current, whole), above(last, current)
                beyond = (bits(over) | bits(under)) & valid
                if beyond != NONE:
                    overflow[0] += population_count(beyond)
                    current = choose(over, current - turn, choose(under, current + turn, current))
            state = state + current + every
            if checked:
                over, under = above(state, limit), above(low, state)
                beyond = (bits(over) | bits(under)) & valid
                if beyond != NONE:
                    overflow[1] += population_count(beyond)
                    state = choose(over, limit, choose(under, low, state))
            spike = above(state, level)
            fired[s, word] = bits(spike) & valid
            held = choose(spike, level, nothing)
            if slot[s] >= 0:
                store(record[slot[s]], base, state)
        store(v, base, state)
        store(inhibition, base, held)
