"""Nodes of networks that spike: neurons, and delays.

Such a network is stepped in time. All nodes of a step are computed one after the other, sources
first; only a `Delay` hands its input on to a later step, so only it may close a cycle.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

from neurodeploy.errors import ModelError
from neurodeploy.network.nodes import Node, Shape

__all__ = ["Delay", "Spiking"]


@dataclass(frozen=True, eq=False)
class Spiking(Node):
    """A leaky integrate-and-fire neuron, one time step after the other.

    At each step ``u <- (1 - current_leak) u + x``, ``v <- (1 - membrane_leak) v + u + bias``; it
    spikes where ``v > threshold``, and the spike resets v. Its result is 1 where it spikes, else 0.
    With `higher` thresholds it is multi-level firing: each has a membrane of its own, and the
    result is the number of those that spike.

    Attributes
    ----------
    current_leak
        Share of the current that is lost in a step; 1: no memory.
    membrane_leak
        Share of the membrane that is lost in a step; 0: no leak. Each one number, or float64 of the
        layer's shape.
    threshold
        Above 0, in units of the input.
    reset
        ``subtract`` the threshold, to ``zero``, or ``none``: it never spikes, its result is v.
    bias
        Added to the membrane at each step: one number, or float64 of the layer's shape.
    initial
        v at a sample's first step.
    inclusive
        It spikes where ``v >= threshold``, too.
    higher
        Rising thresholds above the first; then there is no memory of the current, and a spike sets
        its membrane to zero.
    """

    current_leak: float | np.ndarray = 1.0
    membrane_leak: float | np.ndarray = 0.0
    threshold: float = 1.0
    reset: Literal["subtract", "zero", "none"] = "subtract"
    bias: float | np.ndarray = 0.0
    initial: float = 0.0
    inclusive: bool = False
    higher: tuple[float, ...] = ()

    @property
    def thresholds(self) -> tuple[float, ...]:
        """The first and the higher ones; none where it never spikes."""
        return () if self.reset == "none" else (self.threshold, *self.higher)

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        shape = self._one(inputs)
        for name, values, low, high in (
            ("current leak", self.current_leak, 0.0, 1.0),
            ("membrane leak", self.membrane_leak, 0.0, 1.0),
            ("bias", self.bias, -np.inf, np.inf),
        ):
            array = np.asarray(values)
            if array.shape not in ((), shape):
                raise ModelError(f"{name} {array.shape} does not fit {shape}", place=self.name)
            if not bool(np.all((low <= array) & (array <= high))):
                raise ModelError(f"{name} outside {low:g}..{high:g}", place=self.name)
        if self.higher and self.inclusive:
            raise ModelError("several thresholds, and firing at them", place=self.name)
        if self.reset != "none" and not 0 < self.threshold < np.inf:
            raise ModelError(f"threshold {self.threshold:g} is not above 0", place=self.name)
        if self.higher:
            rising = all(a < b < np.inf for a, b in pairwise(self.thresholds))
            plain = self.reset == "zero" and self.initial == 0 and np.all(self.current_leak == 1)
            if not rising or not plain:
                raise ModelError(
                    f"levels {self.thresholds} of reset {self.reset!r}: thresholds rise, a spike "
                    "sets its membrane to zero, and currents have no memory",
                    place=self.name,
                )
        return shape


@dataclass(frozen=True, eq=False)
class Delay(Node):
    """Its input of `steps` steps before; 0 at the first steps of a sample.

    The only node through which a cycle may go: its result is known before its input is.

    Attributes
    ----------
    shape
        Of its input, and of its result.
    steps
        At least 1.
    """

    shape: Shape = ()
    steps: int = 1

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        if type(self.steps) is not int or self.steps < 1:
            raise ModelError(f"a delay of {self.steps!r} steps, not 1 or more", place=self.name)
        if len(inputs) > 1 or any(shape != self.shape for shape in inputs):
            raise ModelError(f"inputs {list(inputs)} are not one of {self.shape}", place=self.name)
        return self.shape
