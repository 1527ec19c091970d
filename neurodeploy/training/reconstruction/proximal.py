"""Accelerated proximal gradient (Beck & Teboulle 2009) on a growing set of columns.

Restarted where momentum points uphill (O'Donoghue & Candes 2015), stopped by the duality gap.
Columns are centred: with a free intercept the problem is the same, and far better conditioned.
"""

from __future__ import annotations

import time

import numpy as np
from scipy.sparse.linalg import svds

from neurodeploy.training.reconstruction.problem import Point, Problem

__all__ = ["proximal_gradient", "shrunk"]

#: Iterations between two looks at the gap.
_LOOK = 20
#: Columns that the working set starts with.
_FIRST = 64


def shrunk(values: np.ndarray, by: float, group: bool) -> np.ndarray:
    """The proximal operator of ``by R``."""
    if group:
        length = np.linalg.norm(values, axis=1, keepdims=True)
        return values * np.maximum(0.0, 1 - by / np.maximum(length, 1e-300))
    return np.sign(values) * np.maximum(np.abs(values) - by, 0.0)


def proximal_gradient(
    problem: Problem,
    *,
    tolerance: float = 1e-6,
    start: np.ndarray | None = None,
    seconds: float = np.inf,
) -> Point:
    """Solve until the gap is at most `tolerance`, or the time is over.

    Columns enter a working set when they correlate with the residual by more than rho, the most
    correlated first, and the set at most doubles at a time.

    Parameters
    ----------
    start
        Coefficients (columns, outputs) to begin with.
    seconds
        Time after which the best point so far is taken: its gap says what is left.
    """
    end = time.monotonic() + seconds
    columns = problem.dictionary.shape[1]
    coefficients = np.zeros((columns, problem.outputs)) if start is None else start.copy()
    best = point = problem.point(coefficients, np.zeros(problem.outputs))
    size = _FIRST
    while point.gap > tolerance and time.monotonic() < end:
        active = np.flatnonzero(np.abs(coefficients).max(1, initial=0))
        size = max(size, 2 * len(active))
        rank = np.argsort(-point.correlation, kind="stable")[:size]
        outside = rank[point.correlation[rank] > problem.rho * (1 - 1e-3)]
        chosen = np.union1d(active, outside)
        if not len(chosen):
            break
        inner = _solve(
            problem.part(chosen), coefficients[chosen], point.intercept, 0.3 * tolerance, end
        )
        coefficients = np.zeros_like(coefficients)
        coefficients[chosen] = inner.coefficients
        point = problem.point(coefficients, inner.intercept)
        if point.value <= best.value:
            best = point
    return best if best.value < point.value else point


def _solve(
    problem: Problem, coefficients: np.ndarray, intercept: np.ndarray, tolerance: float, end: float
) -> Point:
    root = np.sqrt(problem.a)[:, None]
    scaled = root * problem.centred
    norm = _spectral_norm(scaled)
    # a column for the intercept, orthogonal to all others, as long as the matrix is
    design = np.column_stack([problem.centred, np.full(len(scaled), norm)])
    rate = 1.0 / (problem.loss.smoothness * norm**2)
    kept = slice(0, len(coefficients))
    w = np.vstack([coefficients, intercept[None] / norm])
    z, momentum, k = w.copy(), 1.0, 0
    while True:
        residual = problem.targets - problem.loss.mean_response(design @ z)
        moved = z + rate * (design.T @ (problem.a[:, None] * residual))
        moved[kept] = shrunk(moved[kept], rate * problem.rho, problem.group)
        if np.sum((z - moved) * (moved - w)) > 0:
            momentum = 1.0
        later = 0.5 * (1 + np.sqrt(1 + 4 * momentum**2))
        z = moved + (momentum - 1) / later * (moved - w)
        w, momentum, k = moved, later, k + 1
        if k % _LOOK == 0:
            point = problem.point(w[kept], w[-1] * norm)
            if point.gap <= tolerance or time.monotonic() > end:
                return point


def _spectral_norm(matrix: np.ndarray) -> float:
    """Largest singular value, a little above rather than below."""
    if min(matrix.shape) <= 64:
        return float(np.linalg.norm(matrix, 2)) * (1 + 1e-9) + 1e-12
    start = np.random.default_rng(0).standard_normal(min(matrix.shape))
    (largest,) = svds(matrix, 1, return_singular_vectors=False, v0=start, tol=1e-4)
    return 1.001 * float(largest)
