"""Time to first spike; `docs/semantics.md`, section 4."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from neurodeploy.errors import ProgramError
from neurodeploy.program.neurons.arithmetic import MEMBRANE_LIMIT, clip24, wrap24
from neurodeploy.program.neurons.base import Neuron, State, StateVariable, Stepped
from neurodeploy.program.neurons.closed_form import Quotient
from neurodeploy.program.neurons.fields import flag, integer_or_each, per_neuron
from neurodeploy.program.neurons.registry import register
from neurodeploy.program.neurons.worst_case import Bounds, Drive
from neurodeploy.program.window_codes import OneMessage, Times, WindowCode

__all__ = ["Ttfs"]


@register
@dataclass(frozen=True, eq=False)
class Ttfs(Neuron):
    """Integrates in one window, fires once in the next (Stanojevic et al. 2024, the B1 model).

    A spike at step tau (from 0) of a window of W steps stands for the integer W - tau. The neuron
    sums weight times integer exactly and fires the rounded quotient by `slope`.

    Attributes
    ----------
    bias
        int32 array, one entry a neuron (flat), within 24 bit.
    slope
        Membrane integers that one output level stands for (1..2**23 - 1): one number for all
        neurons, or an int32 array with one for each.
    fires
        False for a readout, which only integrates.
    """

    bias: np.ndarray = per_neuron(
        np.int32, -MEMBRANE_LIMIT, MEMBRANE_LIMIT, tensor="bias", bits="24 bit", usual=(-500, 500)
    )
    slope: int | np.ndarray = integer_or_each(
        np.int32, 1, MEMBRANE_LIMIT, tensor="slope", bits="24 bit", usual=(1, 2000)
    )
    fires: bool = flag(True)

    kind: ClassVar[str] = "ttfs"
    description: ClassVar[str] = "time to first spike: sums exactly, fires once in the next window"
    states: ClassVar[tuple[StateVariable, ...]] = (
        StateVariable("u", 24, "slope of the membrane: weights that arrived so far"),
        StateVariable("v", 24, "membrane"),
        StateVariable("held", 24, "membrane at the end of the window before"),
        StateVariable("done", 1, "whether it fired in this window"),
    )
    lag: ClassVar[int] = 1
    sends_once: ClassVar[bool] = True
    message: ClassVar[str] = "time"

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.slope, np.ndarray) and self.slope.size != self.bias.size:
            raise ProgramError(f"{self.slope.size} slopes for {self.bias.size} biases")

    @property
    def slopes(self) -> np.ndarray:
        """`slope` of each neuron, int64 (neurons,)."""
        return np.broadcast_to(np.asarray(self.slope, np.int64), self.bias.shape)

    @property
    def sends(self) -> tuple[int, int]:
        """Spikes; nothing for a readout."""
        return (0, 1) if self.fires else (0, 0)

    @property
    def membrane_scale(self) -> tuple[int, str]:
        """Levels, by the middle one of the slopes: sent so many steps before the window's end."""
        middle = max(1, int(np.median(self.slope))) if np.size(self.slope) else 1
        return middle, "steps before the window's end"

    @property
    def membrane_bias(self) -> np.ndarray:
        """`bias`, once a window."""
        return self.bias

    def check_period(self, period: int) -> None:
        """The highest threshold, slope times period, stays within 24 bit."""
        largest = int(np.max(self.slope, initial=1))
        if largest * period > MEMBRANE_LIMIT:
            raise ProgramError(f"slope {largest} times {period} steps leaves 24 bit")

    def window_code(self, period: int) -> WindowCode:
        """Times."""
        return Times()

    def reads(self, code: WindowCode, period: int) -> bool:
        """Times; and one message at the window's last step, which is added once."""
        return isinstance(code, Times) or code == OneMessage(at_end=True)

    def closed_form(self, period: int) -> Quotient:
        """Sums exactly, sends the rounded quotient."""
        return Quotient(self.bias, self.slope, period, self.fires)

    def step(self, state: State, a: np.ndarray, tau: int, period: int) -> Stepped:
        """(i) to (iv) of section 4."""
        if tau == 0:
            state["held"] = state["v"]
            state["done"] = np.zeros(a.size, np.int64)
            state["u"] = np.zeros(a.size, np.int64)
            state["v"] = self.bias.astype(np.int64)
        state["u"], wrapped = wrap24(state["u"] + a)
        state["v"], clipped = clip24(state["v"] + state["u"])
        level = self.slopes * (period - tau) - (self.slopes >> 1)
        spikes = (state["done"] == 0) & (state["held"] >= level) & self.fires
        state["done"] = state["done"] | spikes
        return Stepped(spikes.astype(np.int64), wrapped, clipped)

    def bounds(self, drive: Drive, period: int) -> Bounds:
        """Each source fires once a window: u is a sum of weights, v at most `period` times that.

        v grows with u at every step, so what it reaches if all come at the first step, or only
        the positive or only the negative ones do, bounds it at every step.
        """
        if not drive.once:
            return Bounds(drive.extremes, None, None)
        bias = self.bias.astype(np.int64)
        low, high = drive.limited()
        if drive.whole is None:
            low, high = low * period, high * period
        else:
            low, high = drive.whole
        least, most = np.minimum(bias, bias + low), np.maximum(bias, bias + high)
        membrane = (int(least.min(initial=0)), int(most.max(initial=0)))
        return Bounds(drive.extremes, drive.extremes, membrane)
