"""What one integer of each population stands for, stage by stage, sources first."""

from __future__ import annotations

import numpy as np

from neurodeploy.conversion.silent_neurons import Silenced
from neurodeploy.conversion.window.steps import channels_of
from neurodeploy.network import Conv
from neurodeploy.network.stages import Shape, Stage, apply_operator
from neurodeploy.program import INPUT
from neurodeploy.quantization.layer import Arrival
from neurodeploy.quantization.window import Arriving, fold

__all__ = ["Units"]


class Units:
    """Of the populations so far: what their integers are worth, and how large they get.

    Attributes
    ----------
    shapes
        By name.
    unit, zero
        float64 (neurons,) by name: real value of one integer, and of the integer 0.
    ends
        Lowest and highest integer by name.
    one_unit
        Stages that are pooled after their elements were moved, so that channels may mix: one
        integer has to stand for the same in all of them.
    silenced
        Neurons that can never fire.
    """

    def __init__(
        self,
        stages: tuple[Stage, ...],
        shape: Shape,
        unit: np.ndarray,
        zero: np.ndarray,
        ends: tuple[int, int],
    ) -> None:
        self.shapes: dict[str, Shape] = {INPUT: shape}
        self.unit, self.zero, self.ends = {INPUT: unit}, {INPUT: zero}, {INPUT: ends}
        self.one_unit = _with_one_unit(stages)
        self.silenced = Silenced()

    def arriving(self, stage: Stage) -> tuple[np.ndarray, tuple[Arriving, ...]]:
        """Bias and operators: offsets in the bias, nothing of neurons that can never fire."""
        bias = stage.bias.astype(np.float64)
        for path in stage.paths:
            zero = self.zero[path.source]
            if zero.any():
                shaped = zero.reshape(self.shapes[path.source])
                bias = bias + apply_operator(path.operator, shaped)
        arrivals = tuple(
            Arrival(
                path.source,
                fold(path.operator, self.unit[path.source], self.shapes[path.source]),
                1.0,
                # counts are never negative, whatever is taken back
                self.ends[INPUT][0] if path.source == INPUT else 0,
                self.ends[path.source][1],
                graded=True,
                delay=1,
            )
            for path in stage.paths
        )
        bias, arrivals = self.silenced(stage, bias, arrivals)
        return bias, tuple(
            Arriving(a.source, a.operator, a.high, self.ends[a.source][0]) for a in arrivals
        )

    def summed(self, stage: Stage, unit: np.ndarray, ends: tuple[int, int]) -> None:
        """A stage that sums is made: one of its integers is worth `unit`, 0 is 0."""
        self.shapes[stage.name], self.ends[stage.name] = stage.shape, ends
        self.unit[stage.name], self.zero[stage.name] = unit, np.zeros(unit.size)

    def pooled(self, stage: Stage) -> None:
        """A max pooling: what its source says, channel by channel."""
        (path,) = stage.paths
        source = path.source
        channels = channels_of(stage.shape)
        each = stage.bias.size // channels
        for known in (self.unit, self.zero):
            by_channel = known[source].reshape(channels_of(self.shapes[source]), -1)[:, 0]
            if source in self.one_unit:
                by_channel = np.full(channels, by_channel[0])
            known[stage.name] = np.repeat(by_channel, each)
        self.shapes[stage.name], self.ends[stage.name] = stage.shape, self.ends[source]


def _with_one_unit(stages: tuple[Stage, ...]) -> set[str]:
    found: set[str] = set()
    for stage in reversed(stages):
        if stage.kind == "max":
            (path,) = stage.paths
            if stage.name in found or not isinstance(path.operator, Conv):
                found |= {path.source, stage.name}
    return found
