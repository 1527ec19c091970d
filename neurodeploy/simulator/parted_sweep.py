"""The closed form of programs whose sums are divided over helpers (`program.partial_sums`)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from scipy import sparse

from neurodeploy.program import INPUT, Convolution, Program, Synapses
from neurodeploy.program.partial_sums import Helped, helped, joined
from neurodeploy.program.triplets import triplets
from neurodeploy.program.window_codes import WindowCode
from neurodeploy.simulator.closed_form import Swept
from neurodeploy.simulator.preparing import best_sweep

__all__ = ["PartedSweep"]

#: Integers of all neurons that are kept at once: 64 MiB.
_KEPT = 1 << 24

Shape = tuple[int, ...]


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
        there = {p.name for p in self._whole.populations}
        self._ways = [way for way in helped(program) if way.helpers.name not in there]
        self._matrices = {
            way.helpers.name: _listed(way.arriving.synapses, program.shape_of(way.arriving.source))
            for way in self._ways
        }
        largest = max(
            [sum(p.size for p in self._whole.populations)]
            + [program.period * way.helpers.size for way in self._ways]
        )
        self._samples = max(1, _KEPT // largest)

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
            source = way.arriving.source
            count = self._messages(way, level if source == INPUT else swept.fired[source])
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

    def _messages(self, way: Helped, said: np.ndarray) -> np.ndarray:
        """How many messages helpers send for integers (n, sources): int64 (n,)."""
        code, period = self._program.window_code(way.arriving.source), self._program.period
        assert isinstance(code, WindowCode)  # else there were no closed form
        found = np.zeros(len(said), np.int64)
        listed = self._matrices[way.helpers.name]
        if listed is not None:
            for tau in range(period):
                sums = listed @ code.messages(said, tau, period).T.astype(np.int32)
                found += np.count_nonzero(sums, axis=0)
            return found
        for sources, weights in _groups(way.arriving.synapses):
            x = said[:, sources]
            rows = np.stack(
                [code.messages(x, tau, period).astype(np.float32) for tau in range(period)], axis=1
            )
            # exact: what fits a message is below 2**24, and so is every part of it
            sums = rows.reshape(-1, x.shape[1]) @ weights.T.astype(np.float32)
            found += np.count_nonzero(sums.reshape(len(x), -1), axis=1)
        return found


def _listed(synapses: Synapses, source: Shape) -> sparse.csr_matrix | None:
    """The synapses as a list; None where they are matrices side by side (`_groups`)."""
    if (
        isinstance(synapses, Convolution)
        and synapses.weights.shape[2:] == source[1:]
        and not any(synapses.padding)
    ):
        return None
    to, at, weights = triplets(synapses, source)
    shape = synapses.output_size(source), int(np.prod(source))
    return sparse.csr_matrix((weights.astype(np.int32), (to, at)), shape)


def _groups(synapses: Synapses) -> Iterator[tuple[slice, np.ndarray]]:
    """Matrices of a convolution over whole maps, with the sources of each."""
    assert isinstance(synapses, Convolution)
    matrices = synapses.weights.reshape(
        synapses.groups, synapses.weights.shape[0] // synapses.groups, -1
    )
    size = matrices.shape[2]
    for k, matrix in enumerate(matrices):
        yield slice(k * size, (k + 1) * size), matrix
