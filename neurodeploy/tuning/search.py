"""The search: each scheme's settings from the cheapest up, as long as they may still win.

Why no general optimiser: a scheme has one axis of five or six values along which cost and
agreement both rise, so that walking up it and stopping at the goal needs a handful of trials a
scheme, 15 to 30 in all; samplers such as TPE or Bayesian optimisation start with as many at random.
What costs is the conversion and the samples of a trial, and the samples are raced.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from neurodeploy.conversion import Scheme
from neurodeploy.conversion.options import options_of
from neurodeploy.errors import (
    ConversionError,
    NeuroDeployError,
    UnsupportedError,
    UsageError,
)
from neurodeploy.ledger.agreement import Agreement
from neurodeploy.program import Program
from neurodeploy.tuning.candidate import Candidate
from neurodeploy.tuning.goal import Goal
from neurodeploy.tuning.trying import Trials
from neurodeploy.warning import Warn

__all__ = ["Search"]


@dataclass(eq=False)
class Search:
    """State of one search; `found` has every candidate by its name."""

    goal: Goal
    plans: Mapping[str, Scheme]
    stated: frozenset[str]
    trials: Trials
    make: Callable[[Scheme, Warn], Program]
    cost: Callable[[Program], float | None] | None
    ends: float | None
    progress: Callable[[str, int, int], None]
    found: dict[str, Candidate] = field(default_factory=dict)
    programs: dict[str, Program] = field(default_factory=dict)
    lines: dict[str, list[str]] = field(default_factory=dict)
    refusal: NeuroDeployError | None = None
    cut: int = 0
    looks: int = 0

    def run(self) -> None:
        """All schemes, then refinements of what is nearest to the goal."""
        walks = {name: plan.levels(self.stated) for name, plan in self.plans.items()}
        total = sum(map(len, walks.values()))
        done = 0
        for walk in walks.values():
            for _ in self._walk(walk):
                done += 1
                self.progress("try", done, total)
            self.progress("try", total, total)
        by_name = {self._named(plan).name: plan for walk in walks.values() for plan in walk}
        for candidate in self._nearest():
            plan = by_name.get(candidate.name)
            for finer in () if plan is None else plan.refinements(self.stated):
                self._try(finer)

    def _walk(self, walk: tuple[Scheme, ...]) -> Iterator[None]:
        """Up one scheme: to the goal and one further, or as far as the goal lets a sample take."""
        beyond = False
        for plan in walk:
            yield
            tried = self._try(plan)
            if tried is None:
                continue
            if self.goal.latency is not None:
                if not self.goal.allows(tried.latency):
                    return
            elif beyond or self._is_slower(tried):
                return
            beyond = self._is_good(tried)

    def _is_good(self, tried: Candidate) -> bool:
        return tried.samples == len(self.trials.choosing) and self.goal.reached(tried.agreement)

    def _is_slower(self, tried: Candidate) -> bool:
        """Whether a program that is good already is faster, where only that counts."""
        if self.goal.energy:
            return False
        return any(c.latency < tried.latency for c in self.found.values() if self._is_good(c))

    def _nearest(self) -> list[Candidate]:
        """Of each scheme the tried setting that is nearest to the ANN, the two nearest of these."""
        tried = [c for c in self.found.values() if c.samples and self.goal.allows(c.latency)]
        by_scheme: dict[str, Candidate] = {}
        for candidate in tried:
            before = by_scheme.get(candidate.scheme)
            if before is None or candidate.agreement > before.agreement:
                by_scheme[candidate.scheme] = candidate
        return sorted(by_scheme.values(), key=lambda c: -c.agreement)[:2]

    def _named(self, plan: Scheme) -> Candidate:
        """What is walked along, what was stated, and what differs from the scheme as it is."""
        usual = self.plans[plan.name]
        named = {
            field.name: getattr(plan, field.name)
            for field, said in options_of(plan)
            if said.tries
            or field.name in self.stated
            or getattr(plan, field.name) != getattr(usual, field.name)
        }
        return Candidate(plan.name, named)

    def _try(self, plan: Scheme) -> Candidate | None:
        """Convert and race one setting; None where it cannot be, or there is no time for it."""
        candidate = self._named(plan)
        if candidate.name in self.found:
            return self.found[candidate.name]
        if self.ends is not None and self.programs and time.perf_counter() > self.ends:
            self.cut += 1
            return None
        said: list[str] = []
        try:
            program = self.make(plan, said.append)
        except (ConversionError, UnsupportedError, UsageError) as error:
            self.refusal = self.refusal or error
            self.found[candidate.name] = replace(candidate, note=error.message.splitlines()[0])
            return None
        candidate = replace(candidate, latency=program.latency, period=program.period)
        if not self.goal.allows(program.latency):
            over = f"takes {program.latency} steps, {self.goal.latency} are allowed"
            self.found[candidate.name] = replace(candidate, note=over)
            return self.found[candidate.name]
        candidate = self.trials.race(candidate, program, self._is_beaten)
        if self.cost is not None and self._is_good(candidate):
            candidate = replace(candidate, energy=self.cost(program))
        if candidate.samples < len(self.trials.choosing):
            candidate = replace(candidate, note="beaten before all samples were tried")
        elif not self.goal.reached(candidate.agreement):
            candidate = replace(candidate, note=f"below {self.goal.agreement:g} %")
        self.found[candidate.name] = candidate
        self.programs[candidate.name] = program
        self.lines[candidate.name] = said
        return candidate

    def _is_beaten(self, found: Agreement) -> bool:
        """Whether it cannot win any more, at 95 %."""
        if found.high is None:
            return False
        if self.goal.latency is None:
            return not self.goal.reached(found.high)
        best = max((c.low or 0.0 for c in self.found.values()), default=0.0)
        return found.high < best

    def chosen(self) -> tuple[Candidate, bool]:
        """What is taken, and whether it reaches the goal on the held-out samples.

        Of candidates that reach it on the choosing samples the best first, until one reaches it
        here too; else the one nearest to the ANN.
        """
        whole = [c for name, c in self.found.items() if name in self.programs]
        full = [c for c in whole if c.samples == len(self.trials.choosing)] or whole
        good = sorted((c for c in full if self.goal.reached(c.agreement)), key=self.goal.rank)
        if self.goal.latency is not None:
            good = good[:1]  # the nearest is wanted, not the first that is near enough
        for candidate in good:
            checked = self._checked(candidate)
            if self.goal.reached(checked.held_out or 0.0):
                return checked, True
        nearest = max(full, key=lambda c: (c.agreement, -c.latency, -c.operations))
        best = self._checked(self.found[nearest.name])
        return best, self.goal.reached(best.held_out or 0.0)

    def _checked(self, candidate: Candidate) -> Candidate:
        if candidate.held_out is None:
            self.looks += 1
            share = self.trials.check(self.programs[candidate.name])
            candidate = replace(candidate, held_out=share)
            self.found[candidate.name] = candidate
        return candidate

    def with_provenance(self, best: Candidate) -> Program:
        """The program of the candidate that was taken, which says that it was chosen, and how."""
        program = self.programs[best.name]
        record = {
            "goal": self.goal.sentence,
            "candidates": len(self.found),
            "agreement": best.agreement,
            "held_out_agreement": best.held_out,
            "held_out_samples": len(self.trials.held_out),
        }
        return replace(program, provenance={**program.provenance, "tuning": record})
