"""What `tune` returns: every candidate that was tried, and the program that was taken."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from neurodeploy.display import Displayed
from neurodeploy.program import Program
from neurodeploy.tuning.candidate import Candidate
from neurodeploy.tuning.goal import Goal

__all__ = ["Tuning"]


@dataclass(frozen=True, repr=False)
class Tuning(Displayed):
    """The outcome of a search.

    Attributes
    ----------
    program
        The program of `best`, as it was tried: calibrated on the fitting samples.
    best
        What was taken.
    reached
        Whether it reaches the goal on the held-out samples.
    candidates
        All that were tried, in the order of trial.
    goal
        What was looked for.
    fitting, choosing, held_out
        Numbers of samples that converted, that chose, and that no choice had seen.
    looks
        How many candidates were tried on the held-out samples before one was taken.
    seconds
        Wall time of the search, in seconds.
    notes
        What else has to be said: schemes left out, the search cut short, energy not known.
    """

    program: Program
    best: Candidate
    reached: bool
    candidates: tuple[Candidate, ...]
    goal: Goal
    fitting: int
    choosing: int
    held_out: int
    looks: int
    seconds: float
    notes: tuple[str, ...] = ()

    @property
    def pareto(self) -> tuple[Candidate, ...]:
        """Those that no other beats in both latency and agreement, fastest first."""
        return tuple(_front(self.candidates))

    @property
    def sentence(self) -> str:
        """What was taken, and how it does."""
        best = self.best
        verdict = "reached" if self.reached else "not reached"
        share = best.agreement if best.held_out is None else best.held_out
        return (
            f"{best.name}: {share:.2f} % agreement on {self.held_out:,} held-out samples, "
            f"latency {best.latency} steps, {best.operations:,.0f} synaptic operations a sample; "
            f"{self.goal.agreement:g} % {verdict}"
        )

    def facts(self) -> dict[str, Any]:
        """See `Displayed.facts`."""
        return {
            "best": self.best.name,
            "latency": self.best.latency,
            "held_out": self.best.held_out,
            "reached": self.reached,
            "candidates": len(self.candidates),
        }

    def records(self) -> list[dict[str, Any]]:
        """A row a candidate, in the order of trial.

        Returns
        -------
        list of dict
            The fields of `Candidate`: latency in steps, agreement in percent, operations a sample.
        """
        front = {id(candidate) for candidate in self.pareto}
        return [
            {"candidate": c.name, **asdict(c), "options": c.flags, "pareto": id(c) in front}
            for c in self.candidates
        ]

    def to_dict(self) -> dict[str, Any]:
        """All but the program, as `tune --json` has it.

        Returns
        -------
        dict
            JSON-like; `docs/schemas/tune.json` says its keys.
        """
        pareto = {id(candidate) for candidate in self.pareto}
        return {
            "goal": asdict(self.goal) | {"text": self.goal.sentence},
            "reached": self.reached,
            "best": asdict(self.best),
            "candidates": [
                asdict(candidate) | {"pareto": id(candidate) in pareto}
                for candidate in self.candidates
            ],
            "samples": {
                "fitting": self.fitting,
                "choosing": self.choosing,
                "held_out": self.held_out,
            },
            "held_out_looks": self.looks,
            "seconds": self.seconds,
            "notes": list(self.notes),
        }


def _front(candidates: tuple[Candidate, ...]) -> Iterator[Candidate]:
    """Candidates in the order of latency, each nearer to the ANN than all before it."""
    best = -1.0
    for candidate in sorted(
        (c for c in candidates if c.samples),
        key=lambda c: (c.latency, -c.agreement, c.operations),
    ):
        if candidate.agreement > best:
            best = candidate.agreement
            yield candidate
