"""The maximum of integers sent digit by digit; `docs/semantics.md`, section 10."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from neurodeploy.program.neurons.base import Neuron, State, StateVariable, Stepped
from neurodeploy.program.neurons.closed_form import FieldMaximum
from neurodeploy.program.neurons.fields import integer
from neurodeploy.program.neurons.registry import register
from neurodeploy.program.neurons.worst_case import Bounds, Drive
from neurodeploy.program.window_codes import Digits, WindowCode

__all__ = ["MASK_BITS", "MaskMaximum"]

#: Bits of what arrives that are looked at.
MASK_BITS = 24


@register
@dataclass(frozen=True, eq=False)
class MaskMaximum(Neuron):
    """Passes on the largest of its inputs, all digits of which arrive at the same steps.

    The weights 2**(digit * j) put the digits of input j beside one another in what arrives. Who
    falls behind at a digit is out until the window ends. Digits of one bit: a mask of who spiked.
    Digits of all bits: the maximum of graded messages, within their step.

    Attributes
    ----------
    digit
        Bits that a message carries.
    bits
        Of the integers, where the window is longer than their digits; 0: as many as fit.
    """

    digit: int = integer(1, 12, 1)
    bits: int = integer(0, 16, 0, optional=True)

    kind: ClassVar[str] = "mask_maximum"
    description: ClassVar[str] = "the largest of some integers, digit by digit: max pooling"
    states: ClassVar[tuple[StateVariable, ...]] = (
        StateVariable("alive", MASK_BITS, "inputs that are the largest so far, a field each"),
    )
    message: ClassVar[str] = "digits"

    @property
    def sends(self) -> tuple[int, int]:
        """A digit."""
        return 0, (1 << self.digit) - 1

    @property
    def sends_once(self) -> bool:  # type: ignore[override]
        """One digit is one message."""
        return self.bits == self.digit

    def window_code(self, period: int) -> WindowCode:
        """Digits."""
        return Digits(self.bits or period * self.digit, self.digit)

    def reads(self, code: WindowCode, period: int) -> bool:
        """Digits as wide as its own, and no more of them."""
        own = self.bits // self.digit or period
        return isinstance(code, Digits) and code.digit == self.digit and code.number <= own

    def closed_form(self, period: int) -> FieldMaximum:
        """Field by field."""
        return FieldMaximum(self.digit)

    def step(self, state: State, a: np.ndarray, tau: int, period: int) -> Stepped:
        """(i) to (iii) of section 10."""
        if tau == 0:
            state["alive"] = np.full(a.size, (1 << MASK_BITS) - 1, np.int64)
        ones = (1 << self.digit) - 1
        digits = a & state["alive"]
        fields = [
            (digits >> shift) & ones for shift in range(0, MASK_BITS - self.digit + 1, self.digit)
        ]
        largest = np.max(fields, axis=0)
        alive: np.ndarray = np.zeros(a.size, np.int64)
        for j, field in enumerate(fields):
            alive |= np.where(field == largest, ones << (self.digit * j), 0)
        state["alive"] = state["alive"] & alive
        return Stepped(largest)

    def bounds(self, drive: Drive, period: int) -> Bounds:
        """It has neither current nor membrane."""
        return Bounds(drive.extremes, (0, 0), (0, 0))
