"""One candidate on samples, as long as it may still win: a race (Maron & Moore 1994)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from neurodeploy.ledger.agreement import Agreement, agreement
from neurodeploy.metrics import Task
from neurodeploy.network import Network
from neurodeploy.network.evaluate import Evaluator
from neurodeploy.program import Preprocessing, Program
from neurodeploy.simulator.encoding import check_samples
from neurodeploy.simulator.simulation import simulate
from neurodeploy.tuning.candidate import Candidate

__all__ = ["Trials", "nearness"]

#: Samples after which it is asked whether a candidate may still win; then all.
_RUNGS = (64, 256)
#: Samples that the float network computes at once.
_BATCH = 256


def nearness(found: Agreement) -> float:
    """Agreement in percent; of numbers, 100 % less the error as a share of the ANN's spread."""
    if found.share is not None:
        return found.share
    return 100 * max(0.0, 1 - found.residual) if np.isfinite(found.residual) else 0.0


@dataclass(eq=False)
class Trials:
    """Runs candidates beside the float network, whose outputs are computed once.

    Attributes
    ----------
    ann
        The network as imported.
    choosing, held_out
        Samples (n, *shape) before preprocessing.
    threads
        Default: all cores.
    """

    ann: Network
    choosing: np.ndarray
    held_out: np.ndarray
    threads: int | None = None
    _exact: dict[tuple[str, Preprocessing], np.ndarray] = field(default_factory=dict)

    def race(
        self, candidate: Candidate, program: Program, is_beaten: Callable[[Agreement], bool]
    ) -> Candidate:
        """The candidate with what it did on the choosing samples, or on as many as it took."""
        n = len(self.choosing)
        outputs: list[np.ndarray] = []
        operations = spikes = 0.0
        done = 0
        for size in (*(rung for rung in _RUNGS if rung < n), n):
            part = check_samples(self.choosing[done:size], program.encoder.sample_shape)
            result = simulate(program, part, threads=self.threads, first_index=done)[0]
            outputs.append(result.outputs)
            operations += result.synaptic_operations_per_sample * len(part)
            spikes += result.spikes_per_sample * len(part)
            done = size
            found = self._compare(program, np.concatenate(outputs), "choosing")
            if size < n and is_beaten(found):
                break
        return replace(
            candidate, samples=done, agreement=nearness(found), low=found.low, high=found.high,
            operations=operations / done, spikes=spikes / done,
        )  # fmt: skip

    def check(self, program: Program) -> float:
        """Nearness on the held-out samples."""
        x = check_samples(self.held_out, program.encoder.sample_shape)
        result = simulate(program, x, threads=self.threads)[0]
        return nearness(self._compare(program, result.outputs, "held_out"))

    def _compare(self, program: Program, outputs: np.ndarray, part: str) -> Agreement:
        exact = self._outputs(program, part)[: len(outputs)]
        return agreement(outputs, exact.reshape(outputs.shape), Task.of(program))

    def _outputs(self, program: Program, part: str) -> np.ndarray:
        """The float network's, on one part of the samples."""
        key = (part, program.encoder.preprocessing)
        if key not in self._exact:
            x = check_samples(getattr(self, part), program.encoder.sample_shape)
            evaluator = Evaluator(self.ann)
            made = [
                evaluator.run(program.encoder.preprocessing.apply(x[start : start + _BATCH]))
                for start in range(0, len(x), _BATCH)
            ]
            self._exact[key] = np.concatenate([each[self.ann.output.name] for each in made])
        return self._exact[key]
