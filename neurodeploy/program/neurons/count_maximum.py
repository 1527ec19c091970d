"""The maximum of rates, exact in counts; `docs/semantics.md`, section 13."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from neurodeploy.program.neurons.base import Neuron, State, StateVariable, Stepped
from neurodeploy.program.neurons.fields import flag
from neurodeploy.program.neurons.registry import register
from neurodeploy.program.neurons.worst_case import Bounds, Drive

__all__ = ["CELLS", "FIELD", "CountMaximum", "fields_of"]

#: Inputs that are told apart, and bits of what arrives for each.
CELLS, FIELD = 12, 2
#: Adds 1 to each field, so that -1, 0 and 1 are 0, 1 and 2.
_ONES = sum(1 << (FIELD * j) for j in range(CELLS))


def fields_of(a: np.ndarray) -> np.ndarray:
    """What each input sent, -1 ... 2: int64 (CELLS, *shape of a)."""
    shifted = a.astype(np.int64) + _ONES
    return np.stack([((shifted >> (FIELD * j)) & 3) - 1 for j in range(CELLS)])


@register
@dataclass(frozen=True, eq=False)
class CountMaximum(Neuron):
    """Sends so that at every step it has sent as many spikes as the input that sent most.

    The largest of counts that grow, or shrink, by at most one a step does so, too. The weight of
    input j is 4**j: it puts what they send beside one another, in fields of two bits.

    Attributes
    ----------
    signed
        Whether inputs take spikes back, so that it has to as well.
    """

    signed: bool = flag(True)

    kind: ClassVar[str] = "count_maximum"
    description: ClassVar[str] = "as many spikes as the input that sent most: max pooling of rates"
    states: ClassVar[tuple[StateVariable, ...]] = (
        StateVariable("sent", 24, "spikes passed on"),
        *(StateVariable(f"count{j}", 24, f"spikes of input {j}") for j in range(CELLS)),
    )

    @property
    def sends(self) -> tuple[int, int]:
        """Spikes, of both signs where it is signed."""
        return (-1 if self.signed else 0), 1

    def step(self, state: State, a: np.ndarray, tau: int, period: int) -> Stepped:
        """(i) to (iii) of section 13."""
        if tau == 0:
            state.update(self.start(a.size))
        for j, field in enumerate(fields_of(a)):
            state[f"count{j}"] = state[f"count{j}"] + field
        largest = np.max([state[f"count{j}"] for j in range(CELLS)], axis=0)
        sent = np.clip(largest - state["sent"], *self.sends)
        state["sent"] = state["sent"] + sent
        return Stepped(sent)

    def bounds(self, drive: Drive, period: int) -> Bounds:
        """It has neither current nor membrane."""
        return Bounds(drive.extremes, (0, 0), (0, 0))
