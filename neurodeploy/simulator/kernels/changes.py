"""Neuron updates of the kind that sends changes, a block of steps at a time."""

from __future__ import annotations

import numpy as np
from numba import njit

from neurodeploy.simulator.kernels.registers import LIMIT

__all__ = ["DELTA", "SIGMA", "SIGMA_DELTA", "step_sigma_delta"]

SIGMA_DELTA, DELTA, SIGMA = 0, 1, 2


@njit(nogil=True, cache=True)
def step_sigma_delta(
    block, row_of, v, act, residue, sent, bias, threshold, shift, top, process, tau, fired,
    messages, record, slot, overflow,
):  # fmt: skip
    """Updates of `sigma_delta`; `sent` is room for what is sent in one step.

    Parameters
    ----------
    v, act, residue, sent, bias
        int32 (neurons,).
    process
        `SIGMA_DELTA`, `DELTA` or `SIGMA`.
    """
    neurons = v.size
    for s in range(fired.shape[0]):
        if tau[s] == 0:
            v[:] = bias
            act[:] = 0
            residue[:] = 0
        row = block[row_of[s]]
        clipped = np.int64(0)
        # without branches: the compiler makes vector instructions of it
        for i in range(neurons):
            before = np.int64(bias[i]) if process == DELTA else np.int64(v[i])
            y = before + (np.int64(row[i]) >> shift)
            over, under = y > LIMIT, y < -LIMIT
            clipped += np.int64(over) + np.int64(under)
            y = LIMIT if over else (-LIMIT if under else y)
            v[i] = np.int32(y)
            if process == SIGMA_DELTA:
                y = max(y, np.int64(0))
            over, under = y > top, y < -top
            clipped += np.int64(over) + np.int64(under)
            y = top if over else (-top if under else y)
            if process == SIGMA:
                sent[i] = np.int32(y)
            else:
                change = y - np.int64(act[i]) + np.int64(residue[i])
                kept = abs(change) < threshold
                sent[i] = np.int32(0 if kept else change)
                residue[i] = np.int32(change if kept else 0)
                act[i] = np.int32(y)
        overflow[1] += clipped
        messages[s, :neurons] = sent
        for word in range(fired.shape[1]):
            bits, base = np.uint64(0), word << 6
            for k in range(min(64, neurons - base)):
                bits |= np.uint64(sent[base + k] != 0) << np.uint64(k)
            fired[s, word] = bits
        if slot[s] >= 0:
            record[slot[s], :neurons] = v
