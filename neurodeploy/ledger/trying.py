"""Advice is tried before it is given: compile again with other options, and run."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from neurodeploy.errors import NeuroDeployError, UsageError
from neurodeploy.ledger.agreement import Agreement, agreement
from neurodeploy.ledger.remedies import Remedy
from neurodeploy.ledger.report import Attempt, Blame
from neurodeploy.ledger.running import is_large, run_for
from neurodeploy.metrics import Task
from neurodeploy.network.evaluate import Evaluator
from neurodeploy.program import Program

__all__ = ["Recompile", "try_remedies", "untried"]

#: Compiles the program's model again with some options changed, on samples for calibration.
Recompile = Callable[[Mapping[str, Any], np.ndarray], Program]
#: An error has to fall to this share of what it was to count as less.
_LESS = 0.9
#: Points of agreement that count as more, if the error falls to this share as well.
_MORE, _SLIGHTLY = 2.0, 0.97
#: Advice that is given, at most.
_GIVEN = 3


@dataclass(frozen=True)
class _Fresh:
    """A program made again, and its outputs on the first samples."""

    outputs: np.ndarray

    def against(self, exact: np.ndarray, n: int, task: Task) -> Agreement:
        return agreement(self.outputs[:n], exact[:n], task)


def try_remedies(
    blame: Blame,
    candidates: Iterable[Remedy],
    recompile: Recompile,
    ann: Evaluator,
    x: np.ndarray,
    task: Task,
    *,
    seconds: float,
    threads: int | None = None,
    progress: Callable[[str, int, int], None] = lambda *_: None,
) -> Blame:
    """The blame with advice that was tried.

    1. The first half of the samples calibrates, the other half is compared with the ANN (all of
       them do both where there are fewer than 8). The program's own options are compiled in the
       same way first: what a remedy brings is measured against that, not against a program that
       was calibrated on other samples.
    2. A remedy helps if the output's error falls by a tenth or more and no fewer samples keep the
       ANN's class, or if two points more keep it and the error falls by 3 % of it.
    3. Those that help are the advice, the least error first. Where none helps, that is said.
    4. When the seconds are over, no other is begun; what was not tried is not advised.

    Parameters
    ----------
    ann
        The float network.
    x
        Samples (n, *shape), as the program takes them.
    task
        What the outputs are: what agreement means.
    """
    candidates = list(candidates)
    half = len(x) // 2 if len(x) >= 8 else 0
    calibration, held = x[: half or len(x)], x[half:]
    share = seconds / (len(candidates) + 1)
    began = time.perf_counter()

    def make(options: Mapping[str, Any], ann: Evaluator | None = None) -> tuple[Any, Any]:
        program = recompile(options, calibration)
        if is_large(program):
            raise UsageError("one sample of so large a network may take many seconds")
        ran = run_for(share, program, held, ann, threads)
        return _Fresh(ran.program), ran.ann

    try:
        now, exact = make({}, ann)
    except (NeuroDeployError, MemoryError) as error:
        return untried(blame, getattr(error, "message", "") or "not enough memory")
    assert exact is not None
    attempts: list[Attempt] = []
    left = 0  # not begun in time
    longest = time.perf_counter() - began
    for done, remedy in enumerate(candidates):
        progress("try", done, len(candidates))
        start = time.perf_counter()
        if start - began + longest > seconds:
            left = len(candidates) - done
            break
        try:
            fresh, _ = make(remedy.options)
        except (NeuroDeployError, MemoryError):
            continue  # not possible here, so no advice
        n = min(len(fresh.outputs), len(exact))
        attempts.append(_attempt(remedy, *(run.against(exact, n, task) for run in (now, fresh))))
        longest = max(longest, time.perf_counter() - start)
    progress("try", len(candidates), len(candidates))
    return _advised(blame, attempts, left)


def untried(blame: Blame, why: str) -> Blame:
    """The blame with its advice marked as not tried."""
    why = why.splitlines()[0]
    return replace(blame, advice=f"{blame.advice} (not tried: {why})")


def _attempt(remedy: Remedy, before: Agreement, after: Agreement) -> Attempt:
    share, was = after.share or 0.0, before.share or 0.0
    helped = (after.error <= _LESS * before.error and share >= was) or (
        share >= was + _MORE and after.error <= _SLIGHTLY * before.error
    )
    return Attempt(
        remedy.text,
        dict(remedy.options),
        after.samples,
        before.share,
        after.share,
        before.error,
        after.error,
        bool(helped),
    )


def _advised(blame: Blame, attempts: list[Attempt], left: int) -> Blame:
    tried = tuple(attempts)
    if not tried:
        return untried(blame, "too little time, or none of it is possible here")
    helped = sorted((a for a in tried if a.helped), key=lambda a: a.error)
    if helped:
        advice = ", or ".join(a.sentence for a in helped[:_GIVEN])
        advice += f"; tried on {tried[0].samples} samples, calibrated on others of these"
    else:
        told = "; ".join(a.sentence for a in tried)
        advice = f"none of what was tried on {tried[0].samples} samples helps: {told}"
    if left:
        advice += f"; the time was over before {left} others (--try-seconds)"
    return replace(blame, advice=advice, tried=tried)
