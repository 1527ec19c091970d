"""The kernel of `online`."""

from __future__ import annotations

import numpy as np

from neurodeploy.program.neurons import Online
from neurodeploy.simulator import kernels
from neurodeploy.simulator.neurons.stepper import Block, Setup, Stepper, stepper

__all__: list[str] = []


class _Online:
    def __init__(self, neuron: Online, setup: Setup) -> None:
        self.overflow = np.zeros(2, np.int64)
        self.unsettled = np.zeros(1, np.int64)
        self.silent = not neuron.fires
        self._neuron, self._bias = neuron, setup.bias.astype(np.int64)
        self._slope = neuron.slope[setup.order].astype(np.int64)
        self._v, self._count = (np.zeros(setup.order.size, np.int64) for _ in range(2))

    def step(self, block: Block) -> None:
        n = self._neuron
        kernels.step_online(
            block.currents, block.row_of, self._v, self._count, self._bias, self._slope, n.bits,
            n.answers_after, n.first, n.fires, block.tau, block.fired, block.messages,
            block.record, block.slot, self.overflow, self.unsettled,
        )  # fmt: skip


@stepper.register
def _(neuron: Online, setup: Setup) -> Stepper:
    return _Online(neuron, setup)
