"""Rates as messages: populations that count, and the maximum of their counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from neurodeploy.conversion.window.masks import masks
from neurodeploy.conversion.window.messages import Messages, Parts
from neurodeploy.network.stages import Operator, Stage
from neurodeploy.program import CountMaximum, IntegrateFire, Lif, Neuron
from neurodeploy.program.neurons.count_maximum import FIELD
from neurodeploy.targets import Target

__all__ = ["POOLED", "Counts"]

#: Cells of a max pooling that int8 weights and exponents tell apart.
POOLED = 7


@dataclass(frozen=True)
class Counts(Messages):
    """As many spikes as the integer says, whenever they come.

    Attributes
    ----------
    signed
        Whether spikes are taken back.
    stock
        Whether relays have to be stock neurons.
    """

    signed: bool = True
    stock: bool = False

    def membrane_unit(self, layer: Any) -> np.ndarray:
        """Of a step: all steps of a window together make up a value."""
        unit: np.ndarray = layer.membrane * self.period
        return unit

    def neuron(self, layer: Any, *, fires: bool, first: bool) -> Neuron:
        """See `Messages.neuron`."""
        made: Neuron = layer.neuron(fires=fires)
        return made

    def relay(self, size: int, *, first: bool) -> Neuron:
        """A spike is repeated in the step in which it arrives."""
        if self.stock:
            return Lif(np.zeros(size, np.int16), 0)
        zeros, ones = np.zeros(size, np.int32), np.ones(size, np.int32)
        return IntegrateFire(zeros, ones, zeros, signed=self.signed)

    def maximum(self, stage: Stage, windows: Operator, target: Target) -> tuple[Neuron, Parts]:
        """The running maximum of counts, of which each input has a field."""
        return CountMaximum(signed=self.signed), masks(stage, windows, target, FIELD)
