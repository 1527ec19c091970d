"""Lava's recording against the simulator's, place by place."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neurodeploy.lava.run import LavaTrace
from neurodeploy.program import Program
from neurodeploy.simulator.reference import Trace

__all__ = ["Comparison", "Mismatch", "compare"]


@dataclass(frozen=True)
class Mismatch:
    """A place where Lava and the simulator differ.

    Attributes
    ----------
    population, neuron, step
        Where and when; neurons count from 0 in C order, steps from 1.
    quantity
        ``spike`` or ``membrane``.
    lava, simulator
        Their values.
    """

    population: str
    neuron: int
    step: int
    quantity: str
    lava: int
    simulator: int

    def __str__(self) -> str:
        return (
            f"step {self.step}, {self.population}, neuron {self.neuron}: "
            f"{self.quantity} {self.lava} on Lava, {self.simulator} in the simulator"
        )


@dataclass(frozen=True)
class Comparison:
    """How much was compared, and how much of it differs.

    Attributes
    ----------
    compared_spikes
        Places (neuron, step) where at least one side fired.
    mismatched_spikes
        Places where only one did.
    compared_membranes, mismatched_membranes
        Membrane values, and how many differ; None if they were not compared.
    first_mismatch
        The earliest; of several at one step the one nearest to the input.
    """

    compared_spikes: int
    mismatched_spikes: int
    compared_membranes: int | None = None
    mismatched_membranes: int | None = None
    first_mismatch: Mismatch | None = None

    @property
    def is_equal(self) -> bool:
        """Whether nothing differs."""
        return self.first_mismatch is None


def compare(program: Program, found: LavaTrace, expected: Trace, membranes: bool) -> Comparison:
    """Compare every spike and, if asked for, every membrane of a whole run.

    Of a population that sends integers the integers are compared: another one is another spike.
    """
    fired = spikes = values = wrong = 0
    firsts: list[Mismatch] = []
    for p in program.order:
        if p.neuron.is_graded:
            ours, lavas = expected.messages[p.name], found.messages[p.name]
        else:
            ours, lavas = expected.spikes[p.name], found.spikes[p.name]
        differ = ours != lavas
        fired += int(np.count_nonzero((ours != 0) | (lavas != 0)))
        spikes += int(np.count_nonzero(differ))
        firsts += _first(p.name, "spike", differ, lavas, ours)
        if membranes:
            ours, lavas = expected.membrane[p.name], found.membrane[p.name]
            differ = ours != lavas
            values += differ.size
            wrong += int(np.count_nonzero(differ))
            firsts += _first(p.name, "membrane", differ, lavas, ours)
    return Comparison(
        compared_spikes=fired,
        mismatched_spikes=spikes,
        compared_membranes=values if membranes else None,
        mismatched_membranes=wrong if membranes else None,
        # min keeps the first of equals: populations come sources first
        first_mismatch=min(firsts, key=lambda m: m.step, default=None),
    )


def _first(
    name: str, quantity: str, differ: np.ndarray, lavas: np.ndarray, ours: np.ndarray
) -> list[Mismatch]:
    """The earliest difference in one population, if any."""
    rows = differ.any(1)
    if not rows.any():
        return []
    row = int(rows.argmax())
    neuron = int(differ[row].argmax())
    return [
        Mismatch(name, neuron, row + 1, quantity, int(lavas[row, neuron]), int(ours[row, neuron]))
    ]
