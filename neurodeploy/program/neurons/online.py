"""Signed digits, highest first, answered before the window ends; `docs/semantics.md`, section 11."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from neurodeploy.errors import ProgramError
from neurodeploy.program.neurons.arithmetic import MEMBRANE_LIMIT, clip24
from neurodeploy.program.neurons.base import Neuron, State, StateVariable, Stepped
from neurodeploy.program.neurons.fields import flag, integer, per_neuron
from neurodeploy.program.neurons.registry import register
from neurodeploy.program.neurons.worst_case import Bounds, Drive
from neurodeploy.program.window_codes import Digits, OneMessage, SignedDigits, WindowCode

__all__ = ["Online"]


@register
@dataclass(frozen=True, eq=False)
class Online(Neuron):
    """Sends the first digit of its quotient `delay` steps after the first digit of its input.

    Most-significant-digit-first (online) arithmetic: digits -1, 0 and 1 leave room to correct what
    the digits still to come change. The integer sent is the rounded quotient by `slope` where it
    settles; what arrives at a step of at most ``slope * 2**(delay - 2)`` is enough for that.

    Attributes
    ----------
    bias
        int32 array, one entry a neuron (flat), within 24 bit.
    slope
        int32 array: membrane integers that one output level of each neuron stands for.
    bits
        Of the integer that it sends, 0 ... 2**bits - 1, and of those that it reads.
    delay
        Steps from a digit of the input to the same digit of the output. A window has ``bits +
        delay`` steps.
    first
        For the layer behind a graded input: all arrives at the window's first step, and it answers
        at once.
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
    delay: int = integer(0, 16, 3)
    first: bool = flag(False)
    fires: bool = flag(True)

    kind: ClassVar[str] = "online"
    description: ClassVar[str] = "signed digits, highest first: answers while it still reads"
    states: ClassVar[tuple[StateVariable, ...]] = (
        StateVariable("v", 24, "membrane, less what was sent"),
        StateVariable("count", 16, "integer sent so far"),
    )
    message: ClassVar[str] = "signed_digits"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.slope.size != self.bias.size:
            raise ProgramError(f"{self.slope.size} slopes for {self.bias.size} biases")

    @property
    def sends(self) -> tuple[int, int]:
        """A signed digit; nothing for a readout."""
        return (-1, 1) if self.fires else (0, 0)

    @property
    def answers_after(self) -> int:
        """`delay`; the first layer answers at once."""
        return self.delay if self.fires and not self.first else 0

    @property
    def settled_before(self) -> int:
        """All has arrived by the last digit of the input, or at the first step."""
        return self.bits + self.delay - 1 if self.first else self.delay

    @property
    def membrane_scale(self) -> tuple[int, str]:
        """Levels, by the middle one of the slopes."""
        return max(1, int(np.median(self.slope))) if self.slope.size else 1, "levels"

    @property
    def membrane_bias(self) -> np.ndarray:
        """`bias`, once a window."""
        return self.bias

    def check_period(self, period: int) -> None:
        """A window has a step for each digit, and those that the answer is later."""
        if period != self.bits + self.delay:
            raise ProgramError(
                f"{self.bits} digits and a delay of {self.delay} in a window of {period} steps"
            )

    @classmethod
    def suited(cls, values: Mapping[str, Any], period: int) -> dict[str, Any]:
        """A window is its digits and its delay."""
        bits = max(1, period - 16, min(values["bits"], period))
        return {**values, "bits": bits, "delay": period - bits}

    def window_code(self, period: int) -> WindowCode:
        """Signed digits."""
        return SignedDigits(self.bits)

    def reads(self, code: WindowCode, period: int) -> bool:
        """Digits of its own weights, of either sign; the first layer one message."""
        if self.first:
            return code == OneMessage(at_end=False)
        own = Digits(self.bits)
        return all(code.weight(t, period) in (0, own.weight(t, period)) for t in range(period))

    def unsettled(self, v: np.ndarray, x: np.ndarray) -> np.ndarray | None:
        """What is left is more than half a level, and the integer is not at its end."""
        if not self.fires:
            return None
        twice = 2 * v.astype(np.int64)
        below, above = twice < -self.slope, twice >= self.slope
        return (below & (x > 0)) | (above & (x < (1 << self.bits) - 1))

    def foretold(self, v: np.ndarray, steps: int, period: int) -> np.ndarray:
        """The digits so far, as if those to come were 0."""
        left = 0 if self.first else self.bits - steps
        return v << left if left > 0 else v

    def step(self, state: State, a: np.ndarray, tau: int, period: int) -> Stepped:
        """(i) to (iii) of section 11."""
        k, i = self.bits, tau + 1
        bias, slope = self.bias.astype(np.int64), self.slope.astype(np.int64)
        if tau == 0:
            state["v"] = bias.copy() if self.first else bias >> k
            state["count"] = np.zeros(a.size, np.int64)
        v = state["v"] + a
        if i <= k and not self.first:
            v = v + state["v"] + ((bias >> (k - i)) & 1)
        v, clipped = clip24(v)
        t = i - self.answers_after
        sent: np.ndarray = np.zeros(a.size, np.int64)
        if self.fires and 1 <= t <= k:
            height = slope << (k - t if self.first else min(i, k) - t)
            up = 4 * v >= 3 * height if t < k else 2 * v >= height
            down = 4 * v < -3 * height if t < k else 2 * v < -height
            sent = up.astype(np.int64) - (down & (state["count"] > 0))
            v = v - sent * height
            state["count"] = 2 * state["count"] + sent
        state["v"] = v
        return Stepped(sent, 0, clipped)

    def bounds(self, drive: Drive, period: int) -> Bounds:
        """What is sent takes the membrane towards zero, so its size never exceeds the sum's."""
        low, high = drive.limited()
        most = np.maximum(-low, high)
        bias = np.abs(self.bias.astype(np.int64))
        if self.first:
            size = bias + (most if drive.once else most * period)
        else:
            size = (bias >> self.bits) + 1
            for _ in range(self.bits):
                size = 2 * size + most + 1
            size = size + most * self.delay
        largest = int(size.max(initial=0))
        return Bounds(drive.extremes, drive.extremes, (-largest, largest))
