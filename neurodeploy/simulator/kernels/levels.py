"""Neuron updates of `levels`, a block of steps at a time."""

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

__all__ = ["step_levels", "step_levels_plain"]

#: Bits of a decay's denominator.
_DECAY = 12


@njit(nogil=True, cache=True)
def step_levels(
    block, row_of, v, bias, thresholds, dv, shift, sent, tau, fired, messages, record, slot,
    overflow,
):  # fmt: skip
    """Updates of `levels`; each level is a pass over the neurons, so that vectors serve.

    Parameters
    ----------
    v
        int64 (levels, neurons): membranes.
    thresholds
        int64 (levels,): in membrane units.
    sent
        int32 (neurons,): room for a step's messages.
    others
        As of `kernels.neurons`.
    """
    levels, neurons = v.shape
    keep = np.int64(4096 - dv)
    graded = messages.shape[0] > 0
    fired[:] = 0
    for s in range(fired.shape[0]):
        if tau[s] == 0:
            v[:] = 0
        arriving = block[row_of[s]]
        sent[:] = 0
        wraps = 0
        for k in range(levels):
            clips, wraps = 0, 0
            membrane, threshold = v[k], thresholds[k]
            for i in range(neurons):
                x = np.int64(arriving[i]) << shift
                above, below = np.int64(x > WRAP), np.int64(x <= -WRAP)
                x += 2 * WRAP * (below - above)
                wraps += above + below
                y = membrane[i]
                y = -((-y * keep) >> 12) if y < 0 else (y * keep) >> 12
                y += x + bias[i]
                cut = min(max(y, -LIMIT), LIMIT)
                clips += np.int64(cut != y)
                fires = np.int64(cut > threshold)
                sent[i] += np.int32(fires)
                membrane[i] = cut * (1 - fires)
            overflow[1] += clips
        overflow[0] += wraps
        words = fired[s]
        for i in range(neurons):
            words[i >> 6] |= np.uint64(sent[i] != 0) << np.uint64(i & 63)
        if graded:
            messages[s, :neurons] = sent
        if slot[s] >= 0:
            record[slot[s], :neurons] = v[0]


@njit(nogil=True, cache=True)
def step_levels_plain(
    block, row_of, v, bias, thresholds, dv, shift, tau, fired, neurons, messages, record, slot,
    checked,
):  # fmt: skip
    """As `step_levels` where currents are proved not to wrap; 64 membranes stay in registers.

    Parameters
    ----------
    v
        int32 (levels, neurons filled up to whole words): membranes.
    bias
        int32 (neurons filled up to whole words,).
    thresholds
        int32 (levels,): in membrane units.
    messages
        int8 (steps, neurons filled up to whole words); no rows where there is one level.
    checked
        Whether a membrane could clip.
    others
        As of `kernels.neurons.step_plain`.

    Returns
    -------
    How many membranes clipped.
    """
    clipped = np.int64(0)
    limit, low = spread(LIMIT, WORD), spread(-LIMIT, WORD)
    nothing, one = spread(0, WORD), spread(1, WORD)
    keep, by, halved = spread(4096 - dv, WORD), spread(shift, WORD), spread(_DECAY, WORD)
    graded = messages.shape[0] > 0
    for word in range(fired.shape[1]):
        base = word * WORD
        left = neurons - base
        valid = ALL if left >= WORD else (np.uint64(1) << np.uint64(left)) - np.uint64(1)
        every = load(bias, base, WORD)
        for k in range(v.shape[0]):
            state, level = load(v[k], base, WORD), spread(thresholds[k], WORD)
            for s in range(fired.shape[0]):
                if tau[s] == 0:
                    state = nothing
                if dv != 0:
                    # towards 0, in two parts: a product of 24 and 12 bits does not fit into 32
                    negative = above(nothing, state)
                    size = choose(negative, nothing - state, state)
                    high = size >> halved
                    rest = ((size - (high << halved)) * keep) >> halved
                    size = high * keep + rest
                    state = choose(negative, nothing - size, size)
                state = state + (load(block[row_of[s]], base, WORD) << by) + every
                if checked:
                    over, under = above(state, limit), above(low, state)
                    beyond = (bits(over) | bits(under)) & valid
                    if beyond != NONE:
                        clipped += population_count(beyond)
                        state = choose(over, limit, choose(under, low, state))
                spike = above(state, level)
                state = choose(spike, nothing, state)
                spikes = bits(spike) & valid
                fired[s, word] = spikes if k == 0 else fired[s, word] | spikes
                if graded:
                    sent = choose(spike, one, nothing)
                    if k > 0:
                        sent = sent + load(messages[s], base, WORD)
                    store(messages[s], base, sent)
                if k == 0 and slot[s] >= 0:
                    store(record[slot[s]], base, state)
            store(v[k], base, state)
    return clipped
