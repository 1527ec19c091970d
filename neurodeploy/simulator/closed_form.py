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
from neurodeploy.program import INPUT, Earliest, Lif, Program, Ttfs
from neurodeploy.program.bounds import bounds
from neurodeploy.simulator.plan import Arrival, Plan

__all__ = ["EventSweep", "Sweep", "Swept", "is_closed_form"]


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


def is_closed_form(program: Program) -> bool:
    """Whether the program is time-to-first-spike from the input to the readout."""
    return program.encoder.encoding == "ttfs" and not any(
        isinstance(p.neuron, Lif) for p in program.populations
    )


def check(program: Program) -> None:
    """The closed form holds only where nothing overflows.

    Raises
    ------
    ProgramError
        A population that could leave 24 bit, or whose window mixes samples.
    """
    if not program.is_aligned:
        raise ProgramError("the phases mix neighbouring samples")
    for name, proof in bounds(program).items():
        if not (proof.cannot_wrap and proof.cannot_clip):
            raise ProgramError(
                f"membrane in 24 bit: it may reach {proof.membrane}, so the closed form does "
                "not hold",
                place=name,
                remedy="compile with fewer --steps",
            )


class EventSweep:
    """Spike by spike, in the engine's scatter kernels."""

    def __init__(self, program: Program) -> None:
        check(program)
        self.program = program
        self.plan = Plan(program)

    def run(self, level: np.ndarray, every: bool = False) -> Swept:
        """See `Sweep.run`."""
        program, window = self.program, self.program.period
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
                total = np.zeros((1, p.size), np.int32)
                for arrival in layer.arrivals:
                    x = fired[arrival.connection.source]
                    index = np.flatnonzero(x).astype(np.int32)
                    value = x[index]
                    operations[arrival.number][k] = arrival.fan_out[index].sum()
                    if isinstance(p.neuron, Earliest):
                        self._maximum(arrival, index, value, total[0])
                        continue
                    start[1] = index.size
                    way = arrival.scatter
                    way.kernel(total, 0, index, start, value, *way.arguments)
                if isinstance(p.neuron, Earliest):
                    fired[p.name] = total[0]
                else:
                    assert isinstance(p.neuron, Ttfs)
                    v = total[0].astype(np.int64) + p.neuron.bias[layer.order]
                    if p.name == decoder.name:
                        membrane[k, layer.order] = v
                    x = (v + (p.neuron.slope >> 1)) // p.neuron.slope
                    x = np.clip(x, 0, window) if p.neuron.fires else np.zeros_like(x)
                    fired[p.name] = x.astype(np.int32)
                spikes[p.name][k] = np.count_nonzero(fired[p.name])
                if every:
                    kept[p.name][k, layer.order] = fired[p.name]
        return Swept(membrane, spikes, operations, kept)

    @staticmethod
    def _maximum(arrival: Arrival, index: np.ndarray, value: np.ndarray, total: np.ndarray) -> None:
        """Largest input of each target: targets of each level in turn, smallest first."""
        for x in np.unique(value):
            chosen = index[value == x]
            reached = np.zeros((1, total.size), np.int32)
            start = np.array([0, chosen.size], np.int64)
            way = arrival.scatter
            way.kernel(reached, 0, chosen, start, np.zeros(0, np.int32), *way.arguments)
            total[reached[0] > 0] = x


def fan_out_by_position(program: Program, source: str, fan_out: np.ndarray) -> np.ndarray | None:
    """Fan-out of each position of a (C, H, W) population if all channels share it, else None."""
    shape = program.shape_of(source)
    if len(shape) != 3:
        return fan_out
    table = fan_out.reshape(shape[0], prod(shape[1:]))
    return table[0] if (table == table[0]).all() else None
