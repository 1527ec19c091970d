"""Sums as the numbers that are reported."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from neurodeploy.metrics.confidence_interval import wilson
from neurodeploy.metrics.labels import Labels
from neurodeploy.metrics.sums import TOP_FROM, Sums, compared, counted
from neurodeploy.metrics.task import Task
from neurodeploy.metrics.task_from_labels import read_labels

__all__ = ["Scores", "against", "judge"]

#: Outputs of a regression whose errors are given one by one, at most.
_EACH = 32
#: Values compared at once.
_PART = 4_000_000


@dataclass(frozen=True)
class Scores:
    """How outputs compare with labels, or with the ANN's outputs.

    What a task does not have is None.

    Attributes
    ----------
    samples, elements
        Samples, and answers judged (pixels of a segmentation; else one a sample).
    accuracy
        Percent of answers that are right.
    interval
        Its 95 % Wilson interval. Elements of one sample are not independent: n is the number of
        samples.
    top5
        Percent of labels among the five largest outputs, from 20 classes on.
    mean_iou
        Percent: intersection over union, averaged over the classes that occur.
    rms_error, max_error
        In the output's units, over all outputs.
    rms_errors
        By output, where they are a few numbers.
    r2
        1 - squared error / squared deviation of the labels from their mean, averaged over the
        outputs whose labels vary.
    ignored
        Elements whose label says that they are not judged.
    """

    samples: int
    elements: int
    accuracy: float | None = None
    interval: tuple[float, float] | None = None
    top5: float | None = None
    mean_iou: float | None = None
    rms_error: float | None = None
    max_error: float | None = None
    rms_errors: tuple[float, ...] | None = None
    r2: float | None = None
    ignored: int = 0

    @classmethod
    def of(cls, task: Task, sums: Sums, labels: Labels | None = None) -> Scores:
        """From sums over all samples; R2 needs the labels."""
        found: dict[str, Any] = {"ignored": sums.ignored}
        if task.kind != "regression" and sums.elements:
            share = sums.right / sums.elements
            found["accuracy"] = 100 * share
            found["interval"] = wilson(share * sums.samples, sums.samples)
            if labels is not None and task.kind == "classification" and task.classes >= TOP_FROM:
                found["top5"] = 100 * sums.top / sums.elements
        if sums.overlap is not None:
            found["mean_iou"] = _mean_iou(sums.overlap)
        if sums.squared is not None and sums.samples:
            mean = sums.squared / sums.samples
            found["rms_error"] = float(np.sqrt(mean.mean()))
            found["max_error"] = sums.largest
            if task.kind == "regression" and 1 < mean.size <= _EACH:
                found["rms_errors"] = tuple(np.sqrt(mean).tolist())
            if labels is not None:
                found["r2"] = _r2(sums.squared, labels.values)
        return cls(sums.samples, sums.elements, **found)

    def as_dict(self) -> dict[str, Any]:
        """What there is, JSON-like."""
        found = {
            "accuracy": self.accuracy,
            "accuracy_interval": None if self.interval is None else list(self.interval),
            "top5_accuracy": self.top5,
            "mean_iou": self.mean_iou,
            "rms_error": self.rms_error,
            "max_error": self.max_error,
            "rms_errors": None if self.rms_errors is None else list(self.rms_errors),
            "r2": self.r2,
            "ignored_elements": self.ignored or None,
        }
        return {key: value for key, value in found.items() if value is not None}

    def against_ann(self) -> dict[str, Any]:
        """`as_dict` of a comparison with the ANN, where nobody is right or wrong."""
        return {_AGAINST[key]: value for key, value in self.as_dict().items()}


#: Names of scores against the ANN.
_AGAINST = {
    "accuracy": "agreement",
    "accuracy_interval": "agreement_interval",
    "mean_iou": "agreement_mean_iou",
    "rms_error": "rms_difference",
    "max_error": "max_difference",
    "rms_errors": "rms_differences",
}


def judge(task: Task, outputs: np.ndarray, labels: np.ndarray | Labels) -> Scores:
    """Outputs (n, ...) against labels, which may refine the task.

    Raises
    ------
    DataError
        Labels that do not fit.
    """
    known = read_labels(task, labels, len(outputs))
    sums = Sums()
    for part in _parts(outputs):
        sums += counted(outputs[part], known[part])
    return Scores.of(known.task, sums, known)


def against(task: Task, outputs: np.ndarray, exact: np.ndarray) -> Scores:
    """Outputs (n, ...) against the ANN's; `accuracy` is the agreement."""
    sums = Sums()
    for part in _parts(outputs):
        sums += compared(task, outputs[part], exact[part])
    return Scores.of(task, sums)


def _parts(outputs: np.ndarray) -> list[slice]:
    n = len(outputs)
    size = max(1, _PART // max(1, outputs[:1].size))
    return [slice(first, first + size) for first in range(0, n, size)]


def _mean_iou(overlap: np.ndarray) -> float | None:
    both, first, second = overlap
    union = first + second - both
    seen = union > 0
    return float(100 * np.mean(both[seen] / union[seen])) if seen.any() else None


def _r2(squared: np.ndarray, labels: np.ndarray) -> float | None:
    values = labels.reshape(len(labels), -1)
    mean = values.mean(0, dtype=np.float64)
    spread = np.zeros(values.shape[1])
    size = max(1, _PART // max(1, values.shape[1]))
    for first in range(0, len(values), size):
        spread += ((values[first : first + size] - mean) ** 2).sum(0)
    varies = spread > 0
    return float(np.mean(1 - squared[varies] / spread[varies])) if varies.any() else None
