"""What is counted of outputs beside labels, or beside the ANN's outputs; parts can be added."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neurodeploy.metrics.labels import Labels
from neurodeploy.metrics.task import Task

__all__ = ["TOP", "TOP_FROM", "Sums", "compared", "counted"]

#: Outputs among which the label may be, and the number of classes from which that is counted.
TOP, TOP_FROM = 5, 20


@dataclass(frozen=True, eq=False)
class Sums:
    """Counts over some samples.

    Attributes
    ----------
    samples, elements
        Samples; and answers that were judged: pixels, steps, or labels of a segmentation or
        multilabel task, else one a sample.
    right, top, ignored
        Answers that are right; right among the five largest outputs; elements not judged.
    overlap
        int64 (3, classes) of a segmentation: elements of each class in both, in the first, in
        the second.
    squared
        float64 (outputs,): squared differences; None where there are no numbers to compare.
    largest
        Largest difference.
    """

    samples: int = 0
    elements: int = 0
    right: int = 0
    top: int = 0
    ignored: int = 0
    overlap: np.ndarray | None = None
    squared: np.ndarray | None = None
    largest: float = 0.0

    def __add__(self, other: Sums) -> Sums:
        def both(a: np.ndarray | None, b: np.ndarray | None) -> np.ndarray | None:
            return b if a is None else a if b is None else a + b

        return Sums(
            self.samples + other.samples,
            self.elements + other.elements,
            self.right + other.right,
            self.top + other.top,
            self.ignored + other.ignored,
            both(self.overlap, other.overlap),
            both(self.squared, other.squared),
            max(self.largest, other.largest),
        )


def counted(outputs: np.ndarray, labels: Labels) -> Sums:
    """Outputs (n, ...) held against labels of the same samples."""
    task = labels.task
    if task.kind == "regression":
        return _differences(task.values(outputs), labels.values)
    predicted, truth = task.predict(outputs), labels.values
    ignored = labels.ignored
    if ignored is not None:
        predicted, truth = predicted[~ignored], truth[~ignored]
    top = 0
    if task.kind == "classification" and task.classes >= TOP_FROM:
        top = _among_largest(outputs.reshape(len(outputs), -1), truth)
    return Sums(
        len(outputs),
        truth.size,
        int(np.count_nonzero(predicted == truth)),
        top,
        0 if ignored is None else int(ignored.sum()),
        _overlap(task, predicted, truth),
    )


def compared(task: Task, outputs: np.ndarray, exact: np.ndarray) -> Sums:
    """Outputs (n, ...) held against the ANN's of the same samples: answers and numbers."""
    numbers = _differences(task.values(outputs), task.values(exact))
    if task.kind == "regression":
        return numbers
    mine, theirs = task.predict(outputs), task.predict(exact)
    right = int(np.count_nonzero(mine == theirs))
    return Sums(
        len(mine),
        mine.size,
        right,
        overlap=_overlap(task, mine, theirs),
        squared=numbers.squared,
        largest=numbers.largest,
    )


def _differences(a: np.ndarray, b: np.ndarray) -> Sums:
    n = len(a)
    difference = (a.astype(np.float64) - b).reshape(n, -1)
    return Sums(
        n,
        difference.size,
        squared=(difference**2).sum(0),
        largest=float(np.abs(difference).max(initial=0.0)),
    )


def _among_largest(outputs: np.ndarray, classes: np.ndarray) -> int:
    """How many labels are among the largest outputs; of equal ones the first count first."""
    known = (classes >= 0) & (classes < outputs.shape[1])
    place = np.where(known, classes, 0).astype(np.int64)[:, None]
    own = np.take_along_axis(outputs, place, 1)
    before = (outputs == own) & (np.arange(outputs.shape[1]) < place)
    ahead = ((outputs > own) | before).sum(1)
    return int(np.count_nonzero(known & (ahead < TOP)))


def _overlap(task: Task, first: np.ndarray, second: np.ndarray) -> np.ndarray | None:
    if task.kind != "segmentation":
        return None
    a, b = first.reshape(-1), second.reshape(-1)
    b = np.where((b >= 0) & (b < task.classes), b, task.classes)  # no class
    size = task.classes + 1
    found = [np.bincount(v, minlength=size)[:-1] for v in (a[a == b], a, b)]
    return np.stack(found).astype(np.int64)
