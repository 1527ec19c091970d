"""Kernels of `lif`: one without decay for what is proved not to wrap, one for all of it."""

from __future__ import annotations

import numpy as np

from neurodeploy.program.neurons import Lif
from neurodeploy.program.neurons.lif import NO_CURRENT_MEMORY
from neurodeploy.simulator import kernels
from neurodeploy.simulator.neurons.stepper import Block, Setup, Stepper, stepper

__all__ = ["MODES", "is_plain"]

MODES = {
    "zero": kernels.RESET_ZERO,
    "subtract": kernels.RESET_SUBTRACT,
    "none": kernels.RESET_NONE,
}


class _Plain:
    """Integrate-and-fire without decay whose currents are proved not to wrap."""

    def __init__(self, neuron: Lif, setup: Setup) -> None:
        self.overflow = np.zeros(2, np.int64)
        self.silent = not neuron.fires
        self._neuron, self._v, self._checked = neuron, setup.v, setup.checked
        self._neurons, self._bias = setup.bias.size, np.zeros_like(setup.v)
        self._bias[: setup.bias.size] = setup.bias
        setup.v[:] = 0

    def step(self, block: Block) -> None:
        n = self._neuron
        self.overflow[1] += kernels.step_plain(
            block.currents, block.row_of, self._v, self._bias, np.int32(n.shift),
            np.int32(n.threshold << n.shift), MODES[n.reset], np.int32(n.v_initial), block.tau,
            block.fired, self._neurons, block.record, block.slot, self._checked,
        )  # fmt: skip


class _Full:
    """The whole of the `lif` semantics."""

    def __init__(self, neuron: Lif, setup: Setup) -> None:
        self.overflow = np.zeros(2, np.int64)
        self.silent = not neuron.fires
        self._neuron, self._bias, self._loud = neuron, setup.bias, setup.period - neuron.quiet
        size = setup.bias.size
        self._u, self._v = np.zeros(size, np.int64), np.zeros(size, np.int64)

    def step(self, block: Block) -> None:
        n = self._neuron
        kernels.step_lif(
            block.currents, block.row_of, self._u, self._v, self._bias, n.du, n.dv, n.shift,
            n.threshold << n.shift, MODES[n.reset], n.v_initial, self._loud, block.tau,
            block.fired, block.record, block.slot, self.overflow,
        )  # fmt: skip


def is_plain(neuron: Lif, setup: Setup) -> bool:
    """Whether `kernels.step_plain` computes it."""
    return (
        neuron.du == NO_CURRENT_MEMORY
        and neuron.dv == 0
        and neuron.quiet == 0
        and setup.proof.cannot_wrap
        and setup.dtype is not np.int64
    )


@stepper.register
def _(neuron: Lif, setup: Setup) -> Stepper:
    return _Plain(neuron, setup) if is_plain(neuron, setup) else _Full(neuron, setup)
