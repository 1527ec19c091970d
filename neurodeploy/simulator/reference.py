"""The definition of a program's behaviour: `docs/semantics.md` in plain NumPy, kept naive.

Every population is stepped through absolute time, all neurons at every step. The fast
engine, Lava and recorded silicon are compared with what this file computes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neurodeploy.program import (
    INPUT,
    Connection,
    Convolution,
    Dense,
    Earliest,
    Lif,
    Population,
    Program,
    Sparse,
    Ttfs,
)
from neurodeploy.program.neuron import CURRENT_LIMIT, MEMBRANE_LIMIT

__all__ = ["Trace", "decay", "lif_step", "run", "synaptic_input", "wrap24"]


@dataclass(frozen=True)
class Trace:
    """What happened, by population name; step t of the text is row t - 1.

    Attributes
    ----------
    spikes
        bool (steps, neurons).
    current, membrane
        int32 (steps, neurons), after the step; the membrane after the reset by a spike.
    wrapped, clipped
        How many times a current wrapped and a membrane clipped, over all neurons and steps.
    """

    spikes: dict[str, np.ndarray]
    current: dict[str, np.ndarray]
    membrane: dict[str, np.ndarray]
    wrapped: dict[str, int]
    clipped: dict[str, int]


def decay(state: np.ndarray, rate: int) -> np.ndarray:
    """``sign(x) * ((|x| * (4096 - rate)) >> 12)``, int64."""
    state = state.astype(np.int64)
    return np.sign(state) * ((np.abs(state) * (4096 - rate)) >> 12)


def wrap24(x: np.ndarray) -> tuple[np.ndarray, int]:
    """Values above 2**23 lose 2**24, values at or below -2**23 gain it; and how many did."""
    above, below = x > CURRENT_LIMIT, x <= -CURRENT_LIMIT
    wrapped = x - 2 * CURRENT_LIMIT * above + 2 * CURRENT_LIMIT * below
    return wrapped, int(above.sum() + below.sum())


def lif_step(
    neuron: Lif, u: np.ndarray, v: np.ndarray, a: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, int, int]:
    """One step of the neuron; state and input int64 (n,).

    Returns
    -------
    (u, v, spikes, currents that wrapped, membranes that clipped)
    """
    u, wrapped = wrap24(decay(u, neuron.du + 1) + (a << neuron.shift))
    free = decay(v, neuron.dv) + u + neuron.bias
    v = np.clip(free, -MEMBRANE_LIMIT, MEMBRANE_LIMIT)
    clipped = int((free != v).sum())
    if neuron.reset == "none":
        spikes = np.zeros(v.shape, bool)
    else:
        spikes = v > neuron.threshold << neuron.shift
    if neuron.reset == "zero":
        v = np.where(spikes, 0, v)
    else:
        v = v - spikes * (neuron.threshold << neuron.shift)
    return u, v, spikes, wrapped, clipped


@dataclass
class _State:
    """Of one population; what a kind does not have stays zero."""

    u: np.ndarray
    v: np.ndarray
    held: np.ndarray
    done: np.ndarray


def _step(
    p: Population, state: _State, a: np.ndarray, tau: int, period: int
) -> tuple[np.ndarray, int, int]:
    """One step of a population, `tau` steps into its window; (spikes, wrapped, clipped)."""
    neuron = p.neuron
    if isinstance(neuron, Lif):
        if tau == 0:
            state.u = np.zeros(p.size, np.int64)
            state.v = np.full(p.size, neuron.v_initial, np.int64)
        state.u, state.v, spikes, wrapped, clipped = lif_step(neuron, state.u, state.v, a)
        return spikes, wrapped, clipped
    if isinstance(neuron, Earliest):
        if tau == 0:
            state.done = np.zeros(p.size, bool)
        spikes = ~state.done & (a > 0)
        state.done = state.done | spikes
        return spikes, 0, 0
    return _ttfs_step(neuron, state, a, tau, period)


def _ttfs_step(
    neuron: Ttfs, state: _State, a: np.ndarray, tau: int, period: int
) -> tuple[np.ndarray, int, int]:
    """Double-buffered: integrates this window, fires what the last one added up to."""
    if tau == 0:
        state.held = state.v
        state.done = np.zeros(a.size, bool)
        state.u = np.zeros(a.size, np.int64)
        state.v = neuron.bias.astype(np.int64)
    state.u, wrapped = wrap24(state.u + a)
    free = state.v + state.u
    state.v = np.clip(free, -MEMBRANE_LIMIT, MEMBRANE_LIMIT)
    clipped = int((free != state.v).sum())
    level = neuron.slope * (period - tau) - (neuron.slope >> 1)
    spikes = ~state.done & (state.held >= level) & neuron.fires
    state.done = state.done | spikes
    return spikes, wrapped, clipped


def synaptic_input(
    connection: Connection, source_shape: tuple[int, ...], messages: np.ndarray
) -> np.ndarray:
    """What one step's messages bring to the target: int64 (targets,).

    Parameters
    ----------
    messages
        Integers (sources,); a connection that is not graded sees only zero or not zero.
    """
    x = messages.astype(np.int64)
    if not connection.graded:
        x = (x != 0).astype(np.int64)
    synapses = connection.synapses
    if isinstance(synapses, Dense):
        total = synapses.weights.astype(np.int64) @ x
    elif isinstance(synapses, Sparse):
        total = np.zeros(synapses.row_starts.size - 1, np.int64)
        rows = np.repeat(np.arange(total.size), np.diff(synapses.row_starts))
        np.add.at(total, rows, synapses.weights.astype(np.int64) * x[synapses.columns])
    else:
        total = _correlate(synapses, x.reshape(source_shape)).reshape(-1)
    return total << connection.exponent


def _correlate(synapses: Convolution, image: np.ndarray) -> np.ndarray:
    """ONNX ``Conv`` on one (C, H, W) image, one kernel tap at a time."""
    weights = synapses.weights.astype(np.int64)
    channels, height, width = synapses.output_shape(image.shape)
    top, left, bottom, right = synapses.padding
    (down, across), (rows, columns) = synapses.stride, synapses.dilation
    padded = np.pad(image, ((0, 0), (top, bottom), (left, right)))
    out = np.zeros((channels, height, width), np.int64)
    per_group_out = channels // synapses.groups
    per_group_in = weights.shape[1]
    for group in range(synapses.groups):
        into = slice(group * per_group_out, (group + 1) * per_group_out)
        part = padded[group * per_group_in : (group + 1) * per_group_in]
        for y in range(weights.shape[2]):
            for x in range(weights.shape[3]):
                window = part[
                    :,
                    y * rows : y * rows + (height - 1) * down + 1 : down,
                    x * columns : x * columns + (width - 1) * across + 1 : across,
                ]
                out[into] += np.einsum("oi,ihw->ohw", weights[into, :, y, x], window)
    return out


def run(program: Program, messages: np.ndarray) -> Trace:
    """Step the whole program through absolute time.

    Parameters
    ----------
    messages
        Integers (steps, inputs): what the input population sends at each step.

    Returns
    -------
    Trace of every population at every step.
    """
    steps = messages.shape[0]
    sent = {INPUT: messages}
    spikes, current, membrane = {}, {}, {}
    wrapped = dict.fromkeys((p.name for p in program.populations), 0)
    clipped = dict(wrapped)
    state = {}
    for p in program.populations:
        spikes[p.name] = sent[p.name] = np.zeros((steps, p.size), bool)
        current[p.name] = np.zeros((steps, p.size), np.int32)
        membrane[p.name] = np.zeros((steps, p.size), np.int32)
        zero = np.zeros(p.size, np.int64)
        state[p.name] = _State(zero, zero, zero, zero.astype(bool))

    for t in range(1, steps + 1):
        for p in program.populations:
            a = np.zeros(p.size, np.int64)
            for connection in program.incoming(p.name):
                if t - connection.delay >= 1:
                    arrived = sent[connection.source][t - connection.delay - 1]
                    shape = program.shape_of(connection.source)
                    a += synaptic_input(connection, shape, arrived)
            tau = (t - p.phase) % program.period
            fired, w, c = _step(p, state[p.name], a, tau, program.period)
            wrapped[p.name] += w
            clipped[p.name] += c
            spikes[p.name][t - 1] = fired
            current[p.name][t - 1] = state[p.name].u
            membrane[p.name][t - 1] = state[p.name].v
    return Trace(spikes, current, membrane, wrapped, clipped)
