"""Neuron updates of `levels`, a block of steps at a time."""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["step_levels"]

_LIMIT = np.int64(2**23 - 1)
_WRAP = np.int64(2**23)


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
                above, below = np.int64(x > _WRAP), np.int64(x <= -_WRAP)
                x += 2 * _WRAP * (below - above)
                wraps += above + below
                y = membrane[i]
                y = -((-y * keep) >> 12) if y < 0 else (y * keep) >> 12
                y += x + bias[i]
                cut = min(max(y, -_LIMIT), _LIMIT)
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
