"""The input as a layer of its own: it clips, rounds, and its spikes may come unevenly."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import ClassVar

import numpy as np

from neurodeploy.program import INPUT
from neurodeploy.program.codec import PROBABILITY_ONE, Encoder
from neurodeploy.simulator import encoding

__all__ = ["Entrance"]


@dataclass(frozen=True)
class Entrance:
    """The encoder, as the other layers see it.

    A constant current and a spike time carry the integer itself; the spike encodings carry their
    number of spikes over the steps.
    """

    encoder: Encoder
    steps: int

    name: ClassVar[str] = INPUT
    kind: ClassVar[str] = "input"
    #: No lambda, and always consistent.
    level: ClassVar[float] = 0.0
    gain: ClassVar[float] = 1.0

    @property
    def neurons(self) -> int:
        """Number of inputs."""
        return prod(self.encoder.shape)

    @property
    def counts(self) -> bool:
        """Whether the messages are spikes to be counted."""
        return self.encoder.code.counts

    @property
    def unit(self) -> np.ndarray:
        """Real value of one message, one for all or one an input.

        NumPy's, whose division never raises.
        """
        return self.encoder.units * (PROBABILITY_ONE / self.steps if self.counts else 1)

    @property
    def repeat(self) -> int:
        """How often a message counts in a window: a current flows at every step."""
        return self.steps if self.encoder.code.steady else 1

    def clip(self, x: np.ndarray) -> np.ndarray:
        """Network input kept in the encoder's range."""
        e = self.encoder
        low, high = e.offsets + e.low * e.units, e.offsets + e.high * e.units
        return np.clip(x, np.float32(low), np.float32(high))

    def grid(self, x: np.ndarray) -> np.ndarray:
        """Network input on the encoder's grid, however large."""
        e = self.encoder
        return self.real(self._sent(np.rint((x.astype(np.float64) - e.offsets) / e.units)))

    def settle(self, x: np.ndarray) -> np.ndarray:
        """Messages of network input (n, inputs): exact, or expected for random spikes."""
        level = encoding.levels(self.encoder, x.reshape(len(x), *self.encoder.sample_shape))
        return self._sent(level.astype(np.float64))

    def real(self, messages: np.ndarray) -> np.ndarray:
        """What messages stand for."""
        return (messages.astype(np.float64) * self.unit + self.encoder.offsets).astype(np.float32)

    def _sent(self, level: np.ndarray) -> np.ndarray:
        return self.encoder.code.expected(level, self.steps)
