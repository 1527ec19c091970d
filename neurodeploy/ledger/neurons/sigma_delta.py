"""Changes that a shift divides: on a frame alone the integer n stands for n units."""

from __future__ import annotations

import numpy as np

from neurodeploy.ledger.neurons.reading import Reading, reading_of
from neurodeploy.program.neurons import SigmaDelta

__all__: list[str] = []


@reading_of.register
def _(neuron: SigmaDelta, steps: int) -> Reading:
    """As of integers that a shift divides; what a threshold keeps back is an error of timing."""
    slope = 1 << neuron.shift
    return Reading(
        bias=neuron.bias.astype(np.float64) * slope,
        height=slope,
        lent=0.5 * (slope - 1),
        keeps_back=neuron.threshold if neuron.threshold > 1 else 0,
    )
