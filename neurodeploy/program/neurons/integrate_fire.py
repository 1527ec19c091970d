"""Integrate-and-fire with a threshold a neuron and signed spikes; `docs/semantics.md`, section 12.

The signed neuron with memory of Wang et al. (IJCAI 2022): it counts what it sent, and takes a
spike back while its membrane is negative.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from neurodeploy.errors import ProgramError
from neurodeploy.program.neurons.arithmetic import MEMBRANE_LIMIT, clip24
from neurodeploy.program.neurons.base import Neuron, State, StateVariable, Stepped
from neurodeploy.program.neurons.fields import flag, per_neuron
from neurodeploy.program.neurons.registry import register
from neurodeploy.program.neurons.worst_case import Bounds, Drive

__all__ = ["IntegrateFire"]


@register
@dataclass(frozen=True, eq=False)
class IntegrateFire(Neuron):
    """Reset by subtraction; bias, threshold and initial membrane of 24 bit for each neuron.

    Attributes
    ----------
    bias
        int32 array, one entry a neuron (flat), within 24 bit: added at each step.
    threshold
        int32 array, 1 ... 2**23 - 1.
    initial
        int32 array, within 24 bit: membrane at the start of a window.
    signed
        Whether it sends -1 where the membrane is negative and it sent more 1 than -1 so far.
    fires
        False for a readout, which only integrates.
    """

    bias: np.ndarray = per_neuron(
        np.int32, -MEMBRANE_LIMIT, MEMBRANE_LIMIT, tensor="bias", bits="24 bit", usual=(-100, 100)
    )
    threshold: np.ndarray = per_neuron(
        np.int32, 1, MEMBRANE_LIMIT, tensor="threshold", bits="24 bit", usual=(1, 3000)
    )
    initial: np.ndarray = per_neuron(
        np.int32, -MEMBRANE_LIMIT, MEMBRANE_LIMIT, tensor="initial", bits="24 bit",
        usual=(-1000, 1000),
    )  # fmt: skip
    signed: bool = flag(True)
    fires: bool = flag(True)

    kind: ClassVar[str] = "integrate_fire"
    description: ClassVar[str] = "integrate-and-fire, reset by subtraction; takes spikes back"
    states: ClassVar[tuple[StateVariable, ...]] = (
        StateVariable("v", 24, "membrane"),
        StateVariable("count", 24, "spikes sent less spikes taken back"),
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("threshold", "initial"):
            values = getattr(self, name)
            if values.size != self.bias.size:
                raise ProgramError(f"{values.size} values of {name} for {self.bias.size} biases")

    @property
    def sends(self) -> tuple[int, int]:
        """Spikes, of both signs where it is signed; nothing for a readout."""
        return (-1 if self.signed else 0, 1) if self.fires else (0, 0)

    @property
    def membrane_scale(self) -> tuple[int, str]:
        """Thresholds, by the middle one."""
        return max(1, int(np.median(self.threshold))) if self.bias.size else 1, "thresholds"

    @property
    def membrane_bias(self) -> np.ndarray:
        """`bias`, added at every step."""
        return self.bias

    @property
    def always_active(self) -> int:
        """Neurons with a bias."""
        return int(np.count_nonzero(self.bias))

    @classmethod
    def suited(cls, values: Mapping[str, Any], period: int) -> dict[str, Any]:
        """Any values suit."""
        return dict(values)

    def step(self, state: State, a: np.ndarray, tau: int, period: int) -> Stepped:
        """(i) to (iv) of section 12."""
        if tau == 0:
            state["v"] = self.initial.astype(np.int64)
            state["count"] = np.zeros(a.size, np.int64)
        v, clipped = clip24(state["v"] + a + self.bias)
        sent: np.ndarray = np.zeros(a.size, np.int64)
        if self.fires:
            sent = (v >= self.threshold).astype(np.int64)
            if self.signed:
                sent = sent - ((v < 0) & (state["count"] > 0))
        state["v"] = v - sent * self.threshold
        state["count"] = state["count"] + sent
        return Stepped(sent, 0, clipped)

    def bounds(self, drive: Drive, period: int) -> Bounds:
        """A spike takes a threshold away, and leaves what is not negative."""
        low, high = drive.limited()
        low, high = low + self.bias, high + self.bias
        start, theta = self.initial.astype(np.int64), self.threshold.astype(np.int64)
        if not start.size:
            return Bounds(drive.extremes, (0, 0), (0, 0))
        bottom = start + period * np.minimum(low, 0)
        if self.fires:
            bottom = np.minimum(start, 0) + period * np.minimum(low, 0)
            # it grows by what exceeds the threshold; what is below comes just below it at most
            grows = np.maximum(high - theta, 0) * max(period - 1, 0)
            top = np.maximum(start, theta) + np.maximum(high, 0) + grows
        else:
            top = start + period * np.maximum(high, 0)
        membrane = int(bottom.min()), int(top.max())
        return Bounds(drive.extremes, (0, 0), membrane)
