"""Which solver a problem goes to: a maintained one where it serves, ours for what is left."""

from __future__ import annotations

import warnings
from importlib import import_module
from typing import Any

import numpy as np

from neurodeploy.errors import ConversionError, UsageError
from neurodeploy.training.reconstruction.losses import CrossEntropy, Logistic, SquaredError
from neurodeploy.training.reconstruction.problem import Point, Problem
from neurodeploy.training.reconstruction.proximal import proximal_gradient

__all__ = ["SOLVERS", "solve"]

SOLVERS = ("auto", "coordinate-descent", "proximal-gradient", "clarabel")


def solve(
    problem: Problem,
    solver: str = "auto",
    *,
    tolerance: float = 1e-6,
    start: np.ndarray | None = None,
    seconds: float = np.inf,
) -> Point:
    """The optimum, to a duality gap of `tolerance` if the solver reaches it: the result says.

    Parameters
    ----------
    solver
        ``coordinate-descent``: scikit-learn's Lasso and MultiTaskLasso, for the squared loss.
        ``proximal-gradient``: any loss. ``clarabel``: interior points through CVXPY, for small
        ones. ``auto``: coordinate descent for the squared loss, else proximal gradient.
    start, seconds
        Of proximal gradient.

    Raises
    ------
    UsageError
        An unknown solver, or one that is not for this loss.
    ConversionError
        CLARABEL did not solve it.
    """
    if solver not in SOLVERS:
        raise UsageError(f"{solver!r} is not one of {', '.join(SOLVERS)}", place="solver")
    squared = isinstance(problem.loss, SquaredError)
    if solver == "coordinate-descent" and not squared:
        raise UsageError("coordinate descent is for the squared loss", place="solver")
    if problem.dictionary.shape[1] == 0:
        return problem.point(np.zeros((0, problem.outputs)), np.zeros(problem.outputs))
    if solver == "clarabel":
        return _clarabel(problem)
    if squared and solver != "proximal-gradient":
        return _coordinate_descent(problem, tolerance)
    return proximal_gradient(problem, tolerance=tolerance, start=start, seconds=seconds)


def _coordinate_descent(problem: Problem, tolerance: float) -> Point:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import Lasso, MultiTaskLasso

    rows = len(problem.a)
    root = np.sqrt(problem.a * rows)[:, None]
    matrix = np.asfortranarray(root * problem.centred)
    middle = problem.a @ problem.targets
    targets = root * (problem.targets - middle)
    coefficients = np.zeros((matrix.shape[1], problem.outputs))
    # scikit-learn's stopping rule: its own gap <= tol * |targets|^2 / rows
    spread = float((targets**2).sum()) / rows or 1.0
    options: dict[str, Any] = {
        "alpha": problem.rho,
        "fit_intercept": False,
        "tol": 0.1 * tolerance / spread,
        "max_iter": 100_000,
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the gap says it
        if problem.group and problem.outputs > 1:
            found = MultiTaskLasso(**options).fit(matrix, targets)
            coefficients[:] = found.coef_.T
        else:
            for k in range(problem.outputs):
                coefficients[:, k] = Lasso(**options).fit(matrix, targets[:, k]).coef_
    return problem.point(coefficients, middle)


def _clarabel(problem: Problem) -> Point:
    try:
        cp = import_module("cvxpy")
    except ModuleNotFoundError as error:
        raise UsageError(
            "CVXPY is not installed", place="solver", remedy="pip install 'cvxpy[clarabel]'"
        ) from error
    w = cp.Variable((problem.dictionary.shape[1], problem.outputs))
    b = cp.Variable((1, problem.outputs))
    scores = problem.centred @ w + np.ones((len(problem.a), 1)) @ b
    if isinstance(problem.loss, SquaredError):
        root = np.sqrt(problem.a)[:, None]
        fit = 0.5 * cp.sum_squares(cp.multiply(root, scores - problem.targets))
    elif isinstance(problem.loss, Logistic):
        a = problem.a[:, None]
        fit = cp.sum(cp.multiply(a, cp.logistic(scores) - cp.multiply(problem.targets, scores)))
    else:
        assert isinstance(problem.loss, CrossEntropy)
        chosen = cp.sum(cp.multiply(problem.targets, scores), axis=1)
        fit = problem.a @ (cp.log_sum_exp(scores, axis=1) - chosen)
    size = cp.sum(cp.norm(w, 2, axis=1)) if problem.group else cp.sum(cp.abs(w))
    task = cp.Problem(cp.Minimize(fit + problem.rho * size))
    options = {"tol_gap_abs": 1e-10, "tol_gap_rel": 1e-10, "tol_feas": 1e-10}
    task.solve(solver="CLARABEL", **options)
    if w.value is None:
        raise ConversionError(f"CLARABEL says: {task.status}", place="solver")
    return problem.point(np.asarray(w.value), np.asarray(b.value)[0])
