"""The neuron of `docs/semantics.md`, section 3, a step at a time, on whole populations."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neurodeploy.program.neurons.arithmetic import CURRENT_LIMIT, MEMBRANE_LIMIT
from neurodeploy.program.neurons.lif import NO_CURRENT_MEMORY, Reset

__all__ = ["LifRule", "wrap"]


@dataclass(frozen=True, eq=False)
class LifRule:
    """Parameters of a population, in membrane units where that applies.

    Attributes
    ----------
    bias
        int32 of the population's shape.
    threshold
        Shifted already.
    """

    bias: np.ndarray
    threshold: int
    du: int
    dv: int
    shift: int
    reset: Reset

    def step(self, a: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        """Equations (i) to (v).

        Parameters
        ----------
        a
            int32, used up. Shifted it stays within 31 bit (`limits.check_range`).
        u, v
            int32, updated in place.

        Returns
        -------
        bool of the same shape: who fires.
        """
        # without memory u cannot build up, and 32 bit hold all that follows
        x = a if self.du == NO_CURRENT_MEMORY else a.astype(np.int64)
        x <<= self.shift
        if self.du != NO_CURRENT_MEMORY:
            x += _decay(u, self.du + 1)
        wrap(x)
        u[...] = x
        x += _decay(v, self.dv).astype(np.int32) if self.dv else v
        x += self.bias
        np.clip(x, -MEMBRANE_LIMIT, MEMBRANE_LIMIT, out=x)
        if self.reset == "none":
            spikes = np.zeros(x.shape, bool)
        else:
            spikes = x > self.threshold
            if self.reset == "zero":
                x[spikes] = 0
            else:
                np.subtract(x, self.threshold, out=x, where=spikes)
        v[...] = x
        return spikes


def wrap(u: np.ndarray) -> None:
    """In place: above 2^23 loses 2^24, at or below -2^23 gains it."""
    if u.size and (u.max() > CURRENT_LIMIT or u.min() <= -CURRENT_LIMIT):
        above, below = u > CURRENT_LIMIT, u <= -CURRENT_LIMIT
        u[above] -= 2 * CURRENT_LIMIT
        u[below] += 2 * CURRENT_LIMIT


def _decay(state: np.ndarray, rate: int) -> np.ndarray:
    """Towards zero by ``rate / 4096``, int64."""
    wide = state.astype(np.int64)
    return np.sign(wide) * ((np.abs(wide) * (4096 - rate)) >> 12)
