"""Integer arithmetic of the registers: decay, wrap and clip (`docs/semantics.md`)."""

from __future__ import annotations

import numpy as np

__all__ = ["CURRENT_LIMIT", "MEMBRANE_LIMIT", "clip24", "decay", "wrap24"]

#: Largest magnitude of the membrane: 24 bit signed, symmetric.
MEMBRANE_LIMIT = 2**23 - 1
#: The current wraps above this value, and at or below its negative.
CURRENT_LIMIT = 2**23


def decay(state: np.ndarray, rate: int) -> np.ndarray:
    """``sign(x) * ((|x| * (4096 - rate)) >> 12)``, int64."""
    state = state.astype(np.int64)
    return np.sign(state) * ((np.abs(state) * (4096 - rate)) >> 12)


def wrap24(x: np.ndarray) -> tuple[np.ndarray, int]:
    """Values above 2**23 lose 2**24, values at or below -2**23 gain it; and how many did."""
    above, below = x > CURRENT_LIMIT, x <= -CURRENT_LIMIT
    wrapped = x - 2 * CURRENT_LIMIT * above + 2 * CURRENT_LIMIT * below
    return wrapped, int(above.sum() + below.sum())


def clip24(x: np.ndarray) -> tuple[np.ndarray, int]:
    """Values cut to +-(2**23 - 1); and how many were."""
    clipped = np.clip(x, -MEMBRANE_LIMIT, MEMBRANE_LIMIT)
    return clipped, int((clipped != x).sum())
