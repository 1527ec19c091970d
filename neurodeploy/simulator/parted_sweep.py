"""The closed form of programs whose sums are divided over helpers (`program.partial_sums`)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from neurodeploy.program import INPUT, Program
from neurodeploy.program.partial_sums import helped, joined
from neurodeploy.program.window_codes import WindowCode
from neurodeploy.simulator.closed_form import Swept
from neurodeploy.simulator.currents import Sent
from neurodeploy.simulator.engine import Engine
from neurodeploy.simulator.preparing import best_sweep

__all__ = ["PartedSweep"]

#: Integers of all neurons that are kept at once: 64 MiB.
_KEPT = 1 << 24


class PartedSweep:
    """A sweep of the program without helpers; these are stepped, for what they send alone.

    Their sums are added up whoever adds them, so membranes and integers need no helpers. How many
    messages they send does: a sum at a step may be 0.
    """

    #: See `Sweep.is_guarded`: the sweep inside guards itself.
    is_guarded = False

    def __init__(self, program: Program) -> None:
        self._program, self._whole = program, joined(program)
        self._sweep = best_sweep(self._whole)
        self._engine = Engine(program)
        there = {p.name for p in self._whole.populations}
        self._ways = [way for way in helped(program) if way.helpers.name not in there]
        self._layers = {la.population.name: la for la in self._engine.plan.layers}
        neurons = sum(p.size for p in self._whole.populations)
        self._samples = max(1, _KEPT // neurons)

    def run(self, level: np.ndarray, every: bool = False) -> Swept:
        """See `Sweep.run`; helpers say no integers, so `every` is not for them."""
        parts = range(0, len(level), self._samples)
        return Swept.join([self._run(level[k : k + self._samples], every) for k in parts])

    def _run(self, level: np.ndarray, every: bool) -> Swept:
        swept = self._sweep.run(level, True)
        program = self._program
        spikes = dict(swept.spikes)
        numbers = {id(c): k for k, c in enumerate(program.connections)}
        sent: dict[int, np.ndarray] = {}
        for way in self._ways:
            count = self._messages(way.helpers.name, way.arriving.source, level, swept)
            spikes[way.helpers.name] = count
            sent[numbers[id(way.leaving)]] = count
        operations = iter(swept.operations)
        return replace(
            swept,
            spikes={p.name: spikes[p.name] for p in program.populations},
            operations=[
                sent[k] if k in sent else next(operations) for k in range(len(program.connections))
            ],
            fired=swept.fired if every else {},
        )

    def _messages(self, name: str, source: str, level: np.ndarray, swept: Swept) -> np.ndarray:
        """How many messages a population of helpers sends, int64 (n,)."""
        said = level if source == INPUT else swept.fired[source]
        code, period = self._program.window_code(source), self._program.period
        assert isinstance(code, WindowCode)  # else there were no closed form
        found = np.zeros(len(said), np.int64)
        for k, integers in enumerate(said):
            rows = np.stack([code.messages(integers, tau, period) for tau in range(period)])
            events: Sent = {source: self._engine.events(source, rows)}
            found[k] = self._engine.run_layer(self._layers[name], events).start[-1]
        return found
