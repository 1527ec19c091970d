"""The maximum of times."""

from __future__ import annotations

import numpy as np

from neurodeploy.ledger.neurons.reading import Reading, reading_of
from neurodeploy.program.neurons import Earliest

__all__: list[str] = []


@reading_of.register
def _(neuron: Earliest, steps: int) -> Reading:
    return Reading(bias=np.zeros(0), maximum=True)
