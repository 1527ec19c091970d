"""How far a program's outputs are from the ANN's: classes where there are some, and the error."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np

from neurodeploy.ledger.tally import ratio, squared

__all__ = ["Agreement", "agreement", "interval"]

#: Two-sided 95 % quantile of the normal distribution.
_QUANTILE = 1.959964


@dataclass(frozen=True)
class Agreement:
    """Of n samples.

    Attributes
    ----------
    samples
        n.
    share
        Percent of samples with the ANN's class; None where the outputs are no classes.
    low, high
        Its 95 % interval (Wilson 1927), percent.
    error
        ``||y - a|| / ||a||`` over all samples and outputs, a the ANN's.
    residual
        ``||y - a|| / ||a - mean of a||``, the mean over the samples, output by output: a
        constant in the outputs makes it no smaller. Equal to `error` where a never changes.
    """

    samples: int
    share: float | None
    low: float | None
    high: float | None
    error: float
    residual: float


def agreement(outputs: np.ndarray, exact: np.ndarray) -> Agreement:
    """Compare outputs with the ANN's.

    Several outputs in a row are the scores of classes, the largest is chosen. One output, and
    outputs of more axes, are numbers: only their error counts.

    Parameters
    ----------
    outputs, exact
        (n, *output shape), n at least 1.
    """
    n = len(exact)
    classes = exact.ndim == 2 and exact.shape[1] > 1
    y, a = (np.asarray(values).reshape(n, -1).astype(np.float64) for values in (outputs, exact))
    wrong = squared(y, a)
    spread = squared(a, a.mean(0, keepdims=True))
    error = ratio(wrong, squared(a))
    residual = ratio(wrong, spread) if spread else error
    if not classes:
        return Agreement(n, None, None, None, error, residual)
    same = int(np.count_nonzero(y.argmax(1) == a.argmax(1)))
    return Agreement(n, 100 * same / n, *interval(same, n), error, residual)


def interval(right: int, n: int) -> tuple[float, float]:
    """95 % interval of a share, percent (Wilson, JASA 22, 1927)."""
    share, square = right / n, _QUANTILE**2
    middle = (share + square / (2 * n)) / (1 + square / n)
    half = _QUANTILE * sqrt(share * (1 - share) / n + square / (4 * n * n)) / (1 + square / n)
    return 100 * max(0.0, middle - half), 100 * min(1.0, middle + half)
