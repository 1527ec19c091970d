"""How far a program's outputs are from the ANN's: classes where there are some, and the error."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neurodeploy.ledger.error_sums import ratio, squared
from neurodeploy.metrics import Task, against
from neurodeploy.metrics.confidence_interval import wilson as interval
from neurodeploy.metrics.task import from_shape

__all__ = ["Agreement", "agreement", "interval"]


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


def agreement(outputs: np.ndarray, exact: np.ndarray, task: Task | None = None) -> Agreement:
    """Compare outputs with the ANN's; of numbers only their error counts.

    Parameters
    ----------
    outputs, exact
        (n, *output shape), n at least 1.
    task
        What they are (docs/metrics.md); default: by their shape.
    """
    n = len(exact)
    found = against(task or from_shape(exact.shape[1:]), outputs, exact)
    y, a = (np.asarray(values).reshape(n, -1).astype(np.float64) for values in (outputs, exact))
    wrong = squared(y, a)
    spread = squared(a, a.mean(0, keepdims=True))
    error = ratio(wrong, squared(a))
    residual = ratio(wrong, spread) if spread else error
    low, high = found.interval or (None, None)
    return Agreement(n, found.accuracy, low, high, error, residual)
