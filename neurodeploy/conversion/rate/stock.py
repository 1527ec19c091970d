"""Layers of neurons that chips have without microcode: reset to zero, or two compartments.

They have one threshold a layer and start at 0. A lambda for each channel comes from the weights:
those of a channel are divided by its lambda, so that all have the threshold 1. Half a threshold,
which makes a count round, comes as bias, spread over the steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from neurodeploy.conversion.rate.firing import Firing, Reset, near_threshold
from neurodeploy.conversion.rate.trains import Arrived
from neurodeploy.network.stages import Stage
from neurodeploy.program import Connection, Lif, Neuron, TwoCompartments
from neurodeploy.program.neurons.lif import STOCK_SHIFT
from neurodeploy.quantization.layer import (
    Arrival,
    LayerPlan,
    QuantizedLayer,
    quantize_layer,
)
from neurodeploy.quantization.window import Arriving, divided_rows
from neurodeploy.targets import Target

__all__ = ["HEIGHTS", "Stock", "StockLayer"]

#: Thresholds that are tried, as multiples of lambda, one for all layers. A neuron that is reset to
#: zero says 1/ceil(threshold/z): low rates make that staircase fine. But each spike then stands for
#: more, so what arrives behind it is uneven, and only the network's outputs tell which weighs more.
HEIGHTS = (1.0, 1.5, 2.0, 3.0, 4.0, 6.0)


@dataclass(frozen=True, eq=False)
class StockLayer:
    """A layer, and what is needed to make it again with other biases.

    Attributes
    ----------
    stage, arriving
        In real units of each channel's lambda.
    whole
        float64 (neurons,): real bias over a window, likewise.
    level
        float64 (neurons,): lambda of each neuron; ones for a readout.
    worth
        float64 (neurons,): real value of one spike in a window.
    """

    stage: Stage
    arriving: tuple[Arrival, ...]
    whole: np.ndarray
    level: np.ndarray
    worth: np.ndarray
    plan: LayerPlan
    steps: int
    target: Target
    made: QuantizedLayer

    @property
    def arrivals(self) -> Sequence[Arrived]:
        """Its connections."""
        return self.made.connections

    @property
    def connections(self) -> tuple[Connection, ...]:
        """The same."""
        return self.made.connections

    @property
    def unit(self) -> np.ndarray:
        """Real value of one spike in a window, float64 (neurons,)."""
        return self.worth if not self.stage.is_readout else np.zeros(self.worth.size)

    @property
    def scale(self) -> np.ndarray:
        """Real value at a window's end of what a weight integer adds, float64 (neurons,)."""
        return self.level * (self.made.scale / self.steps)

    @property
    def membrane(self) -> np.ndarray:
        """Real value of one membrane integer at a window's end."""
        return self.scale / 2**STOCK_SHIFT

    @property
    def bias(self) -> np.ndarray:
        """Weight integers that its bias adds in a window."""
        return self.made.neuron.bias * (self.steps / 2**STOCK_SHIFT)

    def firing(self) -> Firing:
        """The same as reals, to be stepped on the calibration samples; in weight integers."""
        size = self.level.size
        threshold = np.full(size, float(self.made.neuron.threshold))
        reset: Reset = "zero" if self.plan.reset == "zero" else "subtract"
        bias = self.made.neuron.bias / 2**STOCK_SHIFT
        initial = np.full(size, self.made.neuron.v_initial / 2**STOCK_SHIFT)
        return Firing(bias, threshold, initial, reset, strict=True)

    def corrected(self, lacks: np.ndarray) -> StockLayer:
        """With what neurons lack on average (real, over a window) in the bias."""
        whole = self.whole + lacks / self.level
        stage = replace(self.stage, bias=whole)
        made = quantize_layer(stage, self.arriving, self.plan, self.target, self.steps)
        if made.scale != self.made.scale:  # biases would take bits of the weights: leave them
            return self
        return replace(self, stage=stage, whole=whole, made=made)

    def valued(self, worth: np.ndarray) -> StockLayer:
        """With another real value of a spike."""
        if self.plan.reset != "zero":
            worth = near_threshold(worth, self.level * self.made.level / self.steps)
        return replace(self, worth=worth)

    def neuron(self, *, fires: bool) -> Neuron:
        """The population's neurons."""
        neuron: Lif = self.made.neuron
        if self.plan.reset == "zero" or not fires:
            return neuron
        exponent = max(neuron.threshold.bit_length() - 7, 0)
        return TwoCompartments(
            neuron.bias_mantissa,
            neuron.threshold >> exponent,
            exponent,
            neuron.bias_exponent,
            neuron.v_initial,
        )


@dataclass(frozen=True)
class Stock:
    """How layers become `StockLayer`.

    Attributes
    ----------
    reset
        ``zero``, or ``subtract`` by two compartments.
    output
        Largest magnitude of the network's outputs seen.
    height
        Thresholds, as multiples of lambda.
    start
        With `subtract`, membrane at a window's begin, in thresholds: half of one makes a count
        round; what of it is not there at the begin comes bit by bit.
    """

    reset: str
    output: float
    height: float = 1.0
    start: float = 0.0

    @property
    def told(self) -> dict[str, Any]:
        """What it was, for the provenance."""
        if self.reset == "zero":
            return {"threshold_height": self.height}
        return {"initial_share": self.start}

    #: A spike may stand for something else than its threshold: overshoot is lost, and what comes
    #: unevenly is never taken back.
    free: ClassVar[bool] = True

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
    ) -> StockLayer:
        """A stage in integers; parameters as for `quantize_stage`."""
        channels = stage.shape[0]
        least = step.max(initial=0) or 1.0
        level = np.where(step > 0, step, least) * steps
        if stage.is_readout:
            level = np.ones(channels)
        rows = np.repeat(level, bias.size // channels)
        arrivals = tuple(
            Arrival(
                a.source,
                divided_rows(a.operator, rows, channels),
                float(steps),
                int(np.ceil(a.low / steps)),
                int(np.ceil(a.top / steps)),
                graded=a.top > steps or a.low < 0,
                delay=1,
            )
            for a in arriving
        )
        clip = None if stage.maximum is None else float((stage.maximum / level).max()) * self.height
        inner = replace(stage, bias=bias / rows, maximum=clip)
        plan = self._plan(stage, steps)
        made = quantize_layer(inner, arrivals, plan, target, steps)
        worth = rows * made.level / steps
        return StockLayer(inner, arrivals, inner.bias, rows, worth, plan, steps, target, made)

    def _plan(self, stage: Stage, steps: int) -> LayerPlan:
        stock = (STOCK_SHIFT,)
        if stage.is_readout:
            # the stock neuron always has a threshold: keep it twice as far as any output seen
            return LayerPlan(0.0, "zero", 0.0, 0.0, stock, 2 * steps * self.output)
        if self.reset == "zero":
            return LayerPlan(self.height, "zero", 0.0, 0.5 / steps, stock)
        gradual = (0.5 - self.start) / steps
        return LayerPlan(
            self.height, "subtract", self.start, gradual, stock, threshold_mantissa=127
        )
