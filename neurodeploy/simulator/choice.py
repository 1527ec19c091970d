"""Which way a connection is computed: output by output, spike by spike, or as a matrix product.

All give the same integers. Gathering and stamping cost what arrives, a product costs the same at
every activity, and where they meet depends on the layer and the machine; so the ways that are
thinkable for a connection are each taken for a few blocks, timed, and from then on each block goes
the way that its own number of spikes makes cheapest.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Literal

from neurodeploy.simulator.estimates import Estimate

__all__ = ["Choice", "Way"]

Way = Literal["gather", "stamp", "product"]

#: Multiplications and additions a nanosecond beyond any core of today: below the time that they
#: would take, no product is tried.
_FASTEST_PRODUCT = 1500.0
#: Blocks for which each way is timed. The first block of a way is not: it makes tables.
_TRIALS = 3
#: Estimated nanoseconds spent on spikes before a product is tried: loading a library has to pay.
_PATIENCE = 50_000_000
#: How many times dearer than the cheapest a way may be by its estimate, to be tried.
_WORTH = 2.5


class Choice:
    """What is known of one connection; threads may share it, a lost figure does no harm.

    Parameters
    ----------
    sparse
        The ways whose cost follows the spikes.
    multiplications
        Of the product for one step; None where there is no product.

    Attributes
    ----------
    only
        The way that is prescribed, if any (for tests and benchmarks).
    """

    def __init__(self, sparse: Mapping[Way, Estimate], multiplications: int | None) -> None:
        self._sparse = dict(sparse)
        self._least = None if multiplications is None else multiplications / _FASTEST_PRODUCT
        self.only: Way | None = None
        self._runs = dict.fromkeys(self.ways, 0)
        self._spent = 0.0
        # measured / estimated; of the product, nanoseconds a step
        self._best = dict.fromkeys(self.ways, float("inf"))

    @property
    def ways(self) -> tuple[Way, ...]:
        """Those that there are."""
        return tuple(self._sparse) if self._least is None else (*self._sparse, "product")

    def run(self, steps: int, events: int, compute: Mapping[Way, Callable[[], None]]) -> None:
        """Compute a block, one way or the other."""
        way = self._way(steps, events)
        sparse = way in self._sparse
        unit = self._sparse[way].of(steps, events) if sparse else float(steps)
        if self._is_known(way):
            self._spent += unit if sparse else 0.0
            compute[way]()
            return
        began = time.perf_counter_ns()
        compute[way]()
        took = time.perf_counter_ns() - began
        if self._runs[way]:
            self._best[way] = min(self._best[way], took / unit)
        self._runs[way] += 1

    def forget_product(self) -> None:
        """Never try the product again: the library is not exact here."""
        self._least = None

    def _is_known(self, way: Way) -> bool:
        """Whether it has been timed; threads that began together may have counted, not timed it."""
        return self._runs[way] > _TRIALS and self._best[way] < float("inf")

    def _way(self, steps: int, events: int) -> Way:
        if self.only is not None:
            return self.only
        estimated = {way: of.of(steps, events) for way, of in self._sparse.items()}
        most = _WORTH * min(estimated.values())
        for way, cost in estimated.items():
            if not self._is_known(way) and cost <= most:
                return way
        sparse = {way: cost * self._best[way] for way, cost in estimated.items()}
        cheapest = min(sparse, key=sparse.__getitem__)
        if self._least is None or sparse[cheapest] < steps * self._least or self._spent < _PATIENCE:
            return cheapest
        if not self._is_known("product"):
            return "product"
        return "product" if steps * self._best["product"] < sparse[cheapest] else cheapest
