"""The input as a layer of its own: it clips, rounds, and its spikes may come unevenly."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import ClassVar

import numpy as np

from neurodeploy.program import INPUT
from neurodeploy.program.bit_planes import split_levels
from neurodeploy.program.codec import PROBABILITY_ONE, Encoder
from neurodeploy.simulator import encoding

__all__ = ["Entrance"]


@dataclass(frozen=True)
class Entrance:
    """The encoder, as the other layers see it.

    A constant current and a spike time carry the integer itself; the spike encodings carry their
    number of spikes over the steps. With bit planes an input has several lines: real values are
    those of inputs, messages those of lines.
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
        return prod(self.encoder.input_shape)

    @property
    def counts(self) -> bool:
        """Whether the messages are spikes to be counted."""
        return self.encoder.code.counts

    @property
    def unit(self) -> np.ndarray:
        """Real value of one message, for all or for each line; NumPy's: no division raises."""
        return self.encoder.units * (PROBABILITY_ONE / self.steps if self.counts else 1)

    @property
    def repeat(self) -> int:
        """How often a message counts in a window: a current flows at every step."""
        return self.steps if self.encoder.code.steady else 1

    def clip(self, x: np.ndarray) -> np.ndarray:
        """Network input kept in the encoder's range."""
        e = self.encoder
        unit, zero = e.input_units, e.input_offsets
        return np.clip(x, np.float32(zero + e.low * unit), np.float32(zero + e.high * unit))

    def grid(self, x: np.ndarray) -> np.ndarray:
        """Network input on the encoder's grid, however large."""
        return self.real(self._sent(self._lines(np.rint(self._level(x)))))

    def settle(self, x: np.ndarray) -> np.ndarray:
        """Messages of network input (n, inputs): exact, or expected for random spikes."""
        level = encoding.levels(self.encoder, x.reshape(len(x), *self.encoder.sample_shape))
        return self._sent(level.astype(np.float64))

    def messages(self, x: np.ndarray) -> np.ndarray:
        """Network input (n, inputs) as messages of the lines over a window, whole or not."""
        lines = self._lines(self._level(x)) * (self.steps / PROBABILITY_ONE)
        return lines.astype(np.float32)

    def worth(self, messages: np.ndarray) -> np.ndarray:
        """What messages of the lines add to the integer 0: float64 (n, inputs)."""
        e = self.encoder
        worth: np.ndarray = messages * self.unit
        if not e.bit_planes:
            return worth
        summed: np.ndarray = worth.reshape(len(worth), e.input_shape[0], e.lines, -1).sum(2)
        return summed.reshape(len(worth), -1)

    def real(self, messages: np.ndarray) -> np.ndarray:
        """What messages of the lines stand for: float32 (n, inputs)."""
        return (self.worth(messages.astype(np.float64)) + self.encoder.input_offsets).astype(
            np.float32
        )

    def _level(self, x: np.ndarray) -> np.ndarray:
        e = self.encoder
        found: np.ndarray = (x.astype(np.float64) - e.input_offsets) / e.input_units
        return found

    def _lines(self, level: np.ndarray) -> np.ndarray:
        e = self.encoder
        return split_levels(level, e.bit_planes, e.input_shape[0]) if e.bit_planes else level

    def _sent(self, level: np.ndarray) -> np.ndarray:
        return self.encoder.code.expected(level, self.steps)
