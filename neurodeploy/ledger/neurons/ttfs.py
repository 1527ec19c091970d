"""Times: the integer n of a window stands for n slopes."""

from __future__ import annotations

import numpy as np

from neurodeploy.ledger.neurons.reading import Reading, reading_of
from neurodeploy.program.neurons import Ttfs

__all__: list[str] = []


@reading_of.register
def _(neuron: Ttfs, steps: int) -> Reading:
    return Reading(
        bias=neuron.bias.astype(np.float64),
        height=neuron.slopes.astype(np.float64),
        start=neuron.slopes >> 1,
    )
