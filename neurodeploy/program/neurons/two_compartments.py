"""Reset by subtraction from two stock compartments; `docs/semantics.md`, section 16.

One compartment accumulates. The other compares and sends; its spike also goes through a synapse of
one step's delay to the first, which it inhibits by the threshold.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np

from neurodeploy.program.neurons.arithmetic import MEMBRANE_LIMIT, clip24, wrap24
from neurodeploy.program.neurons.base import Register, State, StateVariable, Stepped
from neurodeploy.program.neurons.fields import integer, per_neuron
from neurodeploy.program.neurons.lif import (
    BIAS_MANTISSA_MAX,
    BIAS_MANTISSA_MIN,
    STOCK_SHIFT,
)
from neurodeploy.program.neurons.mantissa_bias import MantissaBias
from neurodeploy.program.neurons.membrane_range import membrane_range
from neurodeploy.program.neurons.registry import register
from neurodeploy.program.neurons.worst_case import Bounds, Drive

__all__ = ["TwoCompartments"]


@register
@dataclass(frozen=True, eq=False)
class TwoCompartments(MantissaBias):
    """Integrate-and-fire with soft reset, without microcode.

    Attributes
    ----------
    bias_mantissa
        int16 array, one entry a neuron (flat), -4096..4095.
    threshold_mantissa, threshold_exponent
        Weight and exponent of the synapse that inhibits: the threshold is ``mantissa <<
        exponent``, in weight integers.
    bias_exponent
        0..7; the bias added at each step is ``mantissa << exponent``.
    v_initial
        Membrane at the start of a sample, in membrane integers: what the reset between samples
        writes.
    """

    bias_mantissa: np.ndarray = per_neuron(
        np.int16,
        BIAS_MANTISSA_MIN,
        BIAS_MANTISSA_MAX,
        tensor="bias",
        bits="13 bit signed",
        usual=(-100, 100),
    )
    threshold_mantissa: int = integer(1, 127)
    threshold_exponent: int = integer(0, 7, 0)
    bias_exponent: int = integer(0, 7, 0)
    v_initial: int = integer(
        -MEMBRANE_LIMIT, MEMBRANE_LIMIT, 0, usual=(-(2**14), 2**14), optional=True
    )

    kind: ClassVar[str] = "two_compartments"
    description: ClassVar[str] = "reset by subtraction from two stock compartments (Loihi 1)"
    compartments: ClassVar[int] = 2
    states: ClassVar[tuple[StateVariable, ...]] = (
        StateVariable("u", 24, "synaptic current"),
        StateVariable("v", 24, "membrane of the compartment that accumulates"),
        StateVariable("spiked", 1, "the inhibition under way"),
    )
    #: Whatever its parameters: both compartments are stock.
    stock: ClassVar[Mapping[str, Any] | None] = MappingProxyType({})

    @property
    def threshold(self) -> int:
        """In weight integers, as the chip's register and the synapse hold it."""
        return self.threshold_mantissa << self.threshold_exponent

    @property
    def shipped(self) -> str:
        """Lava has no neuron of several compartments."""
        return "two compartments of NxSDK"

    @property
    def input_shift(self) -> int:
        """That of the stock neuron."""
        return STOCK_SHIFT

    @property
    def membrane_scale(self) -> tuple[int, str]:
        """Thresholds."""
        return self.threshold << STOCK_SHIFT, "thresholds"

    def registers(self) -> tuple[Register, ...]:
        """Threshold, bias mantissa and exponent."""
        return Register("threshold", 0, self.threshold), *super().registers()

    def step(self, state: State, a: np.ndarray, tau: int, period: int) -> Stepped:
        """(i) to (iv) of section 16."""
        if tau == 0:
            state["v"] = np.full(a.size, self.v_initial, np.int64)
            state["spiked"] = np.zeros(a.size, np.int64)
        u, wrapped = wrap24((a - state["spiked"] * self.threshold) << STOCK_SHIFT)
        v, clipped = clip24(state["v"] + u + self.bias)
        spikes = (v > self.threshold << STOCK_SHIFT).astype(np.int64)
        state["u"], state["v"], state["spiked"] = u, v, spikes
        return Stepped(spikes, wrapped, clipped)

    def bounds(self, drive: Drive, period: int) -> Bounds:
        """As with reset by subtraction; the current carries the inhibition, too."""
        least, most = drive.extremes
        current = ((least - self.threshold) << STOCK_SHIFT, most << STOCK_SHIFT)
        bias = self.bias.astype(np.int64)
        low, high = drive.limited()
        membrane = membrane_range(
            ((low << STOCK_SHIFT) + bias, (high << STOCK_SHIFT) + bias),
            self.threshold << STOCK_SHIFT, "subtract", self.v_initial, period,
        )  # fmt: skip
        return Bounds(drive.extremes, current, membrane)
