"""The kernel of `mask_maximum`."""

from __future__ import annotations

import numpy as np

from neurodeploy.program.neurons import MaskMaximum
from neurodeploy.simulator import kernels
from neurodeploy.simulator.neurons.stepper import Block, Setup, Stepper, stepper

__all__: list[str] = []


class _MaskMaximum:
    def __init__(self, neuron: MaskMaximum, setup: Setup) -> None:
        self.overflow = np.zeros(2, np.int64)
        self.silent = False
        self._digit, self._alive = neuron.digit, np.zeros(setup.order.size, np.int64)

    def step(self, block: Block) -> None:
        kernels.step_mask_maximum(
            block.currents, block.row_of, self._alive, self._digit, block.tau, block.fired,
            block.messages,
        )  # fmt: skip
        block.record[block.slot[block.slot >= 0]] = 0


@stepper.register
def _(neuron: MaskMaximum, setup: Setup) -> Stepper:
    return _MaskMaximum(neuron, setup)
