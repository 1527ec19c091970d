"""What a run returns, whichever back end ran it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from neurodeploy.display import Displayed
from neurodeploy.errors import DataError, DataWarning
from neurodeploy.metrics.label_checks import look_at_labels
from neurodeploy.metrics.labels import Labels
from neurodeploy.metrics.model_outputs import beside
from neurodeploy.metrics.scores import Scores, against, judge
from neurodeploy.metrics.task import Task, from_shape
from neurodeploy.metrics.task_from_labels import read_labels
from neurodeploy.warning import Warn, warner

__all__ = ["Result", "warn_of_overflow"]


@dataclass(frozen=True, repr=False)
class Result(Displayed):
    """Outputs and costs of a run over n samples.

    Attributes
    ----------
    outputs
        float32 (n, *output shape): decoded membrane, in the network's own units. What the model
        does behind its last layer (Sigmoid, Softmax) is left to `predictions`.
    spikes
        int64 (n,) by population: spikes a sample.
    synaptic_operations
        int64 (n,) by connection (``source->target``): messages times fan-out.
    wrapped, clipped
        Overflows that really happened, by population (sums over all samples).
    unsettled
        Neurons whose integer is not that of the closed form, by population (sums over all
        samples), of those that it may happen to: the online code.
    seconds
        Wall time of the run, in seconds.
    task
        What the outputs are, hence what `predictions` are; default: by their shape.
    """

    outputs: np.ndarray
    spikes: dict[str, np.ndarray]
    synaptic_operations: dict[str, np.ndarray]
    wrapped: dict[str, int] = field(default_factory=dict)
    clipped: dict[str, int] = field(default_factory=dict)
    unsettled: dict[str, int] = field(default_factory=dict, kw_only=True)
    seconds: float = 0.0
    task: Task = None  # type: ignore[assignment]  # never None once built

    def __post_init__(self) -> None:
        if self.task is None:
            object.__setattr__(self, "task", from_shape(self.outputs.shape[1:]))

    @classmethod
    def join(cls, parts: Sequence[Result], seconds: float) -> Result:
        """One result of runs over consecutive samples of a data set.

        Parameters
        ----------
        parts
            At least one, in the order of the samples.
        seconds
            Wall time of all, in seconds.

        Returns
        -------
        Result
            Rows of all, in order; counts of overflows added up.
        """
        first = parts[0]

        def rows(of: str) -> dict[str, np.ndarray]:
            return {
                name: np.concatenate([getattr(part, of)[name] for part in parts])
                for name in getattr(first, of)
            }

        def sums(of: str) -> dict[str, int]:
            return {
                name: sum(getattr(part, of)[name] for part in parts) for name in getattr(first, of)
            }

        return cls(
            outputs=np.concatenate([part.outputs for part in parts]),
            spikes=rows("spikes"),
            synaptic_operations=rows("synaptic_operations"),
            wrapped=sums("wrapped"),
            clipped=sums("clipped"),
            unsettled=sums("unsettled"),
            seconds=seconds,
            task=first.task,
        )

    @property
    def samples(self) -> int:
        """Number of samples."""
        return int(self.outputs.shape[0])

    @property
    def predictions(self) -> np.ndarray:
        """What the outputs say, by `task` (docs/metrics.md).

        int64 (n,): 0 or 1 of one logit, the index of the largest of several outputs; int64 (n,
        *positions): a class for each pixel or step; float32 (n, *output shape): the numbers of a
        regression, in the model's units.
        """
        return self.task.predict(self.outputs)

    @property
    def spikes_per_sample(self) -> float:
        """Mean spikes a sample, all populations (input messages not counted)."""
        return float(sum(s.sum() for s in self.spikes.values()) / self.samples)

    @property
    def synaptic_operations_per_sample(self) -> float:
        """Mean synaptic operations a sample, all connections."""
        return float(sum(s.sum() for s in self.synaptic_operations.values()) / self.samples)

    def facts(self) -> dict[str, Any]:
        """See `Displayed.facts`."""
        return {
            "samples": self.samples,
            "outputs": self.outputs.shape,
            "task": self.task.kind,
            "spikes_per_sample": self.spikes_per_sample,
            "synaptic_operations_per_sample": self.synaptic_operations_per_sample,
        }

    def records(self) -> list[dict[str, Any]]:
        """A row a sample.

        Returns
        -------
        list of dict
            Its prediction where that is one number, its spikes and synaptic operations.
        """
        spikes = sum(np.asarray(s, np.int64) for s in self.spikes.values())
        work = sum(np.asarray(s, np.int64) for s in self.synaptic_operations.values())
        totals = [np.broadcast_to(values, self.samples) for values in (spikes, work)]
        said = self.predictions
        rows: list[dict[str, Any]] = []
        for index in range(self.samples):
            row = {"prediction": said[index].item()} if said[index].size == 1 else {}
            counts = {"spikes": int(totals[0][index]), "synaptic_operations": int(totals[1][index])}
            rows.append({"sample": index, **row, **counts})
        return rows

    def to_dict(self) -> dict[str, Any]:
        """Outputs and counts as lists and numbers.

        Returns
        -------
        dict
            JSON-like: the attributes, and `samples` and `predictions`.
        """
        return {
            "samples": self.samples,
            "task": self.task.kind,
            "outputs": self.outputs.tolist(),
            "predictions": self.predictions.tolist(),
            "spikes": {name: np.asarray(s).tolist() for name, s in self.spikes.items()},
            "synaptic_operations": {
                name: np.asarray(s).tolist() for name, s in self.synaptic_operations.items()
            },
            "wrapped": {name: int(count) for name, count in self.wrapped.items()},
            "clipped": {name: int(count) for name, count in self.clipped.items()},
            "unsettled": {name: int(count) for name, count in self.unsettled.items()},
            "seconds": self.seconds,
        }

    @property
    def checksum(self) -> str:
        """SHA-256 of everything but `seconds`, in hexadecimal: equal results, equal checksums.

        Over ``outputs``, ``spikes``, ``synaptic_operations``, ``wrapped`` and ``clipped``, in
        this order, each population or connection in the order of its name. Of each part: a line
        with the field, the name and the shape, then the values in C order, float32 or int64,
        little-endian.
        """
        digest = hashlib.sha256()

        def add(part: str, name: str, values: Any, dtype: str) -> None:
            digest.update(f"{part} {name!r} {np.shape(values)}\n".encode())
            digest.update(np.ascontiguousarray(values, dtype).data)

        add("outputs", "", self.outputs, "<f4")
        for part in ("spikes", "synaptic_operations", "wrapped", "clipped"):
            for name, values in sorted(getattr(self, part).items()):
                add(part, name, values, "<i8")
        return digest.hexdigest()

    def scores(
        self, labels: np.ndarray | Labels, task: str | None = None, warn: Warn | None = None
    ) -> Scores:
        """How the outputs compare with labels, by what both are (docs/metrics.md).

        Parameters
        ----------
        labels
            (n, ...): classes (integers), one-hot rows, masks (bool or integers), or the numbers
            of a regression (floats, in the model's units).
        task
            One of `metrics.KINDS`; default: as the program and the labels say.
        warn
            Called with what does not fit in labels that were not read before. Default: Python's
            warnings, of the class ``DataWarning``.

        Returns
        -------
        Scores
            Accuracy with its 95 % interval (percent), or errors in the model's units.

        Raises
        ------
        DataError
            Labels that do not fit the outputs.
        UsageError
            A task that there is not, or that the outputs cannot be of.

        References
        ----------
        Wilson 1927, "Probable inference, the law of succession, and statistical inference", JASA
        22, p. 209 (the interval of a share).
        """
        chosen = self.task if task is None else self.task.as_kind(task)
        known = read_labels(chosen, labels, self.samples)
        if known is not labels:
            look_at_labels(known, warner(warn, DataWarning))
        return judge(chosen, self.outputs, known)

    def against(
        self, exact: np.ndarray, task: str | None = None, warn: Warn | None = None
    ) -> Scores:
        """How the outputs compare with the ANN's; `accuracy` is the agreement.

        Parameters
        ----------
        exact
            float32 (n, *output shape): before the model's final Sigmoid, Tanh or Softmax, as
            `outputs` are, or behind it, as ONNX Runtime gives them; which of the two is told from
            the numbers.
        task
            One of `metrics.KINDS`; default: as the program says.
        warn
            Called where they are taken to come from behind. Default: Python's warnings, of the
            class ``DataWarning``.

        Returns
        -------
        Scores
            `accuracy` is the agreement, in percent; errors are in the model's units.

        Raises
        ------
        DataError
            Not as many numbers as outputs.
        """
        chosen = self.task if task is None else self.task.as_kind(task)
        return against(*beside(chosen, self.outputs, exact, warner(warn, DataWarning)))

    def accuracy(self, labels: np.ndarray | Labels) -> float:
        """Share of answers equal to `labels`.

        Parameters
        ----------
        labels
            As for `Result.scores`.

        Returns
        -------
        float
            Percent.

        Raises
        ------
        DataError
            Labels that do not fit, or that are the numbers of a regression: see `scores`.
        """
        found = self.scores(labels).accuracy
        if found is None:
            raise DataError(
                "there is no accuracy: labels or outputs are numbers, not classes",
                remedy="use `scores`, which gives the RMS error",
            )
        return found


def warn_of_overflow(result: Result, warn: Warn) -> None:
    """A line for each population whose registers really overflowed."""
    for kind, counts in (("current wrapped", result.wrapped), ("membrane clipped", result.clipped)):
        for name, count in counts.items():
            if count:
                warn(f"{name}: a {kind} {count:,} times")
    for name, count in result.unsettled.items():
        if count:
            warn(
                f"{name}: {count:,} times a neuron had not settled when its last digit was sent: "
                "its integer is not the radix code's; a larger --delay helps"
            )
