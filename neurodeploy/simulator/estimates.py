"""What a way to compute a connection takes, by a count of the processor's work."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

__all__ = ["VECTOR_BYTES", "Estimate", "cost_at", "estimate_of"]

#: Bytes that are added at once.
VECTOR_BYTES = 64
_CYCLES_A_NANOSECOND = 3.0


class Estimate(NamedTuple):
    """Nanoseconds of a step without spikes, and of one event."""

    fixed: float
    each: float

    def of(self, steps: int, events: int) -> float:
        """Nanoseconds of a block."""
        return steps * self.fixed + events * self.each


def estimate_of(fixed: float, each: float) -> Estimate:
    """From cycles."""
    return Estimate(fixed / _CYCLES_A_NANOSECOND, each / _CYCLES_A_NANOSECOND)


def cost_at(size: int, costs: Sequence[tuple[float, float]]) -> float:
    """The cost of the first of (limit, cost), limits ascending, that holds so many bytes."""
    return next(cost for limit, cost in costs if size <= limit)
