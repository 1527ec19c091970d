"""Kernels of `levels`: one for what is proved not to wrap, one for all of it."""

from __future__ import annotations

import numpy as np

from neurodeploy.program.neurons import Levels
from neurodeploy.simulator import kernels
from neurodeploy.simulator.neurons.stepper import Block, Setup, Stepper, stepper

__all__: list[str] = []


class _Plain:
    """Levels whose currents are proved not to wrap."""

    def __init__(self, neuron: Levels, setup: Setup) -> None:
        self.overflow = np.zeros(2, np.int64)
        self.silent = False
        self._neuron, self._neurons, self._checked = neuron, setup.order.size, setup.checked
        self._thresholds = np.array(neuron.thresholds, np.int32) << neuron.shift
        self._v = np.zeros((len(neuron.thresholds), setup.v.size), np.int32)
        self._bias = np.zeros_like(setup.v)
        self._bias[: setup.bias.size] = setup.bias

    def step(self, block: Block) -> None:
        n = self._neuron
        self.overflow[1] += kernels.step_levels_plain(
            block.currents, block.row_of, self._v, self._bias, self._thresholds, n.dv, n.shift,
            block.tau, block.fired, self._neurons, block.messages, block.record, block.slot,
            self._checked,
        )  # fmt: skip


class _Full:
    """The whole of the semantics."""

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
    plain = setup.proof.cannot_wrap and setup.dtype is not np.int64
    return _Plain(neuron, setup) if plain else _Full(neuron, setup)
