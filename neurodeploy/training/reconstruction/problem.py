"""The convex problem over a dictionary: its value, and how far from the optimum a point can be."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from neurodeploy.errors import UsageError
from neurodeploy.training.reconstruction.losses import Loss

__all__ = ["Point", "Problem"]


@dataclass(frozen=True, eq=False)
class Problem:
    """``min_W,b sum_i a_i loss(t_i, D_i W + b) + rho R(W)``.

    R is the sum of absolute values (LASSO: Ergen et al. 2023, theorem 2.2, with the squared loss),
    or of the lengths of the rows of W (group LASSO: a unit serves all outputs or none). The
    intercept b is free.

    Attributes
    ----------
    dictionary
        D, (rows, columns).
    targets
        t, float64 (rows, outputs), as `Loss.targets` makes them.
    loss, rho, group
        The loss, the weight of R, and whether R is the group norm.
    weights
        a, float64 (rows,), scaled here to a sum of 1; None: equal.
    """

    dictionary: np.ndarray
    targets: np.ndarray
    loss: Loss
    rho: float
    group: bool = False
    weights: np.ndarray | None = None
    #: Mean of each column, and the centred dictionary times a square root of the weights' scale.
    mean: np.ndarray = field(init=False)
    centred: np.ndarray = field(init=False)
    a: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        rows = len(self.dictionary)
        if not rows or len(self.targets) != rows:
            raise UsageError(f"{len(self.targets)} targets for {rows} rows of the dictionary")
        if not self.rho > 0:
            raise UsageError(f"rho is {self.rho}, not above 0", place="rho")
        a = np.ones(rows) if self.weights is None else np.asarray(self.weights, np.float64)
        a = a / a.sum()
        d = self.dictionary.astype(np.float64)
        mean = a @ d
        object.__setattr__(self, "a", a)
        object.__setattr__(self, "mean", mean)
        object.__setattr__(self, "centred", d - mean)

    @property
    def outputs(self) -> int:
        """Columns of the targets."""
        return int(self.targets.shape[1])

    def part(self, columns: np.ndarray) -> Problem:
        """The problem over some of the columns."""
        return Problem(
            self.dictionary[:, columns], self.targets, self.loss, self.rho, self.group, self.a
        )

    def penalty(self, coefficients: np.ndarray) -> float:
        """``rho R(W)``."""
        if self.group:
            return self.rho * float(np.linalg.norm(coefficients, axis=1).sum())
        return self.rho * float(np.abs(coefficients).sum())

    def best_intercept(self, scores: np.ndarray, start: np.ndarray) -> np.ndarray:
        """The intercept that is optimal for the scores without one, by Newton's method."""
        b = start.copy()
        for _ in range(50):
            gradient = self.a @ (self.loss.mean_response(scores + b) - self.targets)
            if np.abs(gradient).max() < 1e-13:
                break
            step = np.linalg.pinv(self.loss.hessian(scores + b, self.a)) @ gradient
            length = 1.0
            before = self.loss.value(scores + b, self.targets, self.a)
            while length > 1e-6 and (
                self.loss.value(scores + b - length * step, self.targets, self.a) > before + 1e-15
            ):
                length /= 2
            b = b - length * step
        return b

    def correlation(self, residual: np.ndarray) -> np.ndarray:
        """By how much each column correlates with the weighted residual; at an optimum <= rho."""
        found = self.centred.T @ (self.a[:, None] * residual)
        return np.linalg.norm(found, axis=1) if self.group else np.abs(found).max(1, initial=0)

    def point(self, coefficients: np.ndarray, intercept: np.ndarray) -> Point:
        """Value and duality gap; the intercept (of the centred columns) is made optimal."""
        scores = self.centred @ coefficients
        b = self.best_intercept(scores, intercept)
        scores = scores + b
        residual = self.targets - self.loss.mean_response(scores)
        value = self.loss.value(scores, self.targets, self.a) + self.penalty(coefficients)
        correlation = self.correlation(residual)
        scale = min(1.0, self.rho / max(float(correlation.max(initial=0)), 1e-300))
        bound = self.loss.dual(scale * residual, self.targets, self.a)
        return Point(coefficients, b, value, value - bound, residual, correlation)


@dataclass(frozen=True, eq=False)
class Point:
    """A point of a `Problem`.

    Attributes
    ----------
    coefficients
        W, float64 (columns, outputs).
    intercept
        b for the centred dictionary; ``intercept - mean @ coefficients`` for the dictionary itself.
    value
        Of the objective.
    gap
        Duality gap: the value is at most so much above the optimum.
    residual
        Targets less responses, (rows, outputs).
    correlation
        Of each column with the weighted residual.
    """

    coefficients: np.ndarray
    intercept: np.ndarray
    value: float
    gap: float
    residual: np.ndarray
    correlation: np.ndarray
