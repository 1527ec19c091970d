"""Labels as a task has them: classes, masks, numbers, in whatever form they were written."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

from neurodeploy.errors import DataError
from neurodeploy.metrics.task import Task

__all__ = [
    "IGNORED",
    "READERS",
    "Labels",
    "hot_axis",
    "one_hot",
    "same",
    "two",
    "unfit",
    "whole",
]

#: Labels that say "not judged" where they are no classes (Pascal VOC; the usual -1; PyTorch).
IGNORED = (255, -1, -100)


@dataclass(frozen=True, eq=False)
class Labels:
    """Labels of a task.

    Attributes
    ----------
    task
        As it is judged: what was inferred of the model, refined by the labels.
    values
        (n, *task.predicted_shape): classes of an integer dtype, or the numbers of a regression.
    """

    task: Task
    values: np.ndarray

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, part: slice) -> Labels:
        """Those of consecutive samples."""
        return Labels(self.task, self.values[part])

    @property
    def ignored(self) -> np.ndarray | None:
        """bool, of the shape of `values`: not judged; None where there is none."""
        if self.task.kind != "segmentation":
            return None
        marks = [mark for mark in IGNORED if not 0 <= mark < self.task.classes]
        found = np.isin(self.values, marks)
        return found if found.any() else None

    @property
    def outside(self) -> tuple[int, int, int] | None:
        """Of labels that are no class: how many, the lowest and highest of all; None if none is.

        They count as wrong.
        """
        if self.task.kind == "regression" or not self.values.size:
            return None
        wrong = (self.values < 0) | (self.values >= self.task.classes)
        ignored = self.ignored
        if ignored is not None:
            wrong &= ~ignored
        if not wrong.any():
            return None
        judged = self.values if ignored is None else self.values[~ignored]
        return int(wrong.sum()), int(judged.min()), int(judged.max())


def whole(y: np.ndarray) -> bool:
    return y.dtype.kind in "iu" or bool((y == np.rint(y)).all())


def two(y: np.ndarray) -> int | None:
    """The lower of two values, 0 (and 1) or -1 (and 1); None where labels are others."""
    low, high = y.min(), y.max()
    if low < -1 or high > 1 or not whole(y):
        return None
    if low == -1:
        return None if (y == 0).any() else -1
    return 0


def one_hot(rows: np.ndarray, axis: int) -> bool:
    """Whether exactly one along an axis is 1, all others 0 (or -1)."""
    return two(rows) is not None and bool(((rows == 1).sum(axis) == 1).all())


def hot_axis(task: Task, y: np.ndarray) -> tuple[np.ndarray, int] | None:
    """One-hot labels with the axis of their classes, which may be another than the model's."""
    n = len(y)
    if task.is_vector or task.axis is None:
        rows = y.reshape(n, -1)
        return (rows, 1) if rows.shape[1] == task.size and one_hot(rows, 1) else None
    axis, shape = 1 + task.axis, (n, *task.shape)
    if y.shape in (shape, (n, task.size)):
        rows = y.reshape(shape)
        if one_hot(rows, axis):
            return rows, axis
    rest = (n, *task.predicted_shape_of(task.axis))
    for other in range(1, y.ndim):
        fits = y.shape[other] == shape[axis] and y.shape[:other] + y.shape[other + 1 :] == rest
        if fits and one_hot(y, other):
            return y, other
    return None


def _binary(task: Task, y: np.ndarray) -> Labels:
    if y.size == 2 * len(y) and one_hot(y.reshape(len(y), 2), 1):
        return Labels(task, y.reshape(len(y), 2).argmax(1))
    y = _sized(task, y)
    if two(y) is None:
        raise unfit(
            task,
            y,
            f"run from {y.min():g} to {y.max():g}",
            "give 0 and 1, false and true, or -1 and 1; numbers are judged with --task regression",
        )
    return Labels(task, (y > 0).astype(np.int64))


def _classification(task: Task, y: np.ndarray) -> Labels:
    if y.size == len(y) * task.size:
        hot = hot_axis(task, y.reshape(len(y), -1)) if task.is_vector else None
        if hot is None and not task.stated:
            raise unfit(task, y, "are no classes")
        rows = y.reshape(len(y), -1)
        return Labels(task, rows.argmax(1))
    y = _sized(task, y)
    if not whole(y):
        raise unfit(task, y, "are fractions", "give whole numbers from 0 on, the classes")
    if task.classes == 2 and two(y) == -1:
        return Labels(task, (y > 0).astype(np.int64))
    return Labels(task, _integers(y))


def _segmentation(task: Task, y: np.ndarray) -> Labels:
    n = len(y)
    if not task.one_logit and y.size == n * task.size:
        hot = hot_axis(task, y)
        if hot is None:
            raise unfit(task, y, "are not one-hot")
        return Labels(task, hot[0].argmax(hot[1]).reshape(n, *task.predicted_shape))
    y = _sized(task, y)
    if not whole(y):
        raise unfit(task, y, "are fractions", "give whole numbers from 0 on, the classes")
    if task.classes == 2 and two(y) == -1:
        return Labels(task, (y > 0).astype(np.int64))
    return Labels(task, _integers(y))


def _multilabel(task: Task, y: np.ndarray) -> Labels:
    y = _sized(task, y)
    if two(y) is None:
        raise unfit(task, y, f"run from {y.min():g} to {y.max():g}", "give 0 and 1, or -1 and 1")
    return Labels(task, (y > 0).astype(np.int64))


def _regression(task: Task, y: np.ndarray) -> Labels:
    return Labels(task, _sized(task, y))


READERS = {
    "binary": _binary,
    "classification": _classification,
    "multilabel": _multilabel,
    "segmentation": _segmentation,
    "regression": _regression,
}


def _integers(y: np.ndarray) -> np.ndarray:
    """Whole numbers in a signed integer dtype; those beyond it are no classes anyway."""
    if y.dtype.kind == "i":
        return y
    return np.clip(y, -(2**62), 2**62).astype(np.int64)


def same(shape: tuple[int, ...], rest: tuple[int, ...]) -> bool:
    return tuple(n for n in shape if n > 1) == rest


def _sized(task: Task, y: np.ndarray) -> np.ndarray:
    """Labels as (n, *predicted shape); axes of length one and flattening do not matter."""
    shape = task.predicted_shape
    rest = tuple(n for n in y.shape[1:] if n > 1)
    flat = rest == ((prod(shape),) if prod(shape) > 1 else ())
    if not (same(shape, rest) or flat):
        raise unfit(task, y, "do not have the predictions' shape")
    return y.reshape(len(y), *shape)


def unfit(task: Task, y: np.ndarray, why: str, remedy: str = "") -> DataError:
    """Labels that the outputs cannot be held against."""
    shape = task.predicted_shape
    wanted = "one a sample" if not shape else f"of shape (n, {', '.join(map(str, shape))})"
    kinds = {
        "binary": "0 or 1",
        "classification": f"a class of 0..{task.classes - 1}",
        "multilabel": "0 or 1",
        "segmentation": f"a class of 0..{task.classes - 1}",
        "regression": "a number",
    }
    return DataError(
        f"labels {y.dtype} {y.shape} {why}; outputs of shape (n, "
        f"{', '.join(map(str, task.shape))}) are judged as {task.kind} ({task.reason})",
        remedy=remedy or f"give {kinds[task.kind]}, {wanted}; or state another --task",
    )
