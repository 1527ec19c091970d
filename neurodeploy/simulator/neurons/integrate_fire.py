"""Kernels of `integrate_fire`: one for sums that 32 bits hold, one for all of it."""

from __future__ import annotations

import numpy as np

from neurodeploy.program.neurons import IntegrateFire
from neurodeploy.simulator import kernels
from neurodeploy.simulator.neurons.stepper import Block, Setup, Stepper, stepper

__all__: list[str] = []

#: Membrane, bias and what arrives add up to less than 2**31 below it.
_MOST_ARRIVING = 2**30


class _Plain:
    """Where no sum leaves 32 bits."""

    def __init__(self, neuron: IntegrateFire, setup: Setup) -> None:
        self.overflow = np.zeros(2, np.int64)
        self.silent = not neuron.fires
        self._neuron, self._neurons = neuron, setup.order.size
        self._checked, self._v, self._count = setup.checked, setup.v, np.zeros_like(setup.v)
        self._v[:] = 0
        self._bias, self._initial, self._threshold = (
            _filled(values, setup.v.size, beyond)
            for values, beyond in (
                (setup.bias, 0),
                (neuron.initial[setup.order], 0),
                (neuron.threshold[setup.order], 1),
            )
        )

    def step(self, block: Block) -> None:
        n = self._neuron
        self.overflow[1] += kernels.step_integrate_fire_plain(
            block.currents, block.row_of, self._v, self._count, self._bias, self._threshold,
            self._initial, n.signed, n.fires, block.tau, block.fired, self._neurons,
            block.messages, block.record, block.slot, self._checked,
        )  # fmt: skip


class _Full:
    """Whatever arrives."""

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


def _filled(values: np.ndarray, size: int, beyond: int) -> np.ndarray:
    """int32 (size,): values, and `beyond` after them."""
    found = np.full(size, beyond, np.int32)
    found[: values.size] = values
    return found


@stepper.register
def _(neuron: IntegrateFire, setup: Setup) -> Stepper:
    low, high = setup.proof.synaptic
    plain = max(-low, high) < _MOST_ARRIVING and setup.dtype is not np.int64
    return _Plain(neuron, setup) if plain else _Full(neuron, setup)
