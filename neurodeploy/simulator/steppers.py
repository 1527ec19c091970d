"""Neurons of one population advanced block by block: state, and the kernel that fits the kind."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np

from neurodeploy.program import Earliest, Lif, Ttfs
from neurodeploy.program.bounds import Bounds
from neurodeploy.program.neuron import NO_CURRENT_MEMORY, Neuron
from neurodeploy.simulator import kernels

__all__ = ["Block", "Stepper", "stepper"]

_MODES = {
    "zero": kernels.RESET_ZERO,
    "subtract": kernels.RESET_SUBTRACT,
    "none": kernels.RESET_NONE,
}


class Block(NamedTuple):
    """What neurons take and give over some steps.

    Attributes
    ----------
    currents
        Synaptic input (rows, neurons).
    row_of
        int64 (steps,): the row of `currents` for each step.
    tau
        int64 (steps,): steps since the window began.
    fired
        uint64 (steps, words), one bit a neuron, written unless the stepper is `silent`.
    record
        int32 (any, neurons filled up to whole words), takes membranes.
    slot
        int64 (steps,): the row of `record` for each step's membranes, -1 for none.
    """

    currents: np.ndarray
    row_of: np.ndarray
    tau: np.ndarray
    fired: np.ndarray
    record: np.ndarray
    slot: np.ndarray


class Stepper(Protocol):
    """State of a population over one run."""

    #: How many currents wrapped and membranes clipped so far.
    overflow: np.ndarray
    #: Whether the neurons never fire, so that spike flags are not written.
    silent: bool

    def step(self, block: Block) -> None:
        """Advance by the steps of a block."""


class _Plain:
    """Integrate-and-fire without decay whose currents are proved not to wrap."""

    def __init__(self, neuron: Lif, bias: np.ndarray, v: np.ndarray, checked: bool) -> None:
        self.overflow = np.zeros(2, np.int64)
        self.silent = neuron.reset == "none"
        self._neuron, self._v, self._checked = neuron, v, checked
        self._neurons, self._bias = bias.size, np.zeros_like(v)
        self._bias[: bias.size] = bias
        v[:] = 0

    def step(self, block: Block) -> None:
        n = self._neuron
        self.overflow[1] += kernels.step_plain(
            block.currents, block.row_of, self._v, self._bias, np.int32(n.shift),
            np.int32(n.threshold << n.shift), _MODES[n.reset], np.int32(n.v_initial), block.tau,
            block.fired, self._neurons, block.record, block.slot, self._checked,
        )  # fmt: skip


class _Full:
    """The whole of the `lif` semantics."""

    def __init__(self, neuron: Lif, bias: np.ndarray) -> None:
        self.overflow = np.zeros(2, np.int64)
        self.silent = neuron.reset == "none"
        self._neuron, self._bias = neuron, bias
        self._u, self._v = np.zeros(bias.size, np.int64), np.zeros(bias.size, np.int64)

    def step(self, block: Block) -> None:
        n = self._neuron
        kernels.step_lif(
            block.currents, block.row_of, self._u, self._v, self._bias, n.du, n.dv, n.shift,
            n.threshold << n.shift, _MODES[n.reset], n.v_initial, block.tau, block.fired,
            block.record, block.slot, self.overflow,
        )  # fmt: skip


class _Ttfs:
    def __init__(self, neuron: Ttfs, bias: np.ndarray, period: int) -> None:
        self.overflow = np.zeros(2, np.int64)
        self.silent = not neuron.fires
        self._neuron, self._bias, self._period = neuron, bias, period
        self._u, self._v, self._held = (np.zeros(bias.size, np.int64) for _ in range(3))
        self._done = np.full(bias.size, not neuron.fires)

    def step(self, block: Block) -> None:
        n = self._neuron
        kernels.step_ttfs(
            block.currents, block.row_of, self._u, self._v, self._held, self._done, self._bias,
            n.slope, n.fires, block.tau, self._period, block.fired, block.record, block.slot,
            self.overflow,
        )  # fmt: skip


class _Earliest:
    def __init__(self, size: int) -> None:
        self.overflow = np.zeros(2, np.int64)
        self.silent = False
        self._done = np.zeros(size, np.bool_)

    def step(self, block: Block) -> None:
        kernels.step_earliest(block.currents, block.row_of, self._done, block.tau, block.fired)
        block.record[block.slot[block.slot >= 0]] = 0


def is_plain(neuron: Neuron, proof: Bounds, dtype: type) -> bool:
    """Whether `kernels.step_plain` may compute it."""
    return (
        isinstance(neuron, Lif)
        and neuron.du == NO_CURRENT_MEMORY
        and neuron.dv == 0
        and proof.cannot_wrap
        and dtype is not np.int64
    )


def stepper(
    neuron: Neuron, bias: np.ndarray, *, plain: bool, checked: bool, period: int, v: np.ndarray
) -> Stepper:
    """Fresh state for a population.

    Parameters
    ----------
    bias
        Of each neuron, internal order.
    plain, checked
        See `Layer`.
    v
        int32 (neurons filled up to whole words,) that plain neurons keep their membrane in.
    """
    if isinstance(neuron, Earliest):
        return _Earliest(bias.size)
    if isinstance(neuron, Ttfs):
        return _Ttfs(neuron, bias.astype(np.int64), period)
    return _Plain(neuron, bias, v, checked) if plain else _Full(neuron, bias)
