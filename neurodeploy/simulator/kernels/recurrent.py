"""Integrate-and-fire populations on cycles, stepped together in time."""

from __future__ import annotations

import numpy as np
from numba import njit

from neurodeploy.simulator.kernels.neurons import RESET_NONE, RESET_SUBTRACT
from neurodeploy.simulator.kernels.registers import LIMIT, WRAP

__all__ = ["step_recurrent"]


@njit(nogil=True, cache=True, inline="always")
def _decay(x, keep):
    """Decay of a state in place; 4096: it stays, 0: nothing of it does."""
    if keep == 0:
        x[:] = 0
    elif keep != 4096:
        for i in range(x.size):
            x[i] = -((-x[i] * keep) >> 12) if x[i] < 0 else (x[i] * keep) >> 12


@njit(nogil=True, cache=True)
def step_recurrent(
    currents, tau, age, offset, parameters, bias, u, v, ends, where, weights, inner, index, count,
    fired, counted, overflow, record, slot,
):  # fmt: skip
    """All steps of the populations of a cycle, one after the other.

    Neurons of all populations stand in a row, those of population p from ``offset[p]`` to
    ``offset[p + 1]``. A step takes, for each population: what arrives from outside
    (`currents`), what its connections from inside bring, the update of `lif`. Each is a pass over
    the neurons, so that vectors serve.

    Parameters
    ----------
    currents
        int64 (steps, neurons): from outside.
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
        int16 or int32, weights shifted by the exponent.
    inner
        int32 or int64 (neurons,): room for what arrives from inside, wide enough for any sum.
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
        c = 0
        for p in range(populations):
            first, last = offset[p], offset[p + 1]
            size = last - first
            arrived = inner[first:last]
            arrived[:] = 0
            while c < ends.shape[0] and ends[c, 1] == p:
                source, late = ends[c, 0], ends[c, 2]
                if late <= age[s]:
                    then = (s - late) % slots
                    spikes = index[then, offset[source] : offset[source] + count[then, source]]
                    for k in range(spikes.size):
                        begin = where[c] + np.int64(spikes[k]) * size
                        line = weights[begin : begin + size]
                        for i in range(size):
                            arrived[i] += line[i]
                c += 1
            shift, threshold = parameters[p, 2], parameters[p, 3]
            mode, loud = parameters[p, 4], parameters[p, 6]
            x, y, b, outside = (
                u[first:last],
                v[first:last],
                bias[first:last],
                currents[s, first:last],
            )
            if tau[p, s] == 0:
                x[:] = 0
                y[:] = parameters[p, 5]
            _decay(x, 4095 - parameters[p, 0])
            _decay(y, 4096 - parameters[p, 1])
            wraps, clips = 0, 0
            for i in range(size):
                z = x[i] + ((outside[i] + arrived[i]) << shift)
                above, below = np.int64(z > WRAP), np.int64(z <= -WRAP)
                z += 2 * WRAP * (below - above)
                wraps += above + below
                x[i] = z
                z += y[i] + b[i]
                cut = min(max(z, -LIMIT), LIMIT)
                clips += np.int64(cut != z)
                y[i] = cut
            found = 0
            if mode != RESET_NONE and tau[p, s] < loud:
                for i in range(size):
                    if y[i] > threshold:
                        fired[s, first + i] = 1
                        index[now, first + found] = i
                        found += 1
                        y[i] = y[i] - threshold if mode == RESET_SUBTRACT else np.int64(0)
            count[now, p] = found
            if slot[p, s] >= 0:
                record[slot[p, s], first:last] = y
            if counted[p, 0] <= s < counted[p, 1]:
                overflow[p, 0] += wraps
                overflow[p, 1] += clips
