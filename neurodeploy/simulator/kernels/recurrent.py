"""Integrate-and-fire populations on cycles, stepped together in time."""

from __future__ import annotations

import numpy as np
from numba import njit

from neurodeploy.simulator.kernels.neurons import RESET_NONE, RESET_SUBTRACT

__all__ = ["step_recurrent"]

_LIMIT = np.int64(2**23 - 1)
_WRAP = np.int64(2**23)


@njit(nogil=True, cache=True)
def step_recurrent(
    currents, tau, age, offset, parameters, bias, u, v, ends, where, weights, index, count, fired,
    counted, overflow, record, slot,
):  # fmt: skip
    """All steps of the populations of a cycle, one after the other.

    Neurons of all populations stand in a row, those of population p from ``offset[p]`` to
    ``offset[p + 1]``. A step takes, for each population: what arrives from outside
    (`currents`), what its connections from inside bring, the update of `lif`.

    Parameters
    ----------
    currents
        int64 (steps, neurons): from outside. Overwritten.
    tau
        int64 (populations, steps): steps since the window began.
    age
        int64 (steps,): steps since messages count, a message older than that is none.
    parameters
        int64 (populations, 7): du, dv, shift, threshold in membrane units, reset mode, initial
        membrane, steps of a window in which it may fire.
    bias, u, v
        int64 (neurons,).
    ends
        int64 (connections, 3): source, target, steps under way; by target.
    where
        int64 (connections,): where the connection's weights begin; a row a source neuron.
    weights
        int32, weights shifted by the exponent.
    index, count
        int32 (slots, neurons) and int64 (slots, populations): who fired in the last steps.
    fired
        uint8 (steps, neurons): takes 1 for each spike.
    counted
        int64 (populations, 2): rows (from, to) whose overflows count.
    overflow
        int64 (populations, 2): wraps and clips are added.
    record, slot
        int32 (any, neurons), and int64 (populations, steps): the row that takes the membranes.
    """
    populations, slots = parameters.shape[0], index.shape[0]
    for s in range(tau.shape[1]):
        now = s % slots
        row = currents[s]
        c = 0
        for p in range(populations):
            first, last = offset[p], offset[p + 1]
            while c < ends.shape[0] and ends[c, 1] == p:
                source, late = ends[c, 0], ends[c, 2]
                if late <= age[s]:
                    then = (s - late) % slots
                    size = last - first
                    start = offset[source]
                    target = row[first:last]
                    for k in range(count[then, source]):
                        begin = where[c] + np.int64(index[then, start + k]) * size
                        line = weights[begin : begin + size]
                        for i in range(size):
                            target[i] += line[i]
                c += 1
            keep_u = np.int64(4096 - (parameters[p, 0] + 1))
            keep_v = np.int64(4096 - parameters[p, 1])
            shift, threshold = parameters[p, 2], parameters[p, 3]
            mode, v_initial, loud = parameters[p, 4], parameters[p, 5], parameters[p, 6]
            at = tau[p, s]
            may = mode != RESET_NONE and at < loud
            found, wraps, clips = 0, 0, 0
            for i in range(first, last):
                if at == 0:
                    x, y = np.int64(0), v_initial
                else:
                    x, y = u[i], v[i]
                x = -((-x * keep_u) >> 12) if x < 0 else (x * keep_u) >> 12
                x += row[i] << shift
                if x > _WRAP:
                    x -= 2 * _WRAP
                    wraps += 1
                elif x <= -_WRAP:
                    x += 2 * _WRAP
                    wraps += 1
                u[i] = x
                y = -((-y * keep_v) >> 12) if y < 0 else (y * keep_v) >> 12
                y += x + bias[i]
                if y > _LIMIT:
                    y = _LIMIT
                    clips += 1
                elif y < -_LIMIT:
                    y = -_LIMIT
                    clips += 1
                if may and y > threshold:
                    fired[s, i] = 1
                    index[now, first + found] = i - first
                    found += 1
                    y = y - threshold if mode == RESET_SUBTRACT else np.int64(0)
                v[i] = y
                if slot[p, s] >= 0:
                    record[slot[p, s], i] = y
            count[now, p] = found
            if counted[p, 0] <= s < counted[p, 1]:
                overflow[p, 0] += wraps
                overflow[p, 1] += clips
