"""Rates without stock neurons' limits: n spikes in a window stand for n thresholds."""

from __future__ import annotations

import numpy as np

from neurodeploy.ledger.neurons.reading import Reading, reading_of
from neurodeploy.program.neurons import CountMaximum, IntegrateFire, TwoCompartments
from neurodeploy.program.neurons.lif import STOCK_SHIFT

__all__: list[str] = []


@reading_of.register
def _(neuron: IntegrateFire, steps: int) -> Reading:
    """What is there from the beginning is half a threshold, and the rest of the bias.

    Where it is less, the half comes bit by bit (`conversion.rate`).
    """
    height = neuron.threshold.astype(np.float64)
    half = neuron.threshold >> 1
    rounds = neuron.fires and bool((neuron.initial >= half).all())
    early = half if rounds else np.zeros_like(half)
    return Reading(
        bias=neuron.bias.astype(np.float64) * steps + neuron.initial - early,
        repeats=True,
        initial=early,
        height=height,
        start=early,
        lent=half.astype(np.float64) if neuron.fires and not rounds else 0.0,
        fitted=neuron.fires and not neuron.signed,
    )


@reading_of.register
def _(neuron: TwoCompartments, steps: int) -> Reading:
    """Half a threshold is there from the beginning, or in the bias, spread over the steps, which is
    taken out again."""
    height = neuron.threshold << STOCK_SHIFT
    return Reading(
        bias=neuron.bias.astype(np.float64) * steps,
        factor=1 << STOCK_SHIFT,
        repeats=True,
        initial=neuron.v_initial,
        height=height,
        start=neuron.v_initial,
        lent=0.5 * height if neuron.v_initial == 0 else 0.0,
        strict=True,
        fitted=True,
    )


@reading_of.register
def _(neuron: CountMaximum, steps: int) -> Reading:
    return Reading(bias=np.zeros(0), maximum=True)
