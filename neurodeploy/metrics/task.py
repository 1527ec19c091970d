"""What a network's output is, and what it predicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite, prod
from typing import Any, Literal, get_args

import numpy as np

from neurodeploy.errors import UsageError
from neurodeploy.program import Program

__all__ = ["KINDS", "Kind", "Task"]

Kind = Literal["binary", "classification", "multilabel", "segmentation", "regression"]
KINDS: tuple[Kind, ...] = get_args(Kind)


def _sigmoid(x: np.ndarray, axis: int) -> np.ndarray:
    return 0.5 * (1 + np.tanh(0.5 * x))


def _log_softmax(x: np.ndarray, axis: int) -> np.ndarray:
    x = x - x.max(axis, keepdims=True)
    return x - np.log(np.exp(x).sum(axis, keepdims=True))


def _softmax(x: np.ndarray, axis: int) -> np.ndarray:
    return np.exp(_log_softmax(x, axis))


def _log(x: np.ndarray, axis: int) -> np.ndarray:
    with np.errstate(divide="ignore"):
        return np.log(x)


#: What the model does behind the program's output, by the operator's name.
_LINKS = {
    "Sigmoid": _sigmoid,
    "QLinearSigmoid": _sigmoid,
    "Tanh": lambda x, axis: np.tanh(x),
    "Softmax": _softmax,
    "QLinearSoftmax": _softmax,
    "LogSoftmax": _log_softmax,
    "Log": _log,
}


@dataclass(frozen=True)
class Task:
    """How outputs are read.

    Attributes
    ----------
    kind
        ``binary``: one logit. ``classification``: the largest of all outputs. ``multilabel``:
        each output says yes or no. ``segmentation``: a class for each pixel or step (dense
        classification). ``regression``: the numbers themselves.
    shape
        Of a sample's output, as the model gives it.
    axis
        Of a segmentation: where in `shape` the classes lie; None (or an axis of length one)
        where each element is a logit.
    threshold
        Above it a single logit says yes.
    link
        Operators of the model behind the program's output (``Sigmoid``), in order. They keep the
        order of outputs, so only a regression applies them.
    reason
        Why it is taken for this kind.
    stated
        Whether the user said so; then labels do not change it.
    sure
        Whether `axis` is known from the model, and not only usual.
    """

    kind: Kind
    shape: tuple[int, ...]
    axis: int | None = None
    threshold: float = 0.0
    link: tuple[str, ...] = ()
    reason: str = ""
    stated: bool = False
    sure: bool = False

    @classmethod
    def of(cls, program: Program, override: str | None = None) -> Task:
        """The task that a program says it has; else by the number of its outputs.

        Parameters
        ----------
        override
            One of `KINDS`: what the user says it is.

        Raises
        ------
        UsageError
            There is no such kind, or the outputs cannot be of it.
        """
        shape = program.output_shape
        task = _recorded(program.recorded("task"), prod(shape))
        if task is None:
            decoder = program.recorded("model").get("decoder")
            names = decoder if isinstance(decoder, list | tuple) else ()
            read = program.population(program.decoder.population).shape
            if program.recorded("model"):
                read = _plain(read)
            shape = program.decoder.output_shape(read, program.period)
            task = from_shape(shape, [name for name in names if isinstance(name, str)])
        return task if override is None else task.as_kind(override)

    @property
    def size(self) -> int:
        """Outputs of a sample."""
        return prod(self.shape)

    @property
    def is_vector(self) -> bool:
        """Whether at most one axis of the output is longer than one."""
        return max(self.shape, default=1) == self.size

    @property
    def one_logit(self) -> bool:
        """Whether an element of the output decides by its sign alone."""
        if self.kind == "segmentation":
            return self.axis is None or self.shape[self.axis] == 1
        return self.kind in ("binary", "multilabel")

    @property
    def classes(self) -> int:
        """Classes to choose from; 0 for a regression."""
        if self.kind == "regression":
            return 0
        if self.one_logit:
            return 2
        if self.kind == "classification" or self.axis is None:
            return self.size
        return self.shape[self.axis]

    @property
    def predicted_shape(self) -> tuple[int, ...]:
        """Of a sample's prediction."""
        if self.kind in ("binary", "classification"):
            return ()
        if self.kind == "segmentation" and self.axis is not None:
            return self.predicted_shape_of(self.axis)
        return self.shape

    def predicted_shape_of(self, axis: int) -> tuple[int, ...]:
        """The output's shape without an axis."""
        return self.shape[:axis] + self.shape[axis + 1 :]

    @property
    def by_element(self) -> bool:
        """Whether a sample has several answers that are right or wrong each."""
        return self.kind in ("multilabel", "segmentation")

    def shaped(self, outputs: np.ndarray) -> np.ndarray:
        """Outputs as (n, *shape)."""
        return outputs.reshape(len(outputs), *self.shape)

    def predict(self, outputs: np.ndarray) -> np.ndarray:
        """What outputs (n, ...) say: int64 (n, *predicted shape), or of a regression `values`."""
        x = self.shaped(outputs)
        if self.kind == "regression":
            return self.values(outputs)
        if self.kind == "classification":
            return x.reshape(len(x), self.size).argmax(1)
        if self.kind == "segmentation" and not self.one_logit:
            assert self.axis is not None
            return x.argmax(1 + self.axis)
        return (x > self.threshold).astype(np.int64).reshape(len(x), *self.predicted_shape)

    def values(self, outputs: np.ndarray) -> np.ndarray:
        """Outputs (n, ...) in the model's own units: float32 (n, *shape), `link` applied."""
        x = self.shaped(outputs)
        if self.kind != "regression" or not self.link:
            return x
        found = x.astype(np.float64)
        if self.axis is None:  # of all outputs
            found = found.reshape(len(x), self.size)
        axis = 1 if self.axis is None else 1 + self.axis
        for name in self.link:
            found = _LINKS[name](found, axis)
        return found.astype(np.float32).reshape(x.shape)

    def become(self, kind: Kind, reason: str, axis: int | None = None) -> Task:
        """The same output read as another kind."""
        axis = self.axis if axis is None else axis
        return replace(self, kind=kind, reason=reason, axis=axis)

    def as_kind(self, kind: str) -> Task:
        """What the user says it is.

        Raises
        ------
        UsageError
            There is no such kind, or the outputs cannot be of it.
        """
        if kind not in KINDS:
            raise UsageError(
                f"{kind!r} is not a task; there are: {', '.join(KINDS)}", place="--task"
            )
        what = "one output" if self.size == 1 else f"outputs of shape {self.shape}"
        wrong = {
            "binary": self.size > 1 and "has one output",
            "classification": self.size == 1 and "has an output for each class",
            "segmentation": self.is_vector
            and (self.size == 1 or self.axis is None)
            and "has classes for each pixel or step",
        }.get(kind)
        if wrong:
            raise UsageError(
                f"{kind} {wrong}, this program has {what}",
                place="--task",
                remedy="leave it out, or state another: " + ", ".join(KINDS),
            )
        stated = replace(self, kind=kind, reason="stated by the user", stated=True)
        if kind == "segmentation" and stated.axis is None and self.kind != "segmentation":
            return replace(stated, axis=0)
        return stated

    def as_dict(self) -> dict[str, Any]:
        """JSON-like; what `of` reads again."""
        return {
            "kind": self.kind,
            "shape": list(self.shape),
            "axis": self.axis,
            "threshold": self.threshold,
            "link": list(self.link),
            "reason": self.reason,
            "stated": self.stated,
            "sure": self.sure,
        }


