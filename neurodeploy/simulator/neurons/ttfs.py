"""The kernel of `ttfs`."""

from __future__ import annotations

import numpy as np

from neurodeploy.program.neurons import Ttfs
from neurodeploy.simulator import kernels
from neurodeploy.simulator.neurons.stepper import Block, Setup, Stepper, stepper

__all__: list[str] = []


class _Ttfs:
    def __init__(self, neuron: Ttfs, setup: Setup) -> None:
        self.overflow = np.zeros(2, np.int64)
        self.silent = not neuron.fires
        self._neuron, self._bias, self._period = neuron, setup.bias.astype(np.int64), setup.period
        self._slope = neuron.slopes[setup.order]
        size = setup.bias.size
        self._u, self._v, self._held = (np.zeros(size, np.int64) for _ in range(3))
        self._done = np.full(size, not neuron.fires)

    def step(self, block: Block) -> None:
        n = self._neuron
        kernels.step_ttfs(
            block.currents, block.row_of, self._u, self._v, self._held, self._done, self._bias,
            self._slope, n.fires, block.tau, self._period, block.fired, block.record, block.slot,
            self.overflow,
        )  # fmt: skip


@stepper.register
def _(neuron: Ttfs, setup: Setup) -> Stepper:
    return _Ttfs(neuron, setup)
