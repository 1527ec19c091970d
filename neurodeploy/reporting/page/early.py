"""The output read before its window ends.

Rate code: the readout's membrane after t of T steps is, integer for integer, that of a run of t
steps; one run gives all of them (`simulator.simulation.simulate`, checkpoints).

Time to first spike: an input that arrives as the integer x has been added ``max(0, x - r)`` times
when r steps are left, so the membrane then is ``bias + sum_j w_j max(0, x_j - r)``: the readout of
inputs cut by r. The large ones come first.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from neurodeploy.network.batched import Map, synapse_map
from neurodeploy.program import INPUT, Program
from neurodeploy.program.neurons.closed_form import Quotient

__all__ = ["TimedReadout"]


class TimedReadout:
    """The readout of a time-to-first-spike program, made ready; thread-safe."""

    def __init__(self, program: Program) -> None:
        self.program = program
        readout = program.population(program.decoder.population)
        form = readout.neuron.closed_form(program.period)
        assert isinstance(form, Quotient)
        self._bias = form.bias.astype(np.int64)
        self._arriving: list[tuple[str, Map, int]] = [
            (c.source, synapse_map(c.synapses, program.shape_of(c.source)), c.exponent)
            for c in program.incoming(readout.name)
        ]

    def membranes(
        self, level: np.ndarray, fired: dict[str, np.ndarray], steps: Sequence[int]
    ) -> np.ndarray:
        """Membranes after each of some steps (1..period) of the readout's window.

        Parameters
        ----------
        level
            int32 (n, inputs), from `encoding.levels`.
        fired
            By population, the integers that spikes stand for (`simulator.activity`).

        Returns
        -------
        int64 (steps, n, neurons)
        """
        sent = {**fired, INPUT: level}
        found = np.empty((len(steps), len(level), self._bias.size), np.int64)
        for i, step in enumerate(steps):
            left = self.program.period - step
            found[i] = self._bias
            for source, apply, exponent in self._arriving:
                x = np.maximum(sent[source] - left, 0).astype(np.float32)
                # exact: the closed form holds only where every partial sum is below 2**24
                found[i] += apply(x).astype(np.int64) << exponent
        return found
