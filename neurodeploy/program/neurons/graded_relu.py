"""Integers through ReLUs without microcode (Lava); `docs/semantics.md`, section 17.

The neuron only adds and compares. What makes a small integer of a large sum is the right shift of
Lava's synapses (`weight_exp` below 0), and its bias comes from a neuron that spikes at every step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np

from neurodeploy.program.neurons.arithmetic import MEMBRANE_LIMIT
from neurodeploy.program.neurons.base import Neuron, State, StateVariable, Stepped
from neurodeploy.program.neurons.closed_form import Quotient
from neurodeploy.program.neurons.fields import flag, integer, per_neuron
from neurodeploy.program.neurons.incoming import Incoming
from neurodeploy.program.neurons.registry import register
from neurodeploy.program.neurons.worst_case import LARGEST_DRIVE, Bounds, Drive
from neurodeploy.program.window_codes import OneMessage, Payload, WindowCode

__all__ = ["GradedRelu", "bias_parts", "is_whole", "shifted_sums"]

#: Largest weight, and the exponent of those that bring the higher bits of a bias.
_WEIGHT_MAX, _EXPONENT = 127, 7
#: A message of so many bits is never cut: nothing larger is added up.
_WIDEST = 23


@register
@dataclass(frozen=True, eq=False)
class GradedRelu(Neuron):
    """Adds up, shifts right, adds its bias, and sends what is above zero.

    Attributes
    ----------
    bias
        int32 array, one entry a neuron (flat), in integers as they are sent.
    shift
        Right shift of what arrives.
    bits
        Of a message; what needs more is cut, and counted.
    signed
        Whether what is below zero is sent, too (Lava's `GradedVec`).
    """

    bias: np.ndarray = per_neuron(
        np.int32, -MEMBRANE_LIMIT, MEMBRANE_LIMIT, tensor="bias", bits="24 bit", usual=(-100, 100)
    )
    shift: int = integer(0, 22, 0, usual=(0, 8))
    bits: int = integer(1, _WIDEST, _WIDEST)
    signed: bool = flag(False)

    kind: ClassVar[str] = "graded_relu"
    widest: ClassVar[int] = _WIDEST
    description: ClassVar[str] = "integers through a ReLU, by processes that Lava ships"
    states: ClassVar[tuple[StateVariable, ...]] = ()
    streams: ClassVar[bool] = True
    #: Whatever its parameters, as far as its synapses can shift for it (`is_stock_with`).
    stock: ClassVar[Mapping[str, Any] | None] = MappingProxyType({})

    @property
    def top(self) -> int:
        """The largest message."""
        return (1 << self.bits) - 1

    @property
    def sends(self) -> tuple[int, int]:
        """Integers, of both signs where it is signed."""
        return (-self.top if self.signed else 0), self.top

    @property
    def is_graded(self) -> bool:
        """Always: Lava's process sends payloads."""
        return True

    @property
    def passes_sums(self) -> bool:
        """Signed, with nothing added and nothing shifted."""
        return self.signed and self.shift == 0 and not self.bias.any()

    @property
    def synapse_shift(self) -> int:
        """What is left to the synapses."""
        return self.shift

    @property
    def bias_synapses(self) -> int:
        """From neurons that spike at every step: two hold 14 bits (`bias_parts`)."""
        return len(bias_parts(self.bias)) if self.bias.any() else 0

    @property
    def membrane_bias(self) -> np.ndarray:
        """In integers as they are sent."""
        return self.bias

    @property
    def shipped(self) -> str:
        """The neuron, and the source of its biases."""
        name = "GradedVec" if self.signed else "GradedReluVec"
        return f"lava.proc.graded.{name}"

    def is_stock_with(self, incoming: Sequence[Incoming]) -> bool:
        """Lava shifts each connection by itself: one sum of all needs all others to be whole."""
        return shifted_sums(incoming, self.shift) <= 1

    def window_code(self, period: int) -> WindowCode | None:
        """One message, where a window is one step."""
        return Payload(bits=self.bits, signed=self.signed) if period == 1 else None

    def reads(self, code: WindowCode, period: int) -> bool:
        """Single messages."""
        return period == 1 and isinstance(code, OneMessage)

    def closed_form(self, period: int) -> Quotient | None:
        """A division by a power of two, rounded down."""
        if period != 1:
            return None
        # `Quotient` adds half a slope before it divides
        half = (1 << self.shift) >> 1
        bias = (self.bias.astype(np.int64) << self.shift) - half
        low = -self.top if self.signed else 0
        return Quotient(bias, 1 << self.shift, self.top, True, low)

    def end_limit(self, weights: int, late: int) -> int:
        """Sums up to which no message is cut."""
        return (self.top << self.shift) - (1 << self.shift)

    @classmethod
    def suited(cls, values: Mapping[str, Any], period: int) -> dict[str, Any]:
        """Room for all that may arrive within 24 bit: what is cut here Lava sends whole."""
        bias = np.asarray(values["bias"]) >> 3
        return {**values, "bits": _WIDEST, "shift": max(values["shift"], 1), "bias": bias}

    def step(self, state: State, a: np.ndarray, tau: int, period: int) -> Stepped:
        """(i) and (ii) of section 17."""
        x = (a >> self.shift) + self.bias
        if not self.signed:
            x = np.maximum(x, 0)
        sent = np.clip(x, -self.top, self.top)
        return Stepped(sent, 0, int((sent != x).sum()))

    def bounds(self, drive: Drive, period: int) -> Bounds:
        """Of the sum before it is shifted."""
        low, high = drive.limited()
        bias = self.bias.astype(np.int64) << self.shift
        far = LARGEST_DRIVE - 1
        least = int(np.clip(low + bias, -far, far).min(initial=0))
        most = int(np.clip(high + bias, -far, far).max(initial=0))
        limit = min(self.end_limit(0, 0), far - 1)
        return Bounds(drive.extremes, (0, 0), (least, most), limit)


def is_whole(connection: Incoming, shift: int) -> bool:
    """Whether what a connection brings is divisible by ``2**shift``, whatever arrives."""
    weights = connection.synapses.weights
    down = shift - connection.exponent
    return down <= 0 or not (weights.astype(np.int64) & ((1 << down) - 1)).any()


def shifted_sums(incoming: Sequence[Incoming], shift: int) -> int:
    """Sums that Lava shifts each by itself, 2 for more: of connections that are not whole.

    Synapses that occur twice are connections of their own on Lava.
    """
    parts = [c for c in incoming if not is_whole(c, shift)]
    return 2 if any(_repeats_pairs(c.synapses) for c in parts) else len(parts)


def _repeats_pairs(synapses: Any) -> bool:
    starts = getattr(synapses, "row_starts", None)
    if starts is None:
        return False
    row = np.repeat(np.arange(starts.size - 1), np.diff(starts))
    pairs = row * synapses.sources + synapses.columns
    return bool(np.unique(pairs).size < pairs.size)


def bias_parts(bias: np.ndarray) -> list[tuple[np.ndarray, int]]:
    """Biases as synapses of neurons that spike at every step.

    A bias is ``128 * high + low``: one synapse of an exponent of 0, and as many of an exponent of 7
    as the largest takes.

    Returns
    -------
    Weights int64 (neurons,), within 8 bit, and exponents; none that bring nothing.
    """
    bias = bias.astype(np.int64)
    high = (bias + (1 << (_EXPONENT - 1))) >> _EXPONENT
    parts = [(bias - (high << _EXPONENT), 0)]
    while high.any():
        part = np.clip(high, -_WEIGHT_MAX, _WEIGHT_MAX)
        parts.append((part, _EXPONENT))
        high = high - part
    return [(weights, exponent) for weights, exponent in parts if weights.any()]
