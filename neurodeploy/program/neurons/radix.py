"""Radix code: an integer digit by digit, the highest first; `docs/semantics.md`, section 9."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from neurodeploy.errors import ProgramError
from neurodeploy.program.neurons.arithmetic import MEMBRANE_LIMIT, clip24
from neurodeploy.program.neurons.base import Neuron, State, StateVariable, Stepped
from neurodeploy.program.neurons.closed_form import Quotient
from neurodeploy.program.neurons.fields import flag, integer, per_neuron
from neurodeploy.program.neurons.registry import register
from neurodeploy.program.neurons.worst_case import Bounds, Drive
from neurodeploy.program.window_codes import Digits, WindowCode

__all__ = ["Radix"]


@register
@dataclass(frozen=True, eq=False)
class Radix(Neuron):
    """Integrates digits in one window, divides and sends the quotient's digits in the next.

    Radix encoding (Wang et al. 2021, arXiv 2105.06943) in integers. With digits of one bit it sends
    binary spikes; with one digit of all bits (`digit` = `bits`) one graded message a sample. The
    quotient, rounded, comes from a restoring division by `slope`, a digit a step.

    Attributes
    ----------
    bias
        int32 array, one entry a neuron (flat), within 24 bit.
    slope
        int32 array: membrane integers that one output level of each neuron stands for.
    bits
        Of the integer that it sends, 0 ... 2**bits - 1.
    digit
        Bits that a message carries; divides `bits`.
    fires
        False for a readout, which only integrates.
    """

    bias: np.ndarray = per_neuron(
        np.int32, -MEMBRANE_LIMIT, MEMBRANE_LIMIT, tensor="bias", bits="24 bit", usual=(-500, 500)
    )
    slope: np.ndarray = per_neuron(
        np.int32, 1, MEMBRANE_LIMIT, tensor="slope", bits="24 bit", usual=(1, 2000)
    )
    bits: int = integer(1, 16)
    digit: int = integer(1, 16, 1)
    fires: bool = flag(True)

    kind: ClassVar[str] = "radix"
    description: ClassVar[str] = "digits of an integer, highest first: sums exactly, then divides"
    states: ClassVar[tuple[StateVariable, ...]] = (
        StateVariable("v", 24, "membrane"),
        StateVariable("held", 24, "what is left of the membrane of the window before"),
    )
    lag: ClassVar[int] = 1
    message: ClassVar[str] = "digits"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.bits % self.digit:
            raise ProgramError(f"digits of {self.digit} bits do not make {self.bits} bits")
        if self.slope.size != self.bias.size:
            raise ProgramError(f"{self.slope.size} slopes for {self.bias.size} biases")

    @property
    def digits(self) -> int:
        """How many digits an integer has."""
        return self.bits // self.digit

    @property
    def sends(self) -> tuple[int, int]:
        """A digit; nothing for a readout."""
        return (0, (1 << self.digit) - 1) if self.fires else (0, 0)

    @property
    def sends_once(self) -> bool:  # type: ignore[override]
        """One digit is one message."""
        return self.digits == 1

    @property
    def membrane_scale(self) -> tuple[int, str]:
        """Levels, by the middle one of the slopes."""
        return max(1, int(np.median(self.slope))) if self.slope.size else 1, "levels"

    @property
    def membrane_bias(self) -> np.ndarray:
        """`bias`, once a window."""
        return self.bias

    def check_period(self, period: int) -> None:
        """A window has a step for each digit, at least."""
        if period < self.digits:
            raise ProgramError(f"{self.digits} digits in a window of {period} steps")

    @classmethod
    def suited(cls, values: Mapping[str, Any], period: int) -> dict[str, Any]:
        """As many digits as there are steps, at most."""
        digit = values["digit"]
        digits = max(1, min(values["bits"], 16) // digit)
        return {**values, "bits": digit * min(digits, period, 16 // digit)}

    def window_code(self, period: int) -> WindowCode:
        """Digits."""
        return Digits(self.bits, self.digit)

    def reads(self, code: WindowCode, period: int) -> bool:
        """Whatever counts at each step as its own digits do; 1 after them."""
        own = Digits(self.bits, self.digit)
        return all(
            code.weight(tau, period) in (0, own.weight(tau, period) or 1) for tau in range(period)
        )

    def end_limit(self, weights: int, late: int) -> int:
        """Digits so far, times their weight, differ from the sum by less than one weight more."""
        bias = int(np.abs(self.bias.astype(np.int64)).max(initial=0))
        if weights == 0:  # all comes at once
            return MEMBRANE_LIMIT - bias
        before = ((MEMBRANE_LIMIT - weights) << self.digit) if self.digits > 1 else MEMBRANE_LIMIT
        return min(MEMBRANE_LIMIT, before) - bias - late

    def foretold(self, v: np.ndarray, steps: int, period: int) -> np.ndarray:
        """The digits so far, as if those to come were 0; and the bias."""
        left = self.digits - steps
        return (v << (self.digit * left)) + self.bias if left > 0 else v

    def closed_form(self, period: int) -> Quotient:
        """Sums exactly, sends the rounded quotient."""
        return Quotient(self.bias, self.slope, (1 << self.bits) - 1, self.fires)

    def step(self, state: State, a: np.ndarray, tau: int, period: int) -> Stepped:
        """(i) to (iii) of section 9."""
        n, slope = self.digits, self.slope.astype(np.int64)
        if tau == 0:
            state["held"] = state["v"]
            state["v"] = np.zeros(a.size, np.int64)
        v = (state["v"] << self.digit if tau < n else state["v"]) + a
        if tau == n - 1:
            v = v + self.bias
        state["v"], clipped = clip24(v)
        sent: np.ndarray = np.zeros(a.size, np.int64)
        if self.fires and tau < n:
            height = slope << (self.digit * (n - 1 - tau))
            rounded = state["held"] + (slope >> 1)
            sent = np.clip(rounded // height, 0, (1 << self.digit) - 1)
            state["held"] = state["held"] - sent * height
        return Stepped(sent, 0, clipped)

    def bounds(self, drive: Drive, period: int) -> Bounds:
        """Partial sums of the digits lie between those of all negative and all positive weights.

        Without integers that it reads, what comes at a step counts up to as often as all digits.
        """
        bias = self.bias.astype(np.int64)
        if drive.whole is None:
            low, high = drive.limited()
            # Horner's rule over the digits, and once for every step after them
            often = sum(1 << (self.digit * k) for k in range(self.digits))
            often += period - self.digits
            low, high = low * often, high * often
        else:
            low, high = drive.whole
        low, high = np.minimum(low, 0), np.maximum(high, 0)
        least, most = np.minimum(low, low + bias), np.maximum(high, high + bias)
        membrane = (int(least.min(initial=0)), int(most.max(initial=0)))
        return Bounds(drive.extremes, drive.extremes, membrane)
