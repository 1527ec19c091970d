"""Integers sent as digits: the integer n of a window stands for n slopes."""

from __future__ import annotations

import numpy as np

from neurodeploy.ledger.neurons.reading import Reading, reading_of
from neurodeploy.program.neurons import MaskMaximum, Online, Radix

__all__: list[str] = []


@reading_of.register
def _(neuron: Radix, steps: int) -> Reading:
    return _quotient(neuron)


@reading_of.register
def _(neuron: Online, steps: int) -> Reading:
    return _quotient(neuron)


@reading_of.register
def _(neuron: MaskMaximum, steps: int) -> Reading:
    return Reading(bias=np.zeros(0), maximum=True)


def _quotient(neuron: Radix | Online) -> Reading:
    return Reading(
        bias=neuron.bias.astype(np.float64),
        height=neuron.slope.astype(np.float64),
        start=neuron.slope >> 1,
    )
