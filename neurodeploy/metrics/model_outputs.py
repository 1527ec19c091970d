"""The ANN's outputs as a user has them: before what stands behind the last layer, or behind it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from neurodeploy.errors import DataError
from neurodeploy.metrics.task import Task
from neurodeploy.warning import Warn

__all__ = ["beside"]

_SHARES = (0.0, 1.0)
#: Least and largest number behind an operator, by the last of a link.
_IMAGES = {
    "Sigmoid": _SHARES,
    "QLinearSigmoid": _SHARES,
    "Softmax": _SHARES,
    "QLinearSoftmax": _SHARES,
    "Tanh": (-1.0, 1.0),
    "LogSoftmax": (-np.inf, 0.0),
    "Log": (-np.inf, 0.0),
}


def beside(
    task: Task, outputs: np.ndarray, exact: Any, warn: Warn
) -> tuple[Task, np.ndarray, np.ndarray]:
    """Outputs of a run and of the ANN in the same units, and the task that reads both.

    A program ends before the model's final Sigmoid, Tanh or Softmax (`Task.link`); ONNX Runtime
    gives what comes behind it. Where the ANN's outputs are numbers that the link may give, and
    nearer to ours behind the link than before it, they are taken to come from behind it, and a
    line says so.

    Parameters
    ----------
    outputs
        (n, *output shape), as the program decodes them.
    exact
        The ANN's, as many; axes of length one do not matter.

    Returns
    -------
    The task, `outputs` and `exact`, all three before the link or all three behind it.

    Raises
    ------
    DataError
        As many numbers as outputs are needed: classes are not outputs.
    """
    found = np.asarray(exact)
    if found.dtype.kind not in "biuf" or found.size != outputs.size or len(found) != len(outputs):
        raise DataError(
            f"the ANN's outputs are {found.dtype} {found.shape}, the program's {outputs.shape}",
            remedy="give the numbers before an ArgMax, as many as the program has; classes are "
            "compared by scores(classes)",
        )
    found = found.reshape(outputs.shape).astype(np.float64)
    if not np.isfinite(found).all() and "Log" not in task.link:
        raise DataError("the ANN's outputs hold NaN or infinity")
    low, high = _IMAGES[task.link[-1]] if task.link else (0.0, -1.0)
    if not ((found >= low) & (found <= high)).all():
        return task, outputs, found
    behind = replace(task, kind="regression").values(outputs)
    if not _distance(behind, found) < _distance(outputs, found):
        return task, outputs, found
    link = ", ".join(task.link)
    warn(f"the ANN's outputs are taken as they come behind the final {link}; so are the program's")
    one = replace(task, kind="regression", shape=(1,), axis=None)
    threshold = float(one.values(np.full((1, 1), task.threshold))[0, 0])
    return replace(task, link=(), threshold=threshold), behind.reshape(outputs.shape), found


def _distance(a: np.ndarray, b: np.ndarray) -> float:
    finite = np.isfinite(a.reshape(b.shape)) & np.isfinite(b)
    difference = np.where(finite, a.reshape(b.shape), 0) - np.where(finite, b, 0)
    return float((difference**2).sum())
