"""What is known of the input of a neuron over a window, and what follows for its states."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neurodeploy.program.neurons.arithmetic import CURRENT_LIMIT, MEMBRANE_LIMIT

__all__ = ["LARGEST_DRIVE", "Bounds", "Drive", "Interval"]

#: Lowest and highest value, int64 arrays of equal shape.
Interval = tuple[np.ndarray, np.ndarray]
#: A drive beyond it counts as this: far outside 24 bit, and no product of it leaves 64 bit.
LARGEST_DRIVE = 2**31


@dataclass(frozen=True)
class Drive:
    """Worst cases of the synaptic input of a population.

    Attributes
    ----------
    low, high
        Of the input a of one step, int64; (neurons,), or fewer entries where a kind has no
        parameters a neuron and all that matters is which values there are.
    once
        Whether every source sends at most one message a window, and windows see one sample each:
        then `low` and `high` also bound the sum of a whole window.
    whole
        Of the sum of weight times integer over a window, int64, cut to +-`LARGEST_DRIVE`; None
        where what arrives says no integers that the kind reads (`Neuron.reads`).
    """

    low: np.ndarray
    high: np.ndarray
    once: bool = False
    whole: Interval | None = None

    def limited(self) -> Interval:
        """`low` and `high`, cut to +-`LARGEST_DRIVE`."""
        return (
            np.clip(self.low, -LARGEST_DRIVE, LARGEST_DRIVE),
            np.clip(self.high, -LARGEST_DRIVE, LARGEST_DRIVE),
        )

    @property
    def extremes(self) -> tuple[int, int]:
        """Lowest and highest over all neurons."""
        return int(self.low.min(initial=0)), int(self.high.max(initial=0))


@dataclass(frozen=True)
class Bounds:
    """Worst cases of one population.

    Attributes
    ----------
    synaptic
        Lowest and highest input a of one step, over all neurons.
    current
        Of u, before wrapping; None when no bound is computed.
    membrane
        Of v, before clipping; None when no bound is computed.
    limit
        Magnitude of v above which something is cut: the register's, or that of a message.
    """

    synaptic: tuple[int, int]
    current: tuple[int, int] | None
    membrane: tuple[int, int] | None
    limit: int = MEMBRANE_LIMIT

    @property
    def cannot_wrap(self) -> bool:
        """Proved: u never leaves 24 bit."""
        return (
            self.current is not None
            and self.current[0] > -CURRENT_LIMIT
            and self.current[1] <= CURRENT_LIMIT
        )

    @property
    def cannot_clip(self) -> bool:
        """Proved: v never reaches its limits."""
        return (
            self.membrane is not None
            and self.membrane[0] >= -self.limit
            and self.membrane[1] <= self.limit
        )
