"""The output read before its window ends.

Rate code: the readout's membrane after t of T steps is, integer for integer, that of a run of t
steps; one run gives all of them (`simulator.simulation.simulate`, checkpoints).

Window codes in closed form: the readout of what has arrived by then (`WindowCode.arrived`). Of a
time code an input x has been added ``max(0, x - r)`` times when r steps are left; of digits the
highest ones have come. All others: the membrane at that step, as it foretells the last one
(`Neuron.foretold`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from neurodeploy.network.batched import Map, synapse_map
from neurodeploy.program import INPUT, Program
from neurodeploy.program.neurons.closed_form import Quotient
from neurodeploy.simulator.closed_form import is_closed_form
from neurodeploy.simulator.engine import Engine
from neurodeploy.simulator.preparing import prepared

__all__ = ["EarlyReadout"]


class EarlyReadout:
    """The readout of a program of a window code, made ready; thread-safe."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._readout = program.population(program.decoder.population)
        self._arriving: list[tuple[str, Map, int]] = [
            (c.source, synapse_map(c.synapses, program.shape_of(c.source)), c.exponent)
            for c in program.incoming(self._readout.name)
        ]

    def membranes(
        self,
        level: np.ndarray,
        first_index: int,
        fired: dict[str, np.ndarray],
        steps: Sequence[int],
    ) -> np.ndarray:
        """Membranes after each of some steps (1..period) of the readout's window.

        Parameters
        ----------
        level
            int32 (n, inputs), from `encoding.levels`.
        first_index
            Index of the first sample in its data set.
        fired
            By population, the integers that messages stand for (`simulator.activity`).

        Returns
        -------
        int64 (steps, n, neurons)
        """
        program, period, readout = self.program, self.program.period, self._readout
        form = readout.neuron.closed_form(period)
        if not is_closed_form(program) or not isinstance(form, Quotient):
            run = prepared(program, Engine).run_samples(
                level, first_index, keep=[step - 1 for step in steps]
            )
            seen = run.membranes[readout.name].astype(np.int64)
            return np.stack(
                [readout.neuron.foretold(seen[:, i], s, period) for i, s in enumerate(steps)]
            )
        sent = {**fired, INPUT: level}
        found = np.empty((len(steps), len(level), readout.size), np.int64)
        for i, step in enumerate(steps):
            found[i] = form.bias
            for source, apply, exponent in self._arriving:
                code = program.window_code(source)
                assert code is not None  # it is in closed form
                x = code.arrived(sent[source], step, period).astype(np.float32)
                # exact: the closed form holds only where every partial sum is below 2**24
                found[i] += apply(x).astype(np.int64) << exponent
        return found
