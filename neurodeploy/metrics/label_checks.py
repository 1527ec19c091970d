"""Labels held against the classes that a task has: one line, with its remedy."""

from __future__ import annotations

import numpy as np

from neurodeploy.metrics.labels import Labels
from neurodeploy.warning import Warn

__all__ = ["label_line", "look_at_labels"]


def look_at_labels(labels: Labels | None, warn: Warn) -> None:
    """Say of labels, as the task has them, what does not fit its classes."""
    if labels is None or labels.task.kind == "regression":
        return
    ignored = labels.ignored
    values = labels.values if ignored is None else labels.values[~ignored]
    line = label_line(values, labels.task.classes)
    if line:
        warn(line)


def label_line(labels: np.ndarray, outputs: int) -> str:
    """What is wrong with class labels for a network of so many outputs; empty if nothing.

    One output tells two classes apart. Labels that are no whole numbers are not classes, and
    not looked at.
    """
    labels = np.asarray(labels)
    if labels.dtype.kind not in "iu" or labels.size == 0:
        return ""
    classes = max(2, outputs)
    low, high = int(labels.min()), int(labels.max())
    if low >= 1 and high == classes:
        return (
            f"labels run from {low} to {high}, the network's {classes} classes from 0 to "
            f"{classes - 1}: they seem to count from 1; give y - 1"
        )
    if low >= 0 and high < classes:
        return ""
    wrong = int(((labels < 0) | (labels >= classes)).sum())
    return (
        f"labels run from {low} to {high}, the network has classes 0 to {classes - 1}: "
        f"{wrong:,} of {labels.size:,} samples count as wrong; give the labels that the network "
        "was trained with"
    )
