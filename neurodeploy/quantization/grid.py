"""Weights that are whole numbers already: at which scale a channel's weights have no error.

Networks that were trained or stored with integer weights keep them, wherever the largest weight of
a channel does not happen to use all bits.
"""

from __future__ import annotations

import numpy as np

from neurodeploy.network import Conv, Dense
from neurodeploy.network.stages import Operator

__all__ = ["levels_of_peaks"]

#: Weights of a channel that are looked at.
_WEIGHTS = 256
#: Fewer than so many weights of a channel look whole by chance.
_FEW = 8
#: Mean squared rounding error, of what it is where the largest weight uses all bits.
_WORTH = 0.02


def levels_of_peaks(operator: Operator, channels: int, limit: int) -> np.ndarray:
    """Integer that the largest weight of each channel becomes, float64 (channels,).

    `limit`, unless the others are so much nearer to whole numbers with a smaller one
    (down to half of it) that these are what they were made of.
    """
    levels = np.full(channels, float(limit))
    if not isinstance(operator, Conv | Dense):
        return levels
    rows = operator.weight.reshape(channels, -1)
    rows = rows[:, :: max(1, rows.shape[1] // _WEIGHTS)].astype(np.float64)
    peaks = np.abs(operator.weight.reshape(channels, -1)).max(1, initial=0).astype(np.float64)
    shares = rows / np.where(peaks > 0, peaks, 1)[:, None]

    def error(level: int) -> np.ndarray:
        integers = shares * level
        mean: np.ndarray = ((integers - np.rint(integers)) ** 2).mean(1) / level**2
        return mean

    least = error(limit) * _WORTH
    least[np.count_nonzero(rows, axis=1) < _FEW] = 0
    for level in range(limit - 1, limit // 2, -1):
        found = error(level)
        better = found < least
        levels[better], least[better] = level, found[better]
    return levels
