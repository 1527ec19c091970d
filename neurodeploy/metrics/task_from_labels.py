"""What labels say about the task: they may change what was inferred of the model."""

from __future__ import annotations

import numpy as np

from neurodeploy.errors import DataError
from neurodeploy.metrics.labels import (
    IGNORED,
    READERS,
    Labels,
    hot_axis,
    one_hot,
    same,
    two,
    unfit,
    whole,
)
from neurodeploy.metrics.task import Kind, Task

__all__ = ["read_labels", "refined"]


def refined(task: Task, labels: np.ndarray) -> Task:
    """The task as labels have it; see `read_labels`."""
    return read_labels(task, labels).task


def read_labels(task: Task, labels: np.ndarray | Labels, samples: int | None = None) -> Labels:
    """Labels as the task has them; where the user did not state it, labels may change it.

    1. Two values for one output, 0 and 1, false and true, or -1 and 1: binary; other numbers are
       a regression's, behind a Sigmoid only fractions.
    2. One whole number a sample for several outputs: classification.
    3. As many numbers as outputs: one-hot rows are classes (but behind a Sigmoid: multilabel),
       other rows of 0 and 1 multilabel, everything else a regression.
    4. One whole number a pixel or step: segmentation, along the axis that is left over.
    5. A regression that was inferred stays one where a label is given for each output, unless
       labels are integers of 0 and 1.

    Parameters
    ----------
    labels
        (n, ...), of a boolean, integer or float dtype. Axes of length one do not matter, and a
        sample's labels may be flattened.
    samples
        How many there must be.

    Raises
    ------
    DataError
        They do not fit the outputs, or are NaN or infinite.
    """
    if isinstance(labels, Labels):
        if samples not in (None, len(labels)):
            raise DataError(f"{len(labels)} labels for {samples} samples")
        return labels
    if np.ma.is_masked(labels):
        raise DataError(
            "masked labels: what lies under the mask would count",
            remedy="fill them with 255, the mark for what is not judged, or leave them out",
        )
    try:
        y = np.asarray(labels)
    except ValueError as error:  # ragged lists
        raise DataError(f"labels that are no array ({str(error)[:100]})") from None
    if y.dtype.kind not in "biuf":
        raise unfit(task, y, "are no numbers")
    n = samples if samples is not None else (len(y) if y.ndim else 0)
    if n and y.size == n:
        y = y.reshape(n)
    if not y.ndim or len(y) != n or not y.size:
        raise DataError(
            f"{len(y) if y.ndim else y.size} labels for {n} samples",
            remedy="give labels (n, ...) for samples (n, ...), or leave them out",
        )
    if y.dtype.kind == "f" and not np.isfinite(y).all():
        raise DataError("labels hold NaN or infinity", remedy="leave those samples out")
    if y.dtype.kind == "b":
        y = y.astype(np.uint8)
    if task.kind == "segmentation":
        task = _along(task, y)
    return READERS[task.kind](task, y) if task.stated else _inferred(task, y)


def _inferred(task: Task, y: np.ndarray) -> Labels:
    """Labels of a task that they may change."""
    each = y.size // len(y)
    if task.size == 1:
        return _of_one(task, y)
    if each == task.size:
        return _of_each(task, y)
    if each == 1 and task.is_vector:
        return READERS["classification"](
            _changed(task, "classification", "a class for each sample"), y
        )
    if whole(y) and not task.is_vector:
        return READERS["segmentation"](_along(_changed(task, "segmentation", _EACH), y), y)
    raise unfit(task, y, "fit no reading of the outputs")


_EACH = "a class for each pixel or step"


def _changed(task: Task, kind: Kind, what: str) -> Task:
    """The task, of this kind because of its labels; unchanged where it was of it before."""
    if task.kind == kind:
        return task
    return task.become(kind, f"labels are {what}")


def _of_one(task: Task, y: np.ndarray) -> Labels:
    """One output in all."""
    each = y.size // len(y)
    if each == 2 and one_hot(y.reshape(len(y), 2), 1):
        return READERS["binary"](_changed(task, "binary", "one of two"), y)
    if each != 1:
        raise unfit(task, y, "are several for one output")
    if two(y) is not None:
        return READERS["binary"](_changed(task, "binary", "of two values"), y)
    if whole(y) and (_squashed(task) or (y.min(), y.max()) == (1, 2)):
        return READERS["binary"](task, y)  # refused there, with the values
    return READERS["regression"](_changed(task, "regression", "numbers, not two classes"), y)


def _of_each(task: Task, y: np.ndarray) -> Labels:
    """As many numbers as outputs."""
    single = task.axis is not None and task.shape[task.axis] == 1
    floats = y.dtype.kind == "f"
    flags = two(y) is not None and (
        not floats or task.kind != "regression" or (single and _squashed(task))
    )
    if task.kind == "segmentation" and (single or task.axis is None):
        if flags or (not floats and _is_mask(task, y)):
            return READERS["segmentation"](task, y)
    elif task.kind == "regression" and flags and single:
        return READERS["segmentation"](_changed(task, "segmentation", "of two values"), y)
    elif flags and task.kind not in ("multilabel", "regression") and hot_axis(task, y):
        kind: Kind = "classification" if task.is_vector else "segmentation"
        return READERS[kind](_changed(task, kind, "one-hot"), y)
    elif flags:
        return READERS["multilabel"](_changed(task, "multilabel", "yes or no for each output"), y)
    return READERS["regression"](_changed(task, "regression", "a number for each output"), y)


def _is_mask(task: Task, y: np.ndarray) -> bool:
    """Whether integers are two classes and the mark for what is not judged."""
    if not np.isin(y, (0, 1, IGNORED[0])).all():
        return False
    if not (y == 1).any():
        raise unfit(task, y, f"are 0 and {IGNORED[0]}", "give 0 and 1, or false and true")
    return True


def _squashed(task: Task) -> bool:
    """Whether a single output is a probability."""
    return task.threshold != 0 or any(name.endswith("Sigmoid") for name in task.link)


def _along(task: Task, y: np.ndarray) -> Task:
    """A segmentation whose class axis is the one that labels do not have.

    Only where the model does not say: two axes of one length leave it as it was.
    """
    if task.sure or task.shape[task.axis or 0] == 1:
        return task
    rest = tuple(n for n in y.shape[1:] if n > 1)
    fits = [axis for axis in range(len(task.shape)) if same(task.predicted_shape_of(axis), rest)]
    if not fits or task.axis in fits:
        return task
    return task.become(task.kind, f"{task.reason}, along axis {fits[0]}", fits[0])
