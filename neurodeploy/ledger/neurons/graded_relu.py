"""Integers that a shift divides: the integer n of a window stands for n units."""

from __future__ import annotations

import numpy as np

from neurodeploy.ledger.neurons.reading import Reading, reading_of
from neurodeploy.program.neurons import GradedRelu

__all__: list[str] = []


@reading_of.register
def _(neuron: GradedRelu, steps: int) -> Reading:
    """A shift rounds down: half a unit is in the bias, it is taken out again."""
    slope = 1 << neuron.shift
    return Reading(
        bias=neuron.bias.astype(np.float64) * slope, height=slope, lent=0.5 * (slope - 1)
    )
