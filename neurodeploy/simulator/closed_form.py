"""Time-to-first-spike programs without stepping: each window's integers in closed form.

What a `ttfs` population adds up to is ``bias + sum_j w_j x_j`` and what it fires is
``clip(floor((v + slope // 2) / slope), 0, W)`` (docs/semantics.md, section 4), so a sample is one
sweep through the layers. Two ways, equal bit for bit:

- `DenseSweep`: ONNX Runtime in float32. Every product and partial sum is an integer below 2**24
  (proved from the weights), which float32 holds exactly in whatever order it is summed.
- `EventSweep`: each spike adds its row of weights times its integer. For what ONNX Runtime cannot
  express, and where it is not installed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod
from typing import Protocol

import numpy as np

from neurodeploy.errors import ProgramError
from neurodeploy.program import INPUT, Program
from neurodeploy.program.bounds import bounds
from neurodeploy.program.neurons.closed_form import Maximum, Quotient
from neurodeploy.simulator.plan import Layer, Plan

__all__ = [
    "EventSweep",
    "Sweep",
    "Swept",
    "is_by_sample",
    "is_closed_form",
    "is_time_coded",
    "obstacle",
]


@dataclass(frozen=True)
class Swept:
    """Integers of some samples.

    Attributes
    ----------
    membrane
        int64 (n, neurons): the decoder's population at the end of its window.
    spikes
        int64 (n,) by population.
    operations
        int64 (n,) for each connection, in program order.
    fired
        int32 (n, neurons) by population: the integer that each neuron's spike stands for, 0 for
        none. Empty unless asked for.
    """

    membrane: np.ndarray
    spikes: dict[str, np.ndarray]
    operations: list[np.ndarray]
    fired: dict[str, np.ndarray] = field(default_factory=dict)


class Sweep(Protocol):
    """A way through the layers."""

    def run(self, level: np.ndarray, every: bool = False) -> Swept:
        """Sweep samples, int32 (n, inputs) of `encoding.levels`; `every`: fill `Swept.fired`."""


def is_by_sample(program: Program) -> bool:
    """Whether each sample can be run alone: no window mixes samples or begins before step 1."""
    return program.is_aligned and all(p.phase >= 1 for p in program.populations)


def is_time_coded(program: Program) -> bool:
    """Whether every message is a time: each neuron, and the input, fires once a window at most."""
    return program.is_time_coded


def is_closed_form(program: Program) -> bool:
    """Whether the closed form equals the stepped neurons, by proof (see `obstacle`)."""
    kept = program.__dict__.setdefault("_obstacle", [])
    if not kept:
        kept.append(obstacle(program))
    return kept[0] is None


def obstacle(program: Program) -> tuple[str, str] | None:
    """What keeps the closed form from being exact: what and where; None where it is exact.

    The conditions, all of them needed:

    1. Every message is a time, and every kind has a closed form.
    2. Windows see one sample each (the program is aligned), and none begins before the first step.
    3. Nothing overflows, by proof: currents do not wrap and membranes do not clip.

    No condition: populations that never fire (they send 0), neurons that nothing reaches (they
    hold their bias), several connections and negative weights into `earliest` (it fires with the
    largest integer whose summed weights are positive), `earliest` as the decoder's (it holds 0).
    """
    if not is_time_coded(program):
        return "messages that are no times", ""
    for p in program.populations:
        if p.neuron.closed_form(program.period) is None:
            return f"neurons of the kind {p.neuron.kind!r} that have to be stepped", p.name
    if not is_by_sample(program):
        return "the phases mix neighbouring samples", ""
    for name, proof in bounds(program).items():
        if not (proof.cannot_wrap and proof.cannot_clip):
            return f"membrane in 24 bit: it may reach {proof.membrane}", name
    return None


def check(program: Program) -> None:
    """Refuse a program whose closed form is not exact.

    Raises
    ------
    ProgramError
        See `obstacle`.
    """
    found = obstacle(program)
    if found is not None:
        raise ProgramError(f"{found[0]}, so the closed form does not hold", place=found[1])


class EventSweep:
    """Spike by spike, in the engine's scatter kernels."""

    def __init__(self, program: Program) -> None:
        check(program)
        self.program = program
        self.plan = Plan(program)

    def run(self, level: np.ndarray, every: bool = False) -> Swept:
        """See `Sweep.run`."""
        program = self.program
        forms = {p.name: p.neuron.closed_form(program.period) for p in program.populations}
        spikes = {p.name: np.zeros(len(level), np.int64) for p in program.populations}
        operations = [np.zeros(len(level), np.int64) for _ in program.connections]
        decoder = program.population(program.decoder.population)
        membrane = np.zeros((len(level), decoder.size), np.int64)
        kept = {
            p.name: np.zeros((len(level), p.size), np.int32) for p in program.populations if every
        }
        start = np.zeros(2, np.int64)
        for k, row in enumerate(level):
            fired = {INPUT: row[self.plan.input_order].astype(np.int32)}
            for layer in self.plan.layers:
                p = layer.population
                form = forms[p.name]
                if isinstance(form, Maximum):
                    fired[p.name] = self._maximum(layer, fired)
                total = np.zeros((1, p.size), np.int32)
                for arrival in layer.arrivals:
                    x = fired[arrival.connection.source]
                    index = np.flatnonzero(x).astype(np.int32)
                    value = x[index]
                    operations[arrival.number][k] = arrival.fan_out[index].sum()
                    if isinstance(form, Maximum):
                        continue
                    start[1] = index.size
                    way = arrival.scatter
                    way.kernel(total, 0, index, start, value, *way.arguments)
                if isinstance(form, Quotient):
                    v = total[0].astype(np.int64) + form.bias[layer.order]
                    if p.name == decoder.name:
                        membrane[k, layer.order] = v
                    fired[p.name] = form.send(v).astype(np.int32)
                spikes[p.name][k] = np.count_nonzero(fired[p.name])
                if every:
                    kept[p.name][k, layer.order] = fired[p.name]
        return Swept(membrane, spikes, operations, kept)

    @staticmethod
    def _maximum(layer: Layer, fired: dict[str, np.ndarray]) -> np.ndarray:
        """Largest integer at which the summed weights of an `earliest` neuron are positive.

        The messages of each integer, smallest first: they come together, from all connections.
        """
        found = np.zeros(layer.order.size, np.int32)
        sent = {a.connection.source: fired[a.connection.source] for a in layer.arrivals}
        for x in np.unique(np.concatenate([*sent.values(), np.zeros(1, np.int32)])):
            if x == 0:
                continue
            arrived: np.ndarray = np.zeros((1, found.size), layer.dtype)
            for arrival in layer.arrivals:
                chosen = np.flatnonzero(sent[arrival.connection.source] == x).astype(np.int32)
                start = np.array([0, chosen.size], np.int64)
                way = arrival.scatter
                way.kernel(arrived, 0, chosen, start, np.zeros(0, np.int32), *way.arguments)
            found[arrived[0] > 0] = x
        return found


def fan_out_by_position(program: Program, source: str, fan_out: np.ndarray) -> np.ndarray | None:
    """Fan-out of each position of a (C, H, W) population if all channels share it, else None."""
    shape = program.shape_of(source)
    if len(shape) != 3:
        return fan_out
    table = fan_out.reshape(shape[0], prod(shape[1:]))
    return table[0] if (table == table[0]).all() else None
