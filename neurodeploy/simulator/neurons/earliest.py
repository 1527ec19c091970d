"""The kernel of `earliest`."""

from __future__ import annotations

import numpy as np

from neurodeploy.program.neurons import Earliest
from neurodeploy.simulator import kernels
from neurodeploy.simulator.neurons.stepper import Block, Setup, Stepper, stepper

__all__: list[str] = []


class _Earliest:
    def __init__(self, setup: Setup) -> None:
        self.overflow = np.zeros(2, np.int64)
        self.silent = False
        self._done = np.zeros(setup.order.size, np.bool_)

    def step(self, block: Block) -> None:
        kernels.step_earliest(block.currents, block.row_of, self._done, block.tau, block.fired)
        block.record[block.slot[block.slot >= 0]] = 0


@stepper.register
def _(neuron: Earliest, setup: Setup) -> Stepper:
    return _Earliest(setup)
