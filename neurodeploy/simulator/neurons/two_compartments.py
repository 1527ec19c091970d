"""Kernels of `two_compartments`: one for sums that 32 bits hold, one for all of it."""

from __future__ import annotations

import numpy as np

from neurodeploy.program.neurons import TwoCompartments
from neurodeploy.program.neurons.lif import STOCK_SHIFT
from neurodeploy.simulator import kernels
from neurodeploy.simulator.neurons.stepper import Block, Setup, Stepper, stepper

__all__: list[str] = []

#: What arrives, 64 times as much, and a membrane add up to less than 2**31 below it.
_MOST_ARRIVING = 2**24


class _Plain:
    """Where no sum leaves 32 bits."""

    def __init__(self, neuron: TwoCompartments, setup: Setup) -> None:
        self.overflow = np.zeros(2, np.int64)
        self.silent = False
        self._neuron, self._neurons = neuron, setup.bias.size
        self._wraps, self._checked = not setup.proof.cannot_wrap, setup.checked
        self._v, self._inhibition = setup.v, np.zeros_like(setup.v)
        self._level = np.int32(neuron.threshold << STOCK_SHIFT)
        self._v[:] = 0
        self._bias = np.zeros_like(setup.v)
        self._bias[: setup.bias.size] = setup.bias

    def step(self, block: Block) -> None:
        n = self._neuron
        kernels.step_two_compartments_plain(
            block.currents, block.row_of, self._v, self._inhibition, self._bias, self._level,
            np.int32(n.v_initial), block.tau, block.fired, self._neurons, block.record, block.slot,
            self._wraps, self._checked, self.overflow,
        )  # fmt: skip


class _Full:
    """Whatever arrives."""

    def __init__(self, neuron: TwoCompartments, setup: Setup) -> None:
        self.overflow = np.zeros(2, np.int64)
        self.silent = False
        self._threshold, self._bias = neuron.threshold, setup.bias
        self._initial = neuron.v_initial
        self._v, self._spiked = (np.zeros(setup.order.size, np.int64) for _ in range(2))

    def step(self, block: Block) -> None:
        kernels.step_two_compartments(
            block.currents, block.row_of, self._v, self._spiked, self._bias, self._threshold,
            self._initial, block.tau, block.fired, block.record, block.slot, self.overflow,
        )  # fmt: skip


@stepper.register
def _(neuron: TwoCompartments, setup: Setup) -> Stepper:
    low, high = setup.proof.synaptic
    plain = max(-low, high) + neuron.threshold < _MOST_ARRIVING and setup.dtype is not np.int64
    return _Plain(neuron, setup) if plain else _Full(neuron, setup)
