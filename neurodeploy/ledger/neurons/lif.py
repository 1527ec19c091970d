"""Rates: n spikes in a window stand for n thresholds."""

from __future__ import annotations

import numpy as np

from neurodeploy.ledger.neurons.reading import Reading, reading_of
from neurodeploy.program.neurons import Lif

__all__: list[str] = []


@reading_of.register
def _(neuron: Lif, steps: int) -> Reading:
    """A neuron that resets to zero from an initial membrane of 0 has half a threshold in its bias,
    spread over the steps (`conversion.rate`): it is taken out again."""
    height = max(neuron.threshold << neuron.shift, 1)
    to_zero = neuron.reset == "zero"
    return Reading(
        bias=neuron.bias.astype(np.float64) * steps,
        factor=1 << neuron.shift,
        repeats=True,
        initial=neuron.v_initial,
        height=height,
        start=neuron.v_initial,
        lent=0.5 * height if to_zero and neuron.v_initial == 0 else 0.0,
        strict=True,
        loses_overshoot=to_zero,
    )
