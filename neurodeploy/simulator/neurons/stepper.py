"""Neurons of one population advanced block by block: the interface, and what serves any kind."""

from __future__ import annotations

from dataclasses import dataclass
from functools import singledispatch
from typing import NamedTuple, Protocol

import numpy as np

from neurodeploy.program.neurons import Bounds, Neuron

__all__ = ["Block", "Setup", "StepByStep", "Stepper", "stepper"]


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
    messages
        int8 or int32, whichever holds what the kind sends (steps, neurons filled up to whole
        words): takes the integers of a graded kind; no rows otherwise.
    """

    currents: np.ndarray
    row_of: np.ndarray
    tau: np.ndarray
    fired: np.ndarray
    record: np.ndarray
    slot: np.ndarray
    messages: np.ndarray


@dataclass(frozen=True)
class Setup:
    """What a population has, in the engine's order of neurons.

    Attributes
    ----------
    order
        C-order index of each internal neuron.
    bias
        Of each neuron (`Neuron.membrane_bias`), int32, internal order; zeros where there is none.
    period
        Steps of a window.
    proof
        Worst cases.
    dtype
        Of the currents.
    checked
        Whether the membrane could clip, so far as is proved.
    v
        int32 (neurons filled up to whole words,): memory that a membrane may be kept in.
    """

    order: np.ndarray
    bias: np.ndarray
    period: int
    proof: Bounds
    dtype: type
    checked: bool
    v: np.ndarray


class Stepper(Protocol):
    """State of a population over one run."""

    #: How many currents wrapped and membranes clipped so far.
    overflow: np.ndarray
    #: Whether the neurons never send, so that spike flags are not written.
    silent: bool
    # `unsettled`, int64 (1,), where integers may differ from the closed form's: how many did

    def step(self, block: Block) -> None:
        """Advance by the steps of a block."""


class StepByStep:
    """Any kind, by the NumPy step that defines it: exact, and slower than a kernel."""

    def __init__(self, neuron: Neuron, setup: Setup) -> None:
        self.overflow = np.zeros(2, np.int64)
        self.silent = not neuron.fires
        self._neuron, self._order, self._period = neuron, setup.order, setup.period
        self._state = neuron.start(setup.order.size)

    def step(self, block: Block) -> None:
        """See `Stepper.step`."""
        order = self._order
        a = np.empty(order.size, np.int64)
        for k, tau in enumerate(block.tau):
            a[order] = block.currents[block.row_of[k], : order.size]
            sent, wrapped, clipped = self._neuron.step(self._state, a, int(tau), self._period)
            self.overflow += wrapped, clipped
            sent = sent[order]
            if not self.silent:
                bits = block.fired[k].view(np.uint8)
                bits[:] = 0
                packed = np.packbits(sent != 0, bitorder="little")
                bits[: packed.size] = packed
            if len(block.messages):
                block.messages[k, : order.size] = sent
            if block.slot[k] >= 0:
                row = block.record[block.slot[k]]
                row[: order.size] = self._state["v"][order] if "v" in self._state else 0


@singledispatch
def stepper(neuron: Neuron, setup: Setup) -> Stepper:
    """Fresh state for a population; kinds with a kernel register theirs for their type.

    Without one `StepByStep` runs the step that defines the kind.
    """
    return StepByStep(neuron, setup)
