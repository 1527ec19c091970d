"""Witness weights: hidden weights that produce given patterns (Ergen et al. 2023, section 3).

Where units were sampled their own weights are the witness; this is for patterns without weights,
such as those of an enumeration.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from neurodeploy.errors import ConversionError, UsageError
from neurodeploy.training.reconstruction.branches import Branches, Layer

__all__ = ["unit_inputs", "witness"]


def unit_inputs(x: np.ndarray, pattern: np.ndarray) -> np.ndarray:
    """What a recurrent unit saw when it produced a pattern: its input, and its own step before.

    Parameters
    ----------
    x
        (n, T, inputs).
    pattern
        0 and 1, (n, T).

    Returns
    -------
    float64 (n T, inputs + 1).
    """
    before = np.zeros(pattern.shape)
    before[:, 1:] = pattern[:, :-1]
    return np.concatenate([x, before[..., None]], axis=2).reshape(-1, x.shape[2] + 1).astype(float)


def witness(
    x: np.ndarray,
    pattern_by_unit: np.ndarray,
    method: Literal["svm", "pseudo-inverse"] = "svm",
) -> Branches:
    """One-unit branches whose units produce the patterns on x.

    Parameters
    ----------
    x
        (n, T, inputs); one of the inputs is constant where units fire at an input of zero.
    pattern_by_unit
        0 and 1, (units, n, T): the spikes of each at every step.
    method
        ``svm``: scikit-learn's linear SVC on [input, own step before], a unit at a time.
        ``pseudo-inverse``: least squares on the signs, exact where the inputs have full row rank.

    Raises
    ------
    ConversionError
        No unit, or not one that the method finds, produces a pattern.
    """
    if method not in ("svm", "pseudo-inverse"):
        raise UsageError(f"{method!r} is not svm or pseudo-inverse", place="method")
    units, width = len(pattern_by_unit), x.shape[2]
    weight = np.zeros((units, width, 1), np.float32)
    back = np.zeros((units, 1, 1), np.float32)
    theta = np.ones((units, 1), np.float32)
    for k, pattern in enumerate(pattern_by_unit):
        seen = unit_inputs(x, pattern)
        found, offset = _separate(seen, pattern.reshape(-1).astype(bool), method)
        if offset >= 0:
            found, offset = _shifted(seen, found, offset)
        weight[k, :, 0], back[k, 0, 0], theta[k] = found[:width], found[width], -offset
    shape = (units, 1)
    made = Branches((Layer(weight, back, np.zeros(shape, np.float32), theta),))
    produced = made.run(x).transpose(2, 0, 1)
    wrong = np.flatnonzero((produced != pattern_by_unit).any((1, 2)))
    if len(wrong):
        raise ConversionError(
            f"no weights found for pattern {wrong[0]} ({len(wrong)} of {units} in all)",
            place=method,
            remedy="use svm, and patterns that a unit can produce",
        )
    return made


def _separate(seen: np.ndarray, fires: np.ndarray, method: str) -> tuple[np.ndarray, float]:
    """Weights and offset: positive where the unit fires."""
    if fires.all() or not fires.any():
        return np.zeros(seen.shape[1]), 1.0 if fires.all() else -1.0
    if method == "svm":
        from sklearn.svm import SVC

        machine = SVC(kernel="linear", C=1e8, tol=1e-6).fit(seen, fires)
        return machine.coef_[0], float(machine.intercept_[0])
    solved = np.linalg.pinv(np.column_stack([seen, np.ones(len(seen))])) @ np.where(fires, 1, -1)
    return solved[:-1], float(solved[-1])


def _shifted(seen: np.ndarray, weights: np.ndarray, offset: float) -> tuple[np.ndarray, float]:
    """The same separation with a negative offset, the rest on an input that never changes."""
    constant = np.flatnonzero((seen == seen[0]).all(0) & (seen[0] != 0))
    if not len(constant):
        raise ConversionError(
            "a unit fires at an input of zero, and a threshold is above zero",
            place="witness",
            remedy="add an input that is always 1",
        )
    weights = weights.copy()
    weights[constant[0]] += (offset + 1) / seen[0, constant[0]]
    return weights, -1.0
