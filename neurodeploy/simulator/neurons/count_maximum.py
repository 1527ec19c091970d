"""The kernel of `count_maximum`."""

from __future__ import annotations

import numpy as np

from neurodeploy.program.neurons import CountMaximum
from neurodeploy.program.neurons.count_maximum import CELLS
from neurodeploy.simulator import kernels
from neurodeploy.simulator.neurons.stepper import Block, Setup, Stepper, stepper

__all__: list[str] = []


class _CountMaximum:
    def __init__(self, neuron: CountMaximum, setup: Setup) -> None:
        self.overflow = np.zeros(2, np.int64)
        self.silent = False
        self._lowest = neuron.sends[0]
        self._counts = np.zeros((setup.order.size, CELLS), np.int64)
        self._passed = np.zeros(setup.order.size, np.int64)

    def step(self, block: Block) -> None:
        kernels.step_count_maximum(
            block.currents, block.row_of, self._counts, self._passed, self._lowest, block.tau,
            block.fired, block.messages,
        )  # fmt: skip
        block.record[block.slot[block.slot >= 0]] = 0


@stepper.register
def _(neuron: CountMaximum, setup: Setup) -> Stepper:
    return _CountMaximum(neuron, setup)
