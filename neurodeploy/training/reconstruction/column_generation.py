"""Column generation: branches that correlate with what is still wrong join the dictionary.

The pricing problem, the branch of largest correlation with the residual, is solved by sampling. A
fresh sample after the last fit gives a certificate: with respect to the sampling distribution, no
branch seen violates the optimality condition by more than the factor stated.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from neurodeploy.option_values import whole
from neurodeploy.training.reconstruction.branches import Branches, joined
from neurodeploy.training.reconstruction.fitting import (
    Convex,
    Plan,
    Reading,
    fit_branches,
    sparser,
)
from neurodeploy.training.reconstruction.losses import Loss
from neurodeploy.training.reconstruction.problem import Problem

__all__ = ["generate"]

#: Draws `count` branches.
Sampler = Callable[[np.random.Generator, int], Branches]
#: Makes as many branches near the parents as there are fresh ones.
Neighbours = Callable[[np.random.Generator, Branches, Branches], Branches]
#: Called with the work done and the work there is.
Progress = Callable[[int, int], None]
#: Fits before the last round need not be exact: so many tolerances are enough.
_EARLY = 10
#: Candidates that are run together.
_TOGETHER = 1000


def _quiet(*_: object) -> None:
    """Ignore progress."""


def generate(
    sampler: Sampler,
    x: np.ndarray,
    y: np.ndarray,
    targets: np.ndarray,
    loss: Loss,
    rho: float,
    rng: np.random.Generator,
    *,
    group: bool = False,
    reading: Reading,
    plan: Plan,
    neighbours: Neighbours | None = None,
    initial: Branches | None = None,
    progress: Progress = _quiet,
) -> Convex:
    """Rounds of sampling and fitting; see `fit_branches` for the parameters.

    Parameters
    ----------
    sampler
        Draws branches.
    neighbours
        Where the dictionary has a notion of near: in each round but the first as many candidates
        are near the active branches. They never count for the certificate.
    initial
        Branches of the dictionary from the start on, such as those of a trained network.
    """
    for name in ("rounds", "candidates", "keep"):
        whole(name, getattr(plan, name), low=1)
    began = time.monotonic()
    rows = len(targets)
    constant = Problem(np.zeros((rows, 0)), targets, loss, rho, group)
    at = constant.point(np.zeros((0, targets.shape[1])), np.zeros(targets.shape[1]))
    residual = at.residual / rows
    kept, found, violations = initial, None, []
    for number in range(plan.rounds):
        progress(number, plan.rounds + 1)
        if plan.rounds == 1:
            new = sampler(rng, plan.candidates)
        else:
            new, violation = _best(sampler, x, residual, rho, rng, group, reading, plan)
            violations.append(violation)
            if neighbours is not None and kept is not None:
                near = _near(sampler, neighbours, kept)
                new = joined([new, _best(near, x, residual, rho, rng, group, reading, plan)[0]])
        kept = new if kept is None else joined([kept, new])
        last = number == plan.rounds - 1
        found, residual = fit_branches(
            kept, x, y, targets, loss, rho, group=group, reading=reading,
            plan=plan if last else replace(plan, tolerance=_EARLY * plan.tolerance),
        )  # fmt: skip
        kept = found.branches
    assert found is not None
    fit = partial(
        fit_branches, x=x, y=y, targets=targets, loss=loss, rho=rho, group=group,
        reading=reading, plan=plan,
    )  # fmt: skip
    found, residual = sparser(fit, found, residual, plan.slack)
    progress(plan.rounds, plan.rounds + 1)
    violation = _best(sampler, x, residual, rho, rng, group, reading, plan)[1]
    progress(plan.rounds + 1, plan.rounds + 1)
    return replace(
        found,
        violation=violation,
        certified=plan.candidates,
        violations=tuple(violations),
        seconds=time.monotonic() - began,
    )


def _near(sampler: Sampler, neighbours: Neighbours, parents: Branches) -> Sampler:
    return lambda rng, count: neighbours(rng, parents, sampler(rng, count))


def _best(
    sampler: Sampler,
    x: np.ndarray,
    residual: np.ndarray,
    rho: float,
    rng: np.random.Generator,
    group: bool,
    reading: Reading,
    plan: Plan,
) -> tuple[Branches, float]:
    """Of `candidates` fresh branches those that correlate most, and the largest correlation / rho.

    The residual sums to zero (the intercept is optimal), so columns need no centring.
    """
    share = np.ascontiguousarray(residual, np.float32)
    parts, largest = [], 0.0
    left = plan.candidates
    while left > 0:
        count = min(left, _TOGETHER)
        drawn = sampler(rng, count)
        found = reading.of(drawn, x).astype(np.float32).T @ share
        scores = np.linalg.norm(found, axis=1) if group else np.abs(found).max(1)
        most = scores.reshape(count, drawn.width).max(1)
        largest = max(largest, float(most.max()))
        best = np.argsort(-most, kind="stable")[: -(-plan.keep * count // plan.candidates)]
        parts.append(drawn.take(np.sort(best)))
        left -= count
    return joined(parts), largest / rho
