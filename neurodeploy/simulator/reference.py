"""The definition of a program's behaviour: `docs/semantics.md` in plain NumPy, kept naive.

Every population is stepped through absolute time, all neurons at every step: this file is the
loop, what one step does is told by the neuron kind (`neurodeploy.program.neurons`). The fast
engine, Lava and recorded silicon are compared with what comes out here.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from neurodeploy.program import INPUT, Connection, Convolution, Dense, Program, Sparse

__all__ = ["Trace", "run", "synaptic_input"]


@dataclass(frozen=True)
class Trace:
    """What happened, by population name; step t of the text is row t - 1.

    Attributes
    ----------
    spikes
        bool (steps, neurons): who sent a message.
    current, membrane
        int32 (steps, neurons), after the step; the membrane after the reset by a spike.
    wrapped, clipped
        How many times a current wrapped and a membrane clipped, over all neurons and steps.
    messages
        int32 (steps, neurons): what was sent, of the populations that send integers.
    """

    spikes: dict[str, np.ndarray]
    current: dict[str, np.ndarray]
    membrane: dict[str, np.ndarray]
    wrapped: dict[str, int]
    clipped: dict[str, int]
    messages: dict[str, np.ndarray] = field(default_factory=dict)


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
    current, membrane, state = {}, {}, {}
    wrapped = dict.fromkeys((p.name for p in program.populations), 0)
    clipped = dict(wrapped)
    for p in program.populations:
        sent[p.name] = np.zeros((steps, p.size), np.int32)
        current[p.name] = np.zeros((steps, p.size), np.int32)
        membrane[p.name] = np.zeros((steps, p.size), np.int32)
        state[p.name] = p.neuron.start(p.size)

    for t in range(1, steps + 1):
        for p in program.populations:
            a = np.zeros(p.size, np.int64)
            for connection in program.incoming(p.name):
                if t - connection.delay >= 1:
                    arrived = sent[connection.source][t - connection.delay - 1]
                    shape = program.shape_of(connection.source)
                    a += synaptic_input(connection, shape, arrived)
            tau = (t - p.phase) % program.clock
            step = p.neuron.step(state[p.name], a, tau, program.period)
            wrapped[p.name] += step.wrapped
            clipped[p.name] += step.clipped
            sent[p.name][t - 1] = step.messages
            current[p.name][t - 1] = state[p.name].get("u", 0)
            membrane[p.name][t - 1] = state[p.name].get("v", 0)
    return Trace(
        spikes={p.name: sent[p.name] != 0 for p in program.populations},
        current=current,
        membrane=membrane,
        wrapped=wrapped,
        clipped=clipped,
        messages={p.name: sent[p.name] for p in program.populations if p.neuron.is_graded},
    )
