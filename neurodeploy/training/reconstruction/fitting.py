"""The convex problem over the units of some branches, and the fewest branches that do as well."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from neurodeploy.training.reconstruction.branches import Branches
from neurodeploy.training.reconstruction.dictionary import Feature, patterns, reduced
from neurodeploy.training.reconstruction.losses import Loss
from neurodeploy.training.reconstruction.problem import Problem
from neurodeploy.training.reconstruction.solving import solve

__all__ = ["Convex", "Plan", "Reading", "fit_branches", "sparser"]

#: Coefficients below this are none.
_NONE = 1e-9


@dataclass(frozen=True)
class Reading:
    """What the readout sees of the units; see `dictionary.patterns`."""

    feature: Feature = "last"
    trace_beta: float = 1.0
    every_step: bool = False

    def of(self, branches: Branches, x: np.ndarray) -> np.ndarray:
        """The dictionary, (rows, units)."""
        return patterns(
            branches,
            x,
            self.feature,
            trace_beta=self.trace_beta,
            every_step=self.every_step,
        )


@dataclass(frozen=True)
class Plan:
    """How long columns are generated, and how exactly each problem is solved.

    Attributes
    ----------
    rounds
        Fits, each on what is active and what has been drawn since. 1: one dictionary, as published.
    candidates
        Branches drawn in a round; the first round keeps them all if `rounds` is 1.
    keep
        Of them, those that correlate most.
    solver, tolerance, seconds
        Of each fit; see `solving.solve`. `tolerance` is a part of the value of the best constant.
    slack
        Part of the objective that may be lost for fewer branches, in the end.
    """

    rounds: int = 5
    candidates: int = 6000
    keep: int = 240
    solver: str = "auto"
    tolerance: float = 1e-3
    seconds: float = 20.0
    slack: float = 0.01


@dataclass(frozen=True, eq=False)
class Convex:
    """A fitted network, and how far it can be from the optimum.

    Attributes
    ----------
    branches
        Those with an active unit.
    coefficients, intercept
        The readout, float64 (units, outputs) and (outputs,).
    objective, gap
        Value, and duality gap with respect to the dictionary of the last fit.
    columns
        Distinct columns of that dictionary.
    violation
        Largest correlation of a unit of `certified` fresh branches with the residual, over rho; at
        most 1 at an optimum over all branches. nan where none was drawn.
    certified
        Number of branches behind `violation`.
    violations
        The same before each round.
    seconds
        Time of the whole fit.
    """

    branches: Branches
    coefficients: np.ndarray
    intercept: np.ndarray
    objective: float
    gap: float
    columns: int
    violation: float
    certified: int
    violations: tuple[float, ...]
    seconds: float

    @property
    def active(self) -> np.ndarray:
        """Indices of the units with a coefficient."""
        return np.flatnonzero(np.abs(self.coefficients).max(1, initial=0) > _NONE)


def fit_branches(
    branches: Branches,
    x: np.ndarray,
    y: np.ndarray,
    targets: np.ndarray,
    loss: Loss,
    rho: float,
    *,
    group: bool = False,
    reading: Reading,
    plan: Plan,
) -> tuple[Convex, np.ndarray]:
    """The convex problem over the units of given branches.

    Parameters
    ----------
    x
        Sequences (n, T, inputs).
    y
        Labels of the rows; equal rows of equal labels are put together.
    targets
        Float64 (rows, outputs).

    Returns
    -------
    The fit, without a certificate, and the residual ``a (targets - response)`` of all rows.
    """
    began = time.monotonic()
    dictionary = reading.of(branches, x)
    small = reduced(dictionary, y)
    first = np.unique(small.row, return_index=True)[1]
    problem = Problem(small.matrix, targets[first], loss, rho, group, small.counts())
    none = np.zeros((len(small.columns), targets.shape[1]))
    worth = problem.point(none, np.zeros(targets.shape[1])).value
    point = solve(
        problem,
        plan.solver,
        tolerance=plan.tolerance * max(worth, 1e-3),
        seconds=plan.seconds,
    )
    coefficients = np.zeros((branches.units, targets.shape[1]))
    coefficients[small.columns] = point.coefficients
    used = np.unique(
        np.flatnonzero(np.abs(coefficients).max(1, initial=0) > _NONE) // branches.width
    )
    kept = used if len(used) else np.arange(1)
    units = (kept[:, None] * branches.width + np.arange(branches.width)).reshape(-1)
    found = Convex(
        branches.take(kept),
        coefficients[units],
        point.intercept - problem.mean @ point.coefficients,
        point.value,
        point.gap,
        len(small.columns),
        np.nan,
        0,
        (),
        time.monotonic() - began,
    )
    return found, (point.residual[small.row] / len(targets))


def sparser(
    fit: Callable[[Branches], tuple[Convex, np.ndarray]],
    found: Convex,
    residual: np.ndarray,
    slack: float,
) -> tuple[Convex, np.ndarray]:
    """The fewest branches, by the size of their coefficients, that cost no more than the slack.

    Optima are not unique: near-copies of a branch share its coefficient. The gap that is stated
    remains that to the whole dictionary.
    """
    bound = found.objective - found.gap
    use = np.linalg.norm(found.coefficients.reshape(len(found.branches), -1), axis=1)
    rank = np.argsort(-use, kind="stable")
    best, low, high = (found, residual), 0, len(rank)
    while high - low > 1:
        middle = (low + high) // 2
        fewer = fit(found.branches.take(np.sort(rank[:middle])))
        if fewer[0].objective <= found.objective * (1 + slack):
            best, high = fewer, middle
        else:
            low = middle
    return (replace(best[0], gap=best[0].objective - bound, columns=found.columns), best[1])
