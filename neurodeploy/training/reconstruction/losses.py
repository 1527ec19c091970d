"""Convex losses of a linear readout, with what a duality gap needs of them.

The problem is ``min_W,b sum_i a_i loss(y_i, D_i W + b) + rho R(W)`` with row weights a that sum to
1.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from neurodeploy.errors import UsageError

__all__ = ["LOSSES", "CrossEntropy", "Logistic", "Loss", "SquaredError", "loss_named"]


class Loss:
    """Base of the losses.

    Class attributes
    ----------------
    name
        As options call it.
    smoothness
        Largest second derivative with respect to a row's scores.
    """

    name: ClassVar[str] = ""
    smoothness: ClassVar[float] = 1.0

    def targets(self, y: np.ndarray, classes: int) -> np.ndarray:
        """Labels as float64 (rows, outputs)."""
        raise NotImplementedError

    def mean_response(self, scores: np.ndarray) -> np.ndarray:
        """What is compared with the targets; the loss's gradient is the difference."""
        raise NotImplementedError

    def value(self, scores: np.ndarray, targets: np.ndarray, weights: np.ndarray) -> float:
        """The weighted sum of the losses."""
        raise NotImplementedError

    def dual(self, residual: np.ndarray, targets: np.ndarray, weights: np.ndarray) -> float:
        """Minus the weighted sum of the conjugates at ``-residual``.

        `residual` is ``s (targets - response)`` with s in 0..1. Where
        ``|D^T (weights residual)| <= rho`` and ``sum weights residual = 0``, it is a lower bound of
        the problem's value (Fenchel duality).
        """
        raise NotImplementedError

    def hessian(self, scores: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Second derivative with respect to an intercept: (outputs, outputs)."""
        raise NotImplementedError


class SquaredError(Loss):
    """``1/2 |y - z|^2``; classes are targets -1 and 1."""

    name: ClassVar[str] = "squared"
    smoothness: ClassVar[float] = 1.0

    def targets(self, y: np.ndarray, classes: int) -> np.ndarray:
        """One column for two classes, one a class for more; numbers stay numbers."""
        if not classes:
            return np.asarray(y, np.float64).reshape(len(y), -1)
        if classes == 2:
            return 2.0 * np.asarray(y, np.float64).reshape(-1, 1) - 1
        return 2 * np.eye(classes)[y] - 1

    def mean_response(self, scores: np.ndarray) -> np.ndarray:
        """The scores."""
        return scores

    def value(self, scores: np.ndarray, targets: np.ndarray, weights: np.ndarray) -> float:
        """See `Loss.value`."""
        return 0.5 * float(weights @ ((scores - targets) ** 2).sum(1))

    def dual(self, residual: np.ndarray, targets: np.ndarray, weights: np.ndarray) -> float:
        """See `Loss.dual`."""
        return float(weights @ (residual * targets - 0.5 * residual**2).sum(1))

    def hessian(self, scores: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """See `Loss.hessian`."""
        return np.eye(scores.shape[1]) * weights.sum()


class Logistic(Loss):
    """``log(1 + exp z) - y z`` for y of 0 and 1."""

    name: ClassVar[str] = "logistic"
    smoothness: ClassVar[float] = 0.25

    def targets(self, y: np.ndarray, classes: int) -> np.ndarray:
        """One column of 0 and 1."""
        if classes != 2:
            raise UsageError(
                f"the logistic loss is for two classes, not {classes}",
                place="loss",
                remedy="use cross-entropy",
            )
        return np.asarray(y, np.float64).reshape(-1, 1)

    def mean_response(self, scores: np.ndarray) -> np.ndarray:
        """The probability of 1."""
        return 0.5 * (1 + np.tanh(0.5 * scores))

    def value(self, scores: np.ndarray, targets: np.ndarray, weights: np.ndarray) -> float:
        """See `Loss.value`."""
        return float(weights @ (np.logaddexp(0, scores) - targets * scores).sum(1))

    def dual(self, residual: np.ndarray, targets: np.ndarray, weights: np.ndarray) -> float:
        """The entropy of ``targets - residual``."""
        p = targets - residual
        return -float(weights @ (_x_log_x(p) + _x_log_x(1 - p)).sum(1))

    def hessian(self, scores: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """See `Loss.hessian`."""
        p = self.mean_response(scores)[:, 0]
        return np.array([[weights @ (p * (1 - p))]])


class CrossEntropy(Loss):
    """``log sum exp z - z_y``, the softmax's."""

    name: ClassVar[str] = "cross-entropy"
    smoothness: ClassVar[float] = 0.5

    def targets(self, y: np.ndarray, classes: int) -> np.ndarray:
        """One column a class."""
        return np.eye(max(2, classes))[y]

    def mean_response(self, scores: np.ndarray) -> np.ndarray:
        """The softmax."""
        e = np.exp(scores - scores.max(1, keepdims=True))
        return e / e.sum(1, keepdims=True)

    def value(self, scores: np.ndarray, targets: np.ndarray, weights: np.ndarray) -> float:
        """See `Loss.value`."""
        top = scores.max(1)
        total = top + np.log(np.exp(scores - top[:, None]).sum(1))
        return float(weights @ (total - (targets * scores).sum(1)))

    def dual(self, residual: np.ndarray, targets: np.ndarray, weights: np.ndarray) -> float:
        """The entropy of ``targets - residual``."""
        return -float(weights @ _x_log_x(targets - residual).sum(1))

    def hessian(self, scores: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """See `Loss.hessian`."""
        p = self.mean_response(scores)
        return np.diag(weights @ p) - (p * weights[:, None]).T @ p


def _x_log_x(p: np.ndarray) -> np.ndarray:
    p = np.maximum(p, 0.0)
    return p * np.log(np.maximum(p, 1e-300))


LOSSES: dict[str, type[Loss]] = {c.name: c for c in (SquaredError, Logistic, CrossEntropy)}


def loss_named(name: str) -> Loss:
    """The loss of that name (UsageError: there is none)."""
    if name not in LOSSES:
        raise UsageError(f"{name!r} is not one of {', '.join(LOSSES)}", place="loss")
    return LOSSES[name]()
