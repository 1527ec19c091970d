"""Inputs that are split into lines: their highest bits, and what is left.

A spike of an input line is worth the same at every step. A value that comes as evenly paced spikes
on one line is one of few levels, and what arrives is uneven until the last step. With bit planes
the highest bits come on lines of their own, each worth half of the one before, that fire at every
step or never; the last line carries the rest as spikes, each worth as much less.

Lines of a channel follow each other: channel 0's highest bit, its next bit, ..., its rest,
channel 1's highest bit, and so on.
"""

from __future__ import annotations

from math import prod

import numpy as np

from neurodeploy.program.encoders import PROBABILITY_ONE

__all__ = ["MOST_PLANES", "line_offsets", "line_units", "split_levels"]

#: A rate has 16 bits.
MOST_PLANES = 15


def split_levels(level: np.ndarray, planes: int, channels: int) -> np.ndarray:
    """Levels of the lines of each input.

    Parameters
    ----------
    level
        (n, inputs): int32 in 2**-16 spikes a step, 0 to `PROBABILITY_ONE`; or float64, which may
        lie outside: the last line carries what is left, however large or below zero.
    planes
        Number of bit planes.
    channels
        Length of the first axis of an input's shape.

    Returns
    -------
    The same dtype, (n, inputs * (planes + 1)): `PROBABILITY_ONE` or 0 on each bit plane; on the
    last line the rest times ``2**planes``.
    """
    rest = level.reshape(len(level), channels, -1).copy()
    lines = np.empty((len(level), channels, planes + 1, rest.shape[2]), level.dtype)
    for plane in range(planes):
        worth = PROBABILITY_ONE >> (plane + 1)
        fires = rest >= worth
        lines[:, :, plane] = np.where(fires, PROBABILITY_ONE, 0)
        rest -= (fires * worth).astype(level.dtype)
    lines[:, :, planes] = rest * (1 << planes)
    return lines.reshape(len(level), -1)


def line_units(units: np.ndarray, planes: int, shape: tuple[int, ...]) -> np.ndarray:
    """Real value of one integer of each line: float64 (lines,).

    Parameters
    ----------
    units
        Of each input, or one for all.
    shape
        Of the inputs, without their lines.
    """
    shares = 2.0 ** -np.minimum(np.arange(1, planes + 2), planes)
    whole = np.broadcast_to(units, prod(shape)).reshape(shape[0], 1, -1)
    return (whole * shares[:, None]).reshape(-1)


def line_offsets(offsets: np.ndarray, planes: int, shape: tuple[int, ...]) -> np.ndarray:
    """Real value of the integer 0 of each line, float64 (lines,): an input's on its first one."""
    whole = np.broadcast_to(offsets, prod(shape)).reshape(shape[0], 1, -1)
    first = np.arange(planes + 1) == 0
    return (whole * first[:, None]).reshape(-1)
