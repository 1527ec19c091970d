"""A closed form where not all is proved: samples that may have clipped are stepped."""

from __future__ import annotations

import numpy as np

from neurodeploy.program import Program
from neurodeploy.program.neurons.closed_form import Quotient
from neurodeploy.simulator.closed_form import Sweep, Swept
from neurodeploy.simulator.engine import Engine
from neurodeploy.simulator.run import Run

__all__ = ["GuardedSweep"]


class GuardedSweep:
    """A sweep, and an engine for the samples of which it cannot tell that nothing clipped."""

    def __init__(self, sweep: Sweep, program: Program) -> None:
        self._sweep, self._program = sweep, program
        self._engine: Engine | None = None

    #: What may exceed is stepped.
    is_guarded = False

    def run(self, level: np.ndarray, every: bool = False) -> Swept:
        """See `Sweep.run`."""
        swept = self._sweep.run(level, every)
        if not swept.exceeded.any():
            return swept
        if self._engine is None:
            self._engine = Engine(self._program)
        program, names = self._program, [p.name for p in self._program.populations]
        clipped = dict.fromkeys(names, 0)
        for k in np.flatnonzero(swept.exceeded):
            run = self._engine.run_samples(
                level[k : k + 1],
                keep=(program.period - 1,),
                messages=names if every else (program.decoder.population,),
            )
            swept.membrane[k] = self._membrane(run)
            for row, count in zip(swept.operations, run.operations, strict=True):
                row[k] = count[0]
            for name in names:
                swept.spikes[name][k] = run.spikes[name][0]
                clipped[name] += run.clipped[name]
                if every:
                    code = program.window_code(name)
                    assert code is not None  # a closed form is of window codes only
                    said = code.integers(run.messages[name], program.period)
                    swept.fired[name][k] = said[0]
        return Swept(swept.membrane, swept.spikes, swept.operations, swept.fired, clipped=clipped)

    def _membrane(self, run: Run) -> np.ndarray:
        """What the decoder reads; of messages the sum that is sent as they are."""
        decoder = self._program.decoder
        if not decoder.code.adds_up:
            return run.membranes[decoder.population][0, 0]
        form = self._program.population(decoder.population).neuron.closed_form(self._program.period)
        assert isinstance(form, Quotient)  # else there were no closed form to read
        sums: np.ndarray = run.messages[decoder.population][0].astype(np.int64).sum(0) * form.slope
        return sums
