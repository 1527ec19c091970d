"""Real units of a population's integers: one for all, or one a channel."""

from __future__ import annotations

from math import isfinite, prod

import numpy as np

from neurodeploy.errors import ProgramError, shown

__all__ = ["by_neuron", "check_channels"]


def check_channels(
    what: str, values: tuple[float, ...], shape: tuple[int, ...], *, positive: bool = True
) -> None:
    """Refuse units that are not one a channel, or not positive numbers (ProgramError)."""
    if len(values) not in (0, shape[0]):
        raise ProgramError(f"{len(values)} {what} for {shape[0]} channels")
    for value in values:
        if not isinstance(value, float) or not isfinite(value) or (positive and value <= 0):
            raise ProgramError(f"{shown(value)} is none of {what}")


def by_neuron(value: float, values: tuple[float, ...], shape: tuple[int, ...]) -> np.ndarray:
    """The values of channels (first axis) for each neuron, flat; the one value without any."""
    if not values:
        return np.float64(value)  # type: ignore[return-value]
    return np.repeat(np.asarray(values, np.float64), prod(shape[1:]))
