"""The first spike of a window; `docs/semantics.md`, section 5."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from neurodeploy.program.neurons.base import Neuron, State, StateVariable, Stepped
from neurodeploy.program.neurons.closed_form import Maximum
from neurodeploy.program.neurons.registry import register
from neurodeploy.program.neurons.worst_case import Bounds, Drive
from neurodeploy.program.window_codes import Times, WindowCode

__all__ = ["Earliest"]


@register
@dataclass(frozen=True, eq=False)
class Earliest(Neuron):
    """Passes on the first spike of each window that reaches it: the maximum of a time code."""

    kind: ClassVar[str] = "earliest"
    description: ClassVar[str] = "passes on the first spike of a window: max pooling of a time code"
    states: ClassVar[tuple[StateVariable, ...]] = (
        StateVariable("done", 1, "whether it fired in this window"),
    )
    sends_once: ClassVar[bool] = True
    message: ClassVar[str] = "time"

    def window_code(self, period: int) -> WindowCode:
        """Times."""
        return Times()

    def reads(self, code: WindowCode, period: int) -> bool:
        """Times."""
        return isinstance(code, Times)

    def closed_form(self, period: int) -> Maximum:
        """The first spike is the largest integer."""
        return Maximum()

    def step(self, state: State, a: np.ndarray, tau: int, period: int) -> Stepped:
        """(i) and (ii) of section 5."""
        if tau == 0:
            state["done"] = np.zeros(a.size, np.int64)
        spikes = (state["done"] == 0) & (a > 0)
        state["done"] = state["done"] | spikes
        return Stepped(spikes.astype(np.int64))

    def bounds(self, drive: Drive, period: int) -> Bounds:
        """It has neither current nor membrane."""
        return Bounds(drive.extremes, (0, 0), (0, 0))
