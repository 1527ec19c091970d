"""Changes instead of values, by what Lava ships for it; `docs/semantics.md`, section 18.

What arrives are changes, and they are added up; what is sent is by how much the activation changed
since the last message, once it is enough. Where two frames are alike, nothing is sent. Lava's
`SigmaDelta` does all of it, its `Delta` only sends changes, its `Sigma` only adds them up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np

from neurodeploy.program.neurons.arithmetic import MEMBRANE_LIMIT, clip24
from neurodeploy.program.neurons.base import Neuron, State, StateVariable, Stepped
from neurodeploy.program.neurons.fields import choice, integer, per_neuron
from neurodeploy.program.neurons.graded_relu import shifted_sums
from neurodeploy.program.neurons.incoming import Incoming
from neurodeploy.program.neurons.registry import register
from neurodeploy.program.window_codes import OneMessage, Payload, WindowCode

__all__ = ["SigmaDelta"]

#: A message of so many bits is never cut: nothing larger is added up.
_WIDEST = 23
_SHIPPED = {"sigma_delta": "SigmaDelta", "delta": "Delta", "sigma": "Sigma"}


@register
@dataclass(frozen=True, eq=False)
class SigmaDelta(Neuron):
    """Adds up changes, rectifies, and sends changes that are large enough.

    Attributes
    ----------
    bias
        int32 array, one entry a neuron (flat): what the sum begins with.
    threshold
        Least magnitude of a change that is sent; 1: every change is.
    shift
        Right shift of what arrives at a step.
    bits
        Of an activation; what needs more is cut, and counted.
    process
        ``sigma_delta``, or one of its halves: ``delta`` takes values and sends their changes,
        without a ReLU; ``sigma`` takes changes and sends their sum.
    """

    bias: np.ndarray = per_neuron(
        np.int32, -MEMBRANE_LIMIT, MEMBRANE_LIMIT, tensor="bias", bits="24 bit", usual=(-100, 100)
    )
    threshold: int = integer(1, MEMBRANE_LIMIT, 1, usual=(1, 40))
    shift: int = integer(0, 22, 0, usual=(0, 8))
    bits: int = integer(1, _WIDEST, _WIDEST)
    process: str = choice("sigma_delta", "delta", "sigma", default="sigma_delta")

    kind: ClassVar[str] = "sigma_delta"
    widest: ClassVar[int] = _WIDEST
    description: ClassVar[str] = "changes of activations, by processes that Lava ships"
    states: ClassVar[tuple[StateVariable, ...]] = (
        StateVariable("v", 24, "sum of what arrived"),
        StateVariable("act", 24, "activation of the step before"),
        StateVariable("residue", 24, "change that was not sent yet"),
    )
    streams: ClassVar[bool] = True
    stock: ClassVar[Mapping[str, Any] | None] = MappingProxyType({})

    @property
    def top(self) -> int:
        """The largest activation."""
        return (1 << self.bits) - 1

    @property
    def sends(self) -> tuple[int, int]:
        """Of both signs: an activation may fall by all that it is, and by what was kept back."""
        if self.process == "sigma":
            most = self.top
        else:
            most = (2 * self.top if self.process == "delta" else self.top) + self.threshold - 1
        return -most, most

    @property
    def is_stock(self) -> bool:
        """Lava's `Delta` has no bias."""
        return self.process != "delta" or not self.bias.any()

    def is_stock_with(self, incoming: Sequence[Incoming]) -> bool:
        """Lava shifts each connection by itself: one sum of all needs all others to be whole."""
        return shifted_sums(incoming, self.shift) <= 1

    @property
    def synapse_shift(self) -> int:
        """What is left to the synapses."""
        return self.shift

    @property
    def membrane_bias(self) -> np.ndarray:
        """In integers as they are sent."""
        return self.bias

    @property
    def shipped(self) -> str:
        """Lava's process."""
        return f"lava.proc.sdn.{_SHIPPED[self.process]}"

    def window_code(self, period: int) -> WindowCode | None:
        """One message, where a window is one step: of a frame alone, all of it is the change."""
        signed = self.process != "sigma_delta"
        return Payload(bits=self.bits, signed=signed) if period == 1 else None

    def reads(self, code: WindowCode, period: int) -> bool:
        """Single messages."""
        return period == 1 and isinstance(code, OneMessage)

    @classmethod
    def suited(cls, values: Mapping[str, Any], period: int) -> dict[str, Any]:
        """Messages that leave the weights behind them room."""
        narrow = {"bits": min(values["bits"], 11), "threshold": min(values["threshold"], 2**11)}
        return {**values, **narrow}

    def step(self, state: State, a: np.ndarray, tau: int, period: int) -> Stepped:
        """(i) to (iv) of section 18."""
        if tau == 0:
            state["v"] = self.bias.astype(np.int64)
            state["act"], state["residue"] = np.zeros_like(a), np.zeros_like(a)
        before = self.bias if self.process == "delta" else state["v"]
        state["v"], clipped = clip24(before + (a >> self.shift))
        wanted = np.maximum(state["v"], 0) if self.process == "sigma_delta" else state["v"]
        act = np.clip(wanted, -self.top, self.top)
        clipped += int((act != wanted).sum())
        if self.process == "sigma":
            return Stepped(act, 0, clipped)
        change = act - state["act"] + state["residue"]
        sent = np.where(np.abs(change) >= self.threshold, change, 0)
        state["act"], state["residue"] = act, change - sent
        return Stepped(sent, 0, clipped)
