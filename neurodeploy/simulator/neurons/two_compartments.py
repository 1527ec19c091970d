"""The kernel of `two_compartments`."""

from __future__ import annotations

import numpy as np

from neurodeploy.program.neurons import TwoCompartments
from neurodeploy.simulator import kernels
from neurodeploy.simulator.neurons.stepper import Block, Setup, Stepper, stepper

__all__: list[str] = []


class _TwoCompartments:
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
    return _TwoCompartments(neuron, setup)
