"""Neuron kinds for tests alone: what no kind of ours does, and a kind of another package may.

They have neither a kernel nor a Lava process: everything runs them by the step that defines them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from neurodeploy.program.neurons import Neuron, State, StateVariable, Stepped, register
from neurodeploy.program.neurons.arithmetic import clip24, decay, wrap24
from neurodeploy.program.neurons.fields import flag, integer, per_neuron

__all__ = ["Announcer", "Graded"]


@register
@dataclass(frozen=True, eq=False)
class Graded(Neuron):
    """Sends its leaky membrane, scaled down and cut, as a signed integer; keeps what is left.

    Attributes
    ----------
    bias
        int16 (neurons,), added to the membrane at each step.
    leak
        Decay of the membrane, 0..4095.
    scale
        A message is the membrane shifted right by so much.
    largest
        Largest message.
    signed
        Whether a message may be negative.
    quiet
        Steps at the end of each window without messages.
    """

    bias: np.ndarray = per_neuron(np.int16, -4096, 4095, tensor="bias", usual=(-60, 60))
    leak: int = integer(0, 4095, 400)
    scale: int = integer(0, 12, 4)
    largest: int = integer(1, 2**15 - 1, 7, usual=(1, 40))
    signed: bool = flag(True)
    quiet: int = integer(0, 2**31 - 1, 0, optional=True, usual=(0, 5))

    kind: ClassVar[str] = "test_graded"
    description: ClassVar[str] = "for tests: sends its membrane as integers, and keeps the rest"
    states: ClassVar[tuple[StateVariable, ...]] = (StateVariable("v", 24, "membrane"),)

    @property
    def sends(self) -> tuple[int, int]:
        """Integers."""
        return (-self.largest if self.signed else 0), self.largest

    def step(self, state: State, a: np.ndarray, tau: int, period: int) -> Stepped:
        """Decay, integrate, send what is large enough."""
        if tau == 0:
            state["v"] = np.zeros(a.size, np.int64)
        v, clipped = clip24(decay(state["v"], self.leak) + a + self.bias)
        sent = np.sign(v) * np.minimum(np.abs(v) >> self.scale, self.largest)
        sent = np.maximum(sent, self.sends[0])
        if tau >= period - self.quiet:
            sent = np.zeros_like(sent)
        state["v"] = v - (sent << self.scale)
        return Stepped(sent, 0, clipped)


@register
@dataclass(frozen=True, eq=False)
class Announcer(Neuron):
    """Sums up a window; in the next one sends the sum once, as an integer, at a step of its own.

    Attributes
    ----------
    bias
        int32 (neurons,), once a window.
    largest
        Largest message, of either sign.
    at
        The step (from 0, modulo the window) at which it sends.
    """

    bias: np.ndarray = per_neuron(np.int32, -(2**20), 2**20, tensor="bias", usual=(-20, 20))
    largest: int = integer(1, 2**15 - 1, 100, usual=(1, 200))
    at: int = integer(0, 1000, 0, usual=(0, 5))

    kind: ClassVar[str] = "test_announcer"
    description: ClassVar[str] = "for tests: sums up a window and sends the sum in the next one"
    states: ClassVar[tuple[StateVariable, ...]] = (
        StateVariable("v", 24, "sum so far, which wraps"),
        StateVariable("held", 24, "sum of the window before"),
    )
    lag: ClassVar[int] = 1
    sends_once: ClassVar[bool] = True

    @property
    def sends(self) -> tuple[int, int]:
        """Integers."""
        return -self.largest, self.largest

    def step(self, state: State, a: np.ndarray, tau: int, period: int) -> Stepped:
        """Keep the sum, send that of the window before."""
        if tau == 0:
            state["held"], state["v"] = state["v"], self.bias.astype(np.int64)
        state["v"], wrapped = wrap24(state["v"] + a)
        sent = np.clip(state["held"], -self.largest, self.largest)
        return Stepped(sent * (tau == self.at % period), wrapped, 0)
