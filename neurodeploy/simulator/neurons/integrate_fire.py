"""The kernel of `integrate_fire`."""

from __future__ import annotations

import numpy as np

from neurodeploy.program.neurons import IntegrateFire
from neurodeploy.simulator import kernels
from neurodeploy.simulator.neurons.stepper import Block, Setup, Stepper, stepper

__all__: list[str] = []


class _IntegrateFire:
    def __init__(self, neuron: IntegrateFire, setup: Setup) -> None:
        self.overflow = np.zeros(2, np.int64)
        self.silent = not neuron.fires
        self._neuron, self._bias = neuron, setup.bias
        self._threshold = np.ascontiguousarray(neuron.threshold[setup.order])
        self._initial = np.ascontiguousarray(neuron.initial[setup.order])
        self._v, self._count, self._sent = (np.zeros(setup.order.size, np.int32) for _ in range(3))

    def step(self, block: Block) -> None:
        n = self._neuron
        kernels.step_integrate_fire(
            block.currents, block.row_of, self._v, self._count, self._sent, self._bias,
            self._threshold, self._initial, n.signed, n.fires, block.tau, block.fired,
            block.messages, block.record, block.slot, self.overflow,
        )  # fmt: skip


@stepper.register
def _(neuron: IntegrateFire, setup: Setup) -> Stepper:
    return _IntegrateFire(neuron, setup)
