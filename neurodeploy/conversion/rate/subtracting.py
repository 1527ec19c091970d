"""Layers of `integrate_fire` neurons: reset by subtraction, a threshold a neuron, exact biases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from neurodeploy.conversion.rate.firing import Firing, Reset, near_threshold
from neurodeploy.conversion.rate.trains import Arrived
from neurodeploy.errors import ConversionError
from neurodeploy.network.stages import Stage
from neurodeploy.program import IntegrateFire, Neuron
from neurodeploy.program.neurons.arithmetic import MEMBRANE_LIMIT
from neurodeploy.quantization.window import Arriving, Integers, quantize_stage
from neurodeploy.targets import Target

__all__ = ["STARTS", "Subtracting", "SubtractingLayer"]

#: Of neurons that take no spike back: shares of a threshold that are there at a window's begin.
STARTS = (0.5, 0.0)

#: Steps of the largest input for which a hidden membrane has room.
_ROOM = 64


@dataclass(frozen=True, eq=False)
class SubtractingLayer:
    """Integers of a layer over a window: what its messages add up to in it.

    The bias of a window is spread over its steps; what is left of the division is there from the
    beginning, so none of it is lost.
    """

    integers: Integers
    steps: int
    signed: bool
    start: float = 0.5

    @property
    def arrivals(self) -> Sequence[Arrived]:
        """Its connections."""
        return self.integers.arrivals

    @property
    def unit(self) -> np.ndarray:
        """Real value of one spike in a window, float64 (neurons,)."""
        return self.integers.unit

    @property
    def scale(self) -> np.ndarray:
        """Real value of one membrane integer at a window's end, float64 (neurons,)."""
        return self.integers.scale

    @property
    def bias(self) -> np.ndarray:
        """Membrane integers that its bias adds in a window."""
        return self.integers.bias

    @property
    def membrane(self) -> np.ndarray:
        """The same: what arrives is not shifted."""
        return self.integers.scale

    @property
    def range(self) -> tuple[bool, int, int]:
        """Whether its sums are proved to stay in 24 bit, their bound, and the largest seen."""
        known = self.integers.range
        return known.proved, known.bound, known.seen

    def firing(self) -> Firing:
        """The same as reals, to be stepped on the calibration samples."""
        bias, initial = self._split()
        threshold = self.integers.slope.astype(np.float64)
        reset: Reset = "signed" if self.signed else "subtract"
        return Firing(bias.astype(np.float64), threshold, initial.astype(np.float64), reset)

    @property
    def level(self) -> np.ndarray:
        """Lambda, float64 (neurons,)."""
        return self.unit * self.steps

    def valued(self, worth: np.ndarray) -> SubtractingLayer:
        """With another real value of a spike."""
        whole = self.integers
        units = worth.reshape(whole.units.size, -1)[:, 0]
        units = near_threshold(units, whole.scales * whole.slopes)
        return replace(self, integers=replace(whole, units=units))

    def corrected(self, lacks: np.ndarray) -> SubtractingLayer:
        """With what neurons lack on average (real, over a window) in the bias."""
        bias = self.integers.bias + np.rint(lacks / self.scale)
        most = MEMBRANE_LIMIT // 2 * self.steps
        bias = np.clip(bias, -most, most).astype(np.int64)
        return replace(self, integers=replace(self.integers, bias=bias))

    def neuron(self, *, fires: bool) -> Neuron:
        """The population's neurons."""
        bias, initial = self._split(fires)
        slope = self.integers.slope
        return IntegrateFire(
            bias.astype(np.int32), slope.astype(np.int32), initial.astype(np.int32),
            signed=self.signed, fires=fires,
        )  # fmt: skip

    def _split(self, fires: bool = True) -> tuple[np.ndarray, np.ndarray]:
        """Bias of a step, and initial membrane: half a threshold, and the rest of the bias.

        What of the half threshold is not there at the `start` comes bit by bit: a neuron that
        cannot take spikes back is then less ready to fire for what comes first.
        """
        total = self.integers.bias
        half = self.integers.slope >> 1 if fires else np.zeros_like(self.integers.slope)
        early = np.rint(self.start * 2 * half).astype(np.int64)
        total = total + half - early
        bias = total // self.steps
        return bias, early + (total - bias * self.steps)


@dataclass(frozen=True)
class Subtracting:
    """How layers become `SubtractingLayer`.

    Attributes
    ----------
    signed
        Whether spikes are taken back.
    weight_max
        Largest magnitude of a weight.
    start
        Membrane at a window's begin, in thresholds. Half a threshold makes a count round; what of
        it is not there at the begin comes bit by bit.
    """

    signed: bool
    weight_max: int
    start: float = 0.5

    @property
    def free(self) -> bool:
        """What comes unevenly and is never taken back is too much here and too little there."""
        return not self.signed

    @property
    def told(self) -> dict[str, Any]:
        """What it was, for the provenance."""
        return {} if self.signed else {"initial_share": self.start}

    def layer(
        self,
        stage: Stage,
        bias: np.ndarray,
        arriving: Sequence[Arriving],
        step: np.ndarray,
        steps: int,
        reach: np.ndarray,
        target: Target,
        *,
        one_unit: bool,
    ) -> SubtractingLayer:
        """A stage in integers; parameters as for `quantize_stage`.

        Hidden membranes are cut back by each spike, so they need not hold the sum of a long window:
        `_ROOM` steps will do, or fewer where no scale makes room for so many. A readout has to
        hold it; where it cannot, it may overflow, and the compiler says so.
        """
        room = steps if stage.is_readout else min(steps, _ROOM)
        while True:
            share = room / steps
            try:
                found = quantize_stage(
                    stage, bias * share,
                    tuple(replace(a, low=_part(a.low, share), top=_part(a.top, share))
                          for a in arriving),
                    step, room, reach * share,
                    weight_max=self.weight_max, exponent_max=target.exponent_max,
                    one_unit=one_unit, spread=True,
                )  # fmt: skip
                break
            except ConversionError:
                if room == 1:
                    raise
                room = max(1, room // 2)
        if room < steps:
            whole = np.rint(bias / found.scale).astype(np.int64)
            found = replace(found, bias=whole, range=replace(found.range, proved=False))
        return SubtractingLayer(found, steps, self.signed, self.start)


def _part(end: int, share: float) -> int:
    return int(np.ceil(abs(end) * share)) * (1 if end > 0 else -1 if end < 0 else 0)
