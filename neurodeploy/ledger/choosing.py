"""One of several programs of the same network: near to the ANN first, then early."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from neurodeploy.ledger.program_trial import FEW, Trial, compare_outputs
from neurodeploy.network import Network
from neurodeploy.program import Program
from neurodeploy.simulator.encoding import check_samples

__all__ = ["POINTS", "SPREAD", "Choice", "choose"]

#: Percent of the samples that a program may agree less often than the best, and count as good.
POINTS = 1.0
#: The same where the outputs are no classes: of the outputs' spread.
SPREAD = 0.01
#: No limit of time: the choice must not depend on the machine.
_SECONDS = 1e5


@dataclass(frozen=True)
class Choice:
    """What was chosen, and from what.

    Attributes
    ----------
    name
        Of the program; empty where none could be tried.
    trials, programs
        By name.
    """

    name: str
    trials: Mapping[str, Trial]
    programs: Mapping[str, Program]

    @property
    def reason(self) -> str:
        """In words, with the figures of all."""
        found = self.trials[self.name].found
        assert found is not None
        others = "; ".join(self._figures(name) for name in self.trials if name != self.name)
        near = (
            f"{SPREAD:.0%} of the outputs' spread"
            if found.share is None
            else f"{POINTS:g} point{'' if POINTS == 1 else 's'}"
        )
        return (
            f"{self._figures(self.name)}: the shortest latency of those within {near} of the "
            f"nearest to the ANN on {found.samples} calibration samples"
            + (f" ({others})" if others else "")
        )

    def _figures(self, name: str) -> str:
        found, program = self.trials[name].found, self.programs[name]
        if found is None:
            return f"{name} not tried: {self.trials[name].note}"
        near = (
            f"output error {found.error:.1%}"
            if found.share is None
            else f"agreement {found.share:.1f} %"
        )
        return f"{name} {near}, {program.latency} steps"

    def as_dict(self) -> dict[str, Any]:
        """JSON-like, for the provenance."""
        rows = {}
        for name, trial in self.trials.items():
            found, program = trial.found, self.programs[name]
            rows[name] = {
                "samples": found.samples if found else 0,
                "agreement": found.share if found else None,
                "output_error": found.error if found and np.isfinite(found.error) else None,
                "latency": program.latency,
                "interval": program.period,
            }
        return {"chosen": self.name, "from": rows}


def choose(programs: Mapping[str, Program], ann: Network, x: np.ndarray) -> Choice:
    """Of the programs that are as good as the nearest to the ANN, the one that answers first.

    As good: at most `POINTS` percent of the samples, or `SPREAD` of the outputs' spread, behind
    it. Of equal latency: the shorter interval between samples, then the smaller error. Always
    so many samples (`FEW`), however long it takes: the choice is the same on every machine.

    Parameters
    ----------
    programs
        By name, at least one.
    ann
        The network before the passes.
    x
        Samples (n, *shape) before preprocessing.
    """
    trials = {}
    for name, program in programs.items():
        checked = check_samples(x, program.encoder.sample_shape, "calibration")
        trials[name] = compare_outputs(program, ann, checked, FEW, _SECONDS)
    tried = {name: trial.found for name, trial in trials.items() if trial.found is not None}
    # how far behind: percent of the classes, or share of the spread
    off = {
        name: found.residual / SPREAD if found.share is None else (100 - found.share) / POINTS
        for name, found in tried.items()
    }
    off = {name: value for name, value in off.items() if np.isfinite(value)}
    if not off:
        return Choice("", trials, programs)
    least = min(off.values())
    good = [name for name in off if off[name] <= least + 1 + 1e-9]
    taken = min(
        good,
        key=lambda name: (programs[name].latency, programs[name].period, tried[name].error, name),
    )
    return Choice(taken, trials, programs)
