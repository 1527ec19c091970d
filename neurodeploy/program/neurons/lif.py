"""Leaky integrate-and-fire; `docs/semantics.md`, section 3."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar, Literal

import numpy as np

from neurodeploy.program.neurons.arithmetic import (
    CURRENT_LIMIT,
    MEMBRANE_LIMIT,
    clip24,
    decay,
    wrap24,
)
from neurodeploy.program.neurons.base import Register, State, StateVariable, Stepped
from neurodeploy.program.neurons.fields import choice, integer, per_neuron
from neurodeploy.program.neurons.mantissa_bias import MantissaBias
from neurodeploy.program.neurons.membrane_range import leaky_range, membrane_range
from neurodeploy.program.neurons.registry import register
from neurodeploy.program.neurons.worst_case import Bounds, Drive

__all__ = [
    "BIAS_MANTISSA_MAX",
    "BIAS_MANTISSA_MIN",
    "DECAY_ONE",
    "NO_CURRENT_MEMORY",
    "STOCK_SHIFT",
    "THRESHOLD_MAX",
    "Lif",
    "Reset",
]

#: `du` for a neuron whose synaptic current lasts one step only.
NO_CURRENT_MEMORY = 4095
#: A decay of everything; the registers of the stock neuron end one before it.
DECAY_ONE = 4096
#: The shift of synaptic input and threshold that the stock neuron fixes.
STOCK_SHIFT = 6
THRESHOLD_MAX = 2**17 - 1
BIAS_MANTISSA_MIN, BIAS_MANTISSA_MAX = -(2**12), 2**12 - 1

Reset = Literal["zero", "subtract", "none"]


@register
@dataclass(frozen=True, eq=False)
class Lif(MantissaBias):
    """Leaky integrate-and-fire with integer state.

    Attributes
    ----------
    bias_mantissa
        int16 array, one entry a neuron (flat), -4096..4095.
    bias_exponent
        0..7; the bias added to the membrane each step is ``mantissa << exponent``.
    threshold
        0..131071. The neuron fires when the membrane exceeds ``threshold << shift``.
    du, dv
        Decay of current and membrane, 0..4095. ``du = 4095``: no current memory; ``dv = 0``:
        no leak; ``dv = 4096``: no memory, which the stock neuron does not have.
    reset
        What a spike does to the membrane: set it to ``zero``, ``subtract`` the threshold, or
        ``none``: the neuron never fires and only integrates.
    shift
        Left shift of the synaptic input and of the threshold, 0..6. The stock neuron has 6.
    v_initial
        Membrane value at the start of a sample (at reset steps). The stock neuron has 0.
    quiet
        Steps at the end of each window in which the neuron integrates but does not fire, so
        that a spike on a cycle cannot reach the next sample's window. The stock neuron has 0.
    """

    bias_mantissa: np.ndarray = per_neuron(
        np.int16,
        BIAS_MANTISSA_MIN,
        BIAS_MANTISSA_MAX,
        tensor="bias",
        bits="13 bit signed",
        usual=(-100, 100),
    )
    threshold: int = integer(0, THRESHOLD_MAX, usual=(0, 3000))
    bias_exponent: int = integer(0, 7, 0)
    du: int = integer(0, 4095, NO_CURRENT_MEMORY)
    dv: int = integer(0, DECAY_ONE, 0)
    reset: Reset = choice("zero", "subtract", "none", default="zero")
    shift: int = integer(0, STOCK_SHIFT, STOCK_SHIFT)
    v_initial: int = integer(-MEMBRANE_LIMIT, MEMBRANE_LIMIT, 0, usual=(-(2**14), 2**14))
    quiet: int = integer(0, 2**31 - 1, 0, optional=True, usual=(0, 5))

    kind: ClassVar[str] = "lif"
    description: ClassVar[str] = (
        "leaky integrate-and-fire; reset to zero (stock), by subtraction, or none"
    )
    states: ClassVar[tuple[StateVariable, ...]] = (
        StateVariable("u", 24, "synaptic current"),
        StateVariable("v", 24, "membrane"),
    )
    #: Lava's `LIFReset`, and Loihi 1, compute exactly this neuron.
    stock: ClassVar[Mapping[str, Any] | None] = MappingProxyType(
        {"reset": "zero", "shift": STOCK_SHIFT, "v_initial": 0, "quiet": 0}
    )

    @property
    def is_stock(self) -> bool:
        """See `Neuron.is_stock`: `dv` has 12 bits there."""
        return super().is_stock and self.dv < DECAY_ONE

    @property
    def sends(self) -> tuple[int, int]:
        """Spikes; nothing with reset mode ``none``."""
        return (0, 0) if self.reset == "none" else (0, 1)

    @property
    def shipped(self) -> str:
        """The stock neuron is Lava's."""
        return "LIFReset of Lava" if self.is_stock else ""

    @property
    def input_shift(self) -> int:
        """`shift`."""
        return self.shift

    @property
    def membrane_scale(self) -> tuple[int, str]:
        """Thresholds."""
        return max(1, self.threshold << self.shift), "thresholds"

    def registers(self) -> tuple[Register, ...]:
        """Threshold, bias mantissa and exponent."""
        return Register("threshold", 0, self.threshold), *super().registers()

    def step(self, state: State, a: np.ndarray, tau: int, period: int) -> Stepped:
        """(i) to (v) of section 3."""
        if tau == 0:
            state["u"] = np.zeros(a.size, np.int64)
            state["v"] = np.full(a.size, self.v_initial, np.int64)
        u, wrapped = wrap24(decay(state["u"], self.du + 1) + (a << self.shift))
        v, clipped = clip24(decay(state["v"], self.dv) + u + self.bias)
        if self.reset == "none" or tau >= period - self.quiet:
            spikes = np.zeros(v.shape, bool)
        else:
            spikes = v > self.threshold << self.shift
        if self.reset == "zero":
            v = np.where(spikes, 0, v)
        else:
            v = v - spikes * (self.threshold << self.shift)
        state["u"], state["v"] = u, v
        return Stepped(spikes.astype(np.int64), wrapped, clipped)

    def is_silenced(self, drive: Drive, inhibition: np.ndarray, period: int) -> bool:
        """The highest membrane less the inhibition stays below the threshold, and u in 24 bit."""
        proof = self.bounds(drive, period)
        if not self.fires:
            return True
        if proof.membrane is None or not proof.cannot_wrap or self.du != NO_CURRENT_MEMORY:
            return False
        lowest = int((drive.low + inhibition).min(initial=0)) << self.shift
        highest = proof.membrane[1] + (int(inhibition.max(initial=-(2**30))) << self.shift)
        return lowest > -CURRENT_LIMIT and highest <= self.threshold << self.shift

    def rests(self, steps: int) -> bool:
        """Its bias alone does not reach the threshold."""
        most = max(int(self.bias.max(initial=0)), 0) * max(steps, 0)
        return not self.fires or most <= self.threshold << self.shift

    def bounds(self, drive: Drive, period: int) -> Bounds:
        """The extremes of current and membrane over a window, in closed form."""
        low, high = drive.limited()
        u_low, u_high = low << self.shift, high << self.shift
        if self.du != NO_CURRENT_MEMORY:
            u_low, u_high = leaky_range((u_low, u_high), self.du + 1, 0, period)
        current = (int(u_low.min(initial=0)), int(u_high.max(initial=0)))
        bias = self.bias.astype(np.int64)
        driven = u_low + bias, u_high + bias
        threshold = self.threshold << self.shift
        if self.dv == 0:
            membrane = membrane_range(
                driven, threshold, self.reset, self.v_initial, period, quiet=bool(self.quiet)
            )
        else:
            least, most = leaky_range(driven, self.dv, self.v_initial, period)
            top = int(most.max(initial=self.v_initial))
            # what it decays from is the threshold at most, unless it was quiet before
            if self.reset == "zero" and not self.quiet:
                drive_most = int(driven[1].max(initial=0))
                top = min(top, max(threshold, self.v_initial) + max(drive_most, 0))
            membrane = (int(least.min(initial=min(self.v_initial, 0))), top)
        return Bounds(drive.extremes, current, membrane)
