"""Spike trains of the populations on the calibration samples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
#: Rows that go through a layer at once.
_PART = 512


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


def samples_to_step(x: np.ndarray, stages: tuple[Stage, ...], steps: int) -> np.ndarray:
    """Of the calibration samples, evenly spaced, those whose every step is looked at."""
    if not len(x):
        return x
    largest = max([x[0].size, *(stage.bias.size for stage in stages)])
    count = min(max(_ROWS // steps, _LEAST), _MOST, max(_MESSAGES // (largest * steps), 4), len(x))
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
        total: np.ndarray | None = None
        for arrival in arrivals:
            run = synapse_map(arrival.synapses, self.shapes[arrival.source])
            part = _by_parts(run, self.values[arrival.source])
            part *= np.float32(1 << arrival.exponent)
            if total is None or len(total) < len(part):
                total = part if total is None else part + total
            else:
                total += part
        assert total is not None, "a layer without a source"
        return total

    def largest(self, stage: Stage) -> np.ndarray:
        """What a maximum of counts sends for a max pooling."""
        (path,) = stage.paths
        counts = np.cumsum(self.values[path.source], axis=0, dtype=np.float32)
        pooled = _by_parts(pooling_map(path.operator, self.shapes[path.source]), counts)
        return np.diff(pooled, axis=0, prepend=np.float32(0)).astype(np.int8)

    def keep(self, stage: Stage, messages: np.ndarray) -> None:
        """What a stage sends; trains that nothing reads any more are dropped."""
        self.values[stage.name] = messages
        for path in stage.paths:
            self.readers[path.source] -= 1
            if self.readers[path.source] == 0:
                del self.values[path.source]


def _by_parts(run: Callable[[np.ndarray], np.ndarray], x: np.ndarray) -> np.ndarray:
    rows = x.reshape(-1, x.shape[2])
    found = [run(rows[i : i + _PART].astype(np.float32)) for i in range(0, len(rows), _PART)]
    return np.concatenate(found).reshape(*x.shape[:2], -1)
