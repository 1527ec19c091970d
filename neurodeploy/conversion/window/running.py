"""The float stages and the integer layers on the same samples, side by side."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from neurodeploy.network.batched import float_map, pooling_map, synapse_map
from neurodeploy.network.stages import Shape, Stage
from neurodeploy.program import INPUT
from neurodeploy.quantization.window import Integers

__all__ = ["Side", "samples_that_fit"]

#: Floats of the largest population, over all samples, at most.
_FLOATS = 2**25


def samples_that_fit(x: np.ndarray, stages: tuple[Stage, ...]) -> np.ndarray:
    """Of the samples, so many, evenly spaced, that their activations fit into memory."""
    largest = max([x[0].size, *(stage.bias.size for stage in stages)]) if len(x) else 1
    count = min(len(x), max(8, _FLOATS // largest))
    return x[np.linspace(0, len(x) - 1, count).astype(int)] if len(x) else x


@dataclass
class Side:
    """Values of the populations so far, float32 (samples, neurons), by name.

    Float values are activations; those of the integer side are the integers that are sent. A
    population's values are dropped when its last reader has been run.
    """

    shapes: dict[str, Shape]
    readers: dict[str, int]
    values: dict[str, np.ndarray] = field(default_factory=dict)

    @classmethod
    def of(cls, stages: tuple[Stage, ...], shape: Shape, x: np.ndarray) -> Side:
        """At the entrance; `shape` is the input's population."""
        shapes = {INPUT: shape} | {stage.name: stage.shape for stage in stages}
        readers = dict.fromkeys(shapes, 0)
        for stage in stages:
            for path in stage.paths:
                readers[path.source] += 1
        return cls(shapes, readers, {INPUT: x.reshape(len(x), -1).astype(np.float32)})

    def keep(self, stage: Stage, values: np.ndarray) -> None:
        """What a stage sends; values that nothing reads any more are dropped."""
        self.values[stage.name] = values
        for path in stage.paths:
            self.readers[path.source] -= 1
            if self.readers[path.source] == 0:
                del self.values[path.source]

    def floats(self, stage: Stage) -> np.ndarray:
        """The stage before its activation: float32 (samples, neurons)."""
        if stage.kind == "max":
            (path,) = stage.paths
            return pooling_map(path.operator, self.shapes[path.source])(self.values[path.source])
        total: np.ndarray = stage.bias.astype(np.float32)[None]
        for path in stage.paths:
            run = float_map(path.operator, self.shapes[path.source])
            total = total + run(self.values[path.source])
        return total

    def integers(self, stage: Stage, layer: Integers) -> np.ndarray:
        """The sums of a layer, its bias included: whole numbers, float32 (samples, neurons)."""
        total: np.ndarray = layer.bias.astype(np.float32)[None]
        for arrival in layer.arrivals:
            run = synapse_map(arrival.synapses, self.shapes[arrival.source])
            total = total + run(self.values[arrival.source]) * np.float32(1 << arrival.exponent)
        return total
