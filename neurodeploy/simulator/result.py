"""What a run returns, whichever back end ran it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from neurodeploy.errors import DataError
from neurodeploy.warning import Warn

__all__ = ["Result", "warn_of_overflow"]


@dataclass(frozen=True)
class Result:
    """Outputs and costs of a run over n samples.

    Attributes
    ----------
    outputs
        float32 (n, *output shape): decoded membrane, in the network's own units.
    spikes
        int64 (n,) by population: spikes a sample.
    synaptic_operations
        int64 (n,) by connection (``source->target``): messages times fan-out.
    wrapped, clipped
        Overflows that really happened, by population (sums over all samples).
    seconds
        Wall time of the run.
    """

    outputs: np.ndarray
    spikes: dict[str, np.ndarray]
    synaptic_operations: dict[str, np.ndarray]
    wrapped: dict[str, int] = field(default_factory=dict)
    clipped: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0

    @classmethod
    def join(cls, parts: Sequence[Result], seconds: float) -> Result:
        """One result of runs over consecutive samples of a data set.

        Parameters
        ----------
        parts
            At least one, in the order of the samples.
        seconds
            Wall time of all.
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
            seconds=seconds,
        )

    @property
    def samples(self) -> int:
        """Number of samples."""
        return int(self.outputs.shape[0])

    @property
    def predictions(self) -> np.ndarray:
        """int64 (n,): index of the largest output."""
        return self.outputs.reshape(self.samples, -1).argmax(1)

    @property
    def spikes_per_sample(self) -> float:
        """Mean spikes a sample, all populations (input messages not counted)."""
        return float(sum(s.sum() for s in self.spikes.values()) / self.samples)

    @property
    def synaptic_operations_per_sample(self) -> float:
        """Mean synaptic operations a sample, all connections."""
        return float(sum(s.sum() for s in self.synaptic_operations.values()) / self.samples)

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

    def accuracy(self, labels: np.ndarray) -> float:
        """Share of predictions equal to `labels`, in percent.

        Raises
        ------
        DataError
            Not one label a sample.
        """
        if np.size(labels) != self.samples:
            raise DataError(f"{np.size(labels)} labels for {self.samples} samples")
        return float(100 * np.mean(self.predictions == np.asarray(labels).reshape(-1)))


def warn_of_overflow(result: Result, warn: Warn) -> None:
    """A line for each population whose registers really overflowed."""
    for kind, counts in (("current wrapped", result.wrapped), ("membrane clipped", result.clipped)):
        for name, count in counts.items():
            if count:
                warn(f"{name}: a {kind} {count:,} times")
