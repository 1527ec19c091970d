"""The kernel of `sigma_delta`."""

from __future__ import annotations

import numpy as np

from neurodeploy.program.neurons import SigmaDelta
from neurodeploy.simulator import kernels
from neurodeploy.simulator.neurons.stepper import Block, Setup, Stepper, stepper

__all__: list[str] = []

_PROCESSES = {
    "sigma_delta": kernels.SIGMA_DELTA,
    "delta": kernels.DELTA,
    "sigma": kernels.SIGMA,
}


class _SigmaDelta:
    def __init__(self, neuron: SigmaDelta, setup: Setup) -> None:
        self.overflow = np.zeros(2, np.int64)
        self.silent = False
        self._neuron, self._bias = neuron, setup.bias
        self._v, self._act, self._residue, self._sent = (
            np.zeros(setup.order.size, np.int32) for _ in range(4)
        )

    def step(self, block: Block) -> None:
        n = self._neuron
        kernels.step_sigma_delta(
            block.currents, block.row_of, self._v, self._act, self._residue, self._sent,
            self._bias, n.threshold, n.shift, n.top, _PROCESSES[n.process], block.tau,
            block.fired, block.messages, block.record, block.slot, self.overflow,
        )  # fmt: skip


@stepper.register
def _(neuron: SigmaDelta, setup: Setup) -> Stepper:
    return _SigmaDelta(neuron, setup)
