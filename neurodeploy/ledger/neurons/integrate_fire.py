"""Rates with a threshold a neuron: n spikes in a window stand for n thresholds."""

from __future__ import annotations

import numpy as np

from neurodeploy.ledger.neurons.reading import Reading, reading_of
from neurodeploy.program.neurons import CountMaximum, IntegrateFire

__all__: list[str] = []


@reading_of.register
def _(neuron: IntegrateFire, steps: int) -> Reading:
    return Reading(
        bias=neuron.bias.astype(np.float64) * steps,
        repeats=True,
        initial=neuron.initial,
        height=neuron.threshold.astype(np.float64),
        start=neuron.initial,
    )


@reading_of.register
def _(neuron: CountMaximum, steps: int) -> Reading:
    return Reading(bias=np.zeros(0), maximum=True)
