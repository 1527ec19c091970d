"""Spike trains of the populations on the calibration samples."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from neurodeploy.network.batched import pooling_map, synapse_map
from neurodeploy.network.stages import Shape, Stage
from neurodeploy.program import INPUT, Synapses

__all__ = ["Arrived", "Trains", "samples_to_step"]

#: Samples times steps that are looked at, and messages of the largest population among them.
_ROWS, _MESSAGES = 4096, 2**26
_LEAST, _MOST = 16, 128
#: Rows that go through a layer at once, and messages in them, at most.
_PART, _PART_MESSAGES = 512, 2**24


class Arrived(Protocol):
    """A connection as far as currents need it."""

    @property
    def source(self) -> str:
        """Name of the population."""

    @property
    def synapses(self) -> Synapses:
        """Its weights."""

    @property
    def exponent(self) -> int:
        """Left shift of their sums."""


def samples_to_step(
    x: np.ndarray, stages: tuple[Stage, ...], steps: int, *, few: bool = False
) -> np.ndarray:
    """Of the calibration samples, evenly spaced, those whose every step is looked at.

    Parameters
    ----------
    few
        Half of the usual number: enough to tell several ways of making the layers apart.
    """
    if not len(x):
        return x
    largest = max([x[0].size, *(stage.bias.size for stage in stages)])
    count = min(max(_ROWS // steps, _LEAST), _MOST, max(_MESSAGES // (largest * steps), 4), len(x))
    if few:
        count = min(max(count // 2, _LEAST), count)
    return x[np.linspace(0, len(x) - 1, count).astype(int)]


@dataclass
class Trains:
    """Messages of each population: (steps, samples, neurons), or one row where all are alike.

    Those of a population are dropped when its last reader has been run.
    """

    steps: int
    shapes: dict[str, Shape]
    readers: dict[str, int]
    values: dict[str, np.ndarray] = field(default_factory=dict)

    @classmethod
    def of(
        cls, stages: tuple[Stage, ...], shape: Shape, steps: int, messages: np.ndarray
    ) -> Trains:
        """At the entrance."""
        readers: dict[str, int] = {}
        for stage in stages:
            for path in stage.paths:
                readers[path.source] = readers.get(path.source, 0) + 1
        shapes = {INPUT: shape} | {stage.name: stage.shape for stage in stages}
        return cls(steps, shapes, readers, {INPUT: messages})

    def currents(self, arrivals: Sequence[Arrived]) -> np.ndarray:
        """What arrives at each step: float32 (steps or 1, samples, neurons)."""
        assert arrivals, "a layer without a source"
        steps = max(len(self.values[arrival.source]) for arrival in arrivals)
        total: np.ndarray | None = None
        for arrival in arrivals:
            run = synapse_map(arrival.synapses, self.shapes[arrival.source])
            factor = np.float32(1 << arrival.exponent)
            for at, part in _by_parts(run, self.values[arrival.source]):
                part *= factor
                if total is None:
                    samples = self.values[arrival.source].shape[1]
                    total = np.zeros((steps, samples, part.shape[2]), np.float32)
                alike = len(self.values[arrival.source]) < steps  # one row for all steps
                total[slice(None) if alike else at] += part
        assert total is not None
        return total

    def largest(self, stage: Stage) -> np.ndarray:
        """What a maximum of counts sends for a max pooling."""
        (path,) = stage.paths
        run = pooling_map(path.operator, self.shapes[path.source])
        messages = self.values[path.source]
        found = np.empty((*messages.shape[:2], stage.bias.size), np.int8)
        for sample in range(messages.shape[1]):
            counts = np.cumsum(messages[:, sample], axis=0, dtype=np.float32)
            parts = [part for _, part in _by_parts(run, counts[:, None])]
            pooled = np.concatenate(parts)[:, 0]
            found[:, sample] = np.diff(pooled, axis=0, prepend=np.float32(0))
        return found

    def keep(self, stage: Stage, messages: np.ndarray) -> None:
        """What a stage sends; trains that nothing reads any more are dropped."""
        self.values[stage.name] = messages
        for path in stage.paths:
            self.readers[path.source] -= 1
            if self.readers[path.source] == 0:
                del self.values[path.source]


def _by_parts(
    run: Callable[[np.ndarray], np.ndarray], x: np.ndarray
) -> Iterator[tuple[slice, np.ndarray]]:
    """Steps at a time that memory holds: which, and float32 (those steps, samples, neurons)."""
    steps, samples, neurons = x.shape
    rows = max(1, min(_PART, _PART_MESSAGES // neurons) // samples)
    for first in range(0, steps, rows):
        part = x[first : first + rows].reshape(-1, neurons).astype(np.float32)
        found = run(part)
        yield slice(first, first + rows), found.reshape(-1, samples, found.shape[1])