def link_of(decoder: Sequence[str]) -> tuple[str, ...]:
    """Of the operators behind the program's output those that change numbers."""
    return tuple(name for name in decoder if name in _LINKS)


def from_shape(shape: tuple[int, ...], decoder: Sequence[str] = ()) -> Task:
    """By the outputs and what follows them, where no more is known of the model."""
    link = link_of(decoder)
    task = Task("classification", shape, link=link)
    sigmoid = any(name.endswith("Sigmoid") for name in link)
    if task.size == 1:
        return replace(task, kind="binary", reason="a final Sigmoid" if sigmoid else "one output")
    if task.is_vector:
        if sigmoid:
            return replace(
                task, kind="multilabel", reason=f"a final Sigmoid on {task.size} outputs"
            )
        return replace(task, reason=f"{task.size} outputs")
    if sigmoid and shape[0] > 1:
        return replace(task, kind="multilabel", reason="a final Sigmoid on each output")
    reason = "classes for each pixel or step, taken to lie along the first axis"
    if shape[0] == 1:
        reason = "one output for each pixel or step"
    return replace(task, kind="segmentation", axis=0, reason=reason)


def _plain(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Of a population: one-dimensional maps have height 1 there."""
    return (shape[0], shape[2]) if len(shape) == 3 and shape[1] == 1 else shape


def _recorded(record: Mapping[str, Any], size: int) -> Task | None:
    """What a program's provenance says; None where it says nothing that can be used."""
    kind, shape, axis = record.get("kind"), record.get("shape"), record.get("axis")
    threshold, link = record.get("threshold", 0.0), record.get("link", ())
    reason = record.get("reason")
    if (
        kind not in KINDS
        or not isinstance(shape, list | tuple)
        or any(type(n) is not int or n < 1 for n in shape)
        or prod(shape) != size
        or not (axis is None or (type(axis) is int and 0 <= axis < len(shape)))
        or type(threshold) not in (int, float)
        or not isfinite(threshold)
        or not isinstance(link, list | tuple)
        or any(not isinstance(name, str) or name not in _LINKS for name in link)
        or (kind == "binary" and size != 1)
        or (kind == "classification" and size == 1)
    ):
        return None
    return Task(
        kind,
        tuple(shape),
        axis,
        float(threshold),
        tuple(link),
        reason if isinstance(reason, str) and reason and reason.isprintable() else "the program",
        record.get("stated") is True,
        record.get("sure") is True,
    )
