"""What a neuron of a window code computes in a window as a whole, where that is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["ClosedForm", "FieldMaximum", "Maximum", "Quotient"]


@dataclass(frozen=True, eq=False)
class Quotient:
    """``v = bias + sum_j w_j x_j``; sends ``x = clip((v + slope // 2) // slope, low, top)``.

    Attributes
    ----------
    bias
        int32 (neurons,), C order.
    slope
        Membrane integers of one level: one for all, or int32 (neurons,), C order.
    top
        Largest integer that is sent.
    fires
        Whether it sends at all.
    low
        Lowest integer that is sent.
    """

    bias: np.ndarray
    slope: int | np.ndarray
    top: int
    fires: bool
    low: int = 0

    @property
    def half(self) -> int | np.ndarray:
        """What makes the division round; 0 where nothing is sent."""
        return self.slope >> 1 if self.fires else 0

    def send(self, v: np.ndarray) -> np.ndarray:
        """The integers sent for membranes `v` int64 (.., neurons), C order."""
        if not self.fires:
            return np.zeros_like(v)
        return np.clip((v + self.half) // self.slope, self.low, self.top)


@dataclass(frozen=True)
class Maximum:
    """Sends the largest integer whose summed weights are positive; it has no membrane."""


@dataclass(frozen=True)
class FieldMaximum:
    """Digit by digit, the largest of the fields of `digit` bits that what arrives consists of."""

    digit: int


ClosedForm = Quotient | Maximum | FieldMaximum
