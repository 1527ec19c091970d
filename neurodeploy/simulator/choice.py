"""Which way a connection is computed: spike by spike in registers, or as a matrix product.

Both give the same integers. Gathering costs what arrives, a product costs the same at every
activity, and where they meet depends on the layer and the machine; so a connection whose activity
makes a product thinkable is computed both ways for a few blocks, timed, and from then on each block
takes the way that its own number of spikes makes cheaper.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal

__all__ = ["Choice"]

#: Multiplications and additions a nanosecond beyond any core of today: below the time that they
#: would take, no product is tried.
_FASTEST_PRODUCT = 1500.0
#: Blocks for which each way is timed. The first block of a way is not: it makes tables.
_TRIALS = 3
#: Nanoseconds spent on gathering before a product is tried: loading a library has to pay.
_PATIENCE = 50_000_000


class Choice:
    """What is known of one connection; threads may share it, a lost figure does no harm.

    Parameters
    ----------
    fixed, each
        Estimated nanoseconds of gathering a step without spikes, and of one event.
    multiplications
        Of the product for one step.

    Attributes
    ----------
    only
        "gather" or "product" where the way is prescribed (for tests and benchmarks).
    """

    def __init__(self, fixed: float, each: float, multiplications: int) -> None:
        self._fixed, self._each = fixed, each
        self._least = multiplications / _FASTEST_PRODUCT
        self.only: Literal["gather", "product"] | None = None
        self._runs = [0, 0]
        self._spent = 0.0
        # measured / estimated of gathering, and measured nanoseconds a step of the product
        self._best = [float("inf"), float("inf")]

    def gathering(self, steps: int, events: int) -> float:
        """Estimated nanoseconds of gathering."""
        return steps * self._fixed + events * self._each

    def run(
        self, steps: int, events: int, gather: Callable[[], None], multiply: Callable[[], None]
    ) -> None:
        """Compute a block, one way or the other."""
        estimated = self.gathering(steps, events)
        way = self._way(steps, estimated)
        if self._runs[way] > _TRIALS:
            self._spent += estimated
            (gather, multiply)[way]()
            return
        began = time.perf_counter_ns()
        (gather, multiply)[way]()
        took = time.perf_counter_ns() - began
        if self._runs[way]:
            unit = steps if way else estimated
            self._best[way] = min(self._best[way], took / unit)
        self._runs[way] += 1

    def _way(self, steps: int, estimated: float) -> int:
        """0 to gather, 1 to multiply."""
        if self.only is not None:
            return int(self.only == "product")
        if self._runs[0] <= _TRIALS:
            return 0
        gathering = estimated * self._best[0]
        if gathering < steps * self._least or self._spent < _PATIENCE:
            return 0
        if self._runs[1] <= _TRIALS:
            return 1
        return int(steps * self._best[1] < gathering)
