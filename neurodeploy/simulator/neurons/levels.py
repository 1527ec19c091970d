"""The kernel of `levels`."""

from __future__ import annotations

import numpy as np

from neurodeploy.program.neurons import Levels
from neurodeploy.simulator import kernels
from neurodeploy.simulator.neurons.stepper import Block, Setup, Stepper, stepper

__all__: list[str] = []


class _Levels:
    def __init__(self, neuron: Levels, setup: Setup) -> None:
        self.overflow = np.zeros(2, np.int64)
        self.silent = False
        size = setup.order.size
        self._neuron, self._bias = neuron, setup.bias.astype(np.int64)
        self._thresholds = np.array(neuron.thresholds, np.int64) << neuron.shift
        self._v = np.zeros((len(neuron.thresholds), size), np.int64)
        self._sent = np.zeros(size, np.int32)

    def step(self, block: Block) -> None:
        n = self._neuron
        kernels.step_levels(
            block.currents, block.row_of, self._v, self._bias, self._thresholds, n.dv, n.shift,
            self._sent, block.tau, block.fired, block.messages, block.record, block.slot,
            self.overflow,
        )  # fmt: skip


@stepper.register
def _(neuron: Levels, setup: Setup) -> Stepper:
    return _Levels(neuron, setup)
