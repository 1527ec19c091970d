"""One population beside the stage of the ANN that it stands for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from neurodeploy.ledger.activation_code import Code, top_of
from neurodeploy.ledger.neurons import Reading, reading_of
from neurodeploy.network.batched import Map
from neurodeploy.network.stages import Stage
from neurodeploy.program import Connection, Population

__all__ = ["Arriving", "Kind", "Layer", "Way"]

#: Units that agree so well are equal but for float rounding.
_CONSISTENT = 1e-6
#: No fit of what spikes stand for goes so far: threshold and spike value contradict each other.
_FITTED = 0.45

Kind = Literal["relu", "max", "relay", "readout"]
Values = Mapping[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class Way:
    """A float path of the stage: the population it reads, and the map."""

    source: str
    apply: Map


@dataclass(frozen=True, eq=False)
class Arriving:
    """A connection: its map of integers, and what one message of its source is worth.

    Attributes
    ----------
    unit, offset
        Real value of a message m: ``m * unit + offset``.
    repeat
        How often the message counts in a window.
    coded
        Messages of real values, where one value takes several.
    """

    connection: Connection
    apply: Map
    unit: float | np.ndarray
    offset: float | np.ndarray
    repeat: int
    coded: Map | None = None

    def messages(self, values: np.ndarray) -> np.ndarray:
        """Real values of the source (n, neurons) as messages (n, sources), whole or not."""
        if self.coded is not None:
            return self.coded(values)
        return (values - np.float32(self.offset)) * np.float32(1 / self.unit)


@dataclass(frozen=True, eq=False)
class Layer:
    """What a population computes: as the ANN would, and as the program does.

    `kind`: ``relu`` fires a code of its own; ``max`` and ``relay`` repeat integers that reach
    them, so they bring no error; ``readout`` only integrates. Values are float32 (n, neurons).

    Attributes
    ----------
    tap
        The ANN's node with the same values; empty for what only repeats the values of others.
    stage
        None for a relay.
    code
        Of a ``relu`` population, else None.
    decoder_unit
        Real value of a membrane integer at the exit, before it is shifted.
    offset
        Real value of its integer 0: that of the input for its relays and maxima.
    """

    population: Population
    kind: Kind
    tap: str
    stage: Stage | None
    code: Code | None
    ways: tuple[Way, ...]
    arriving: tuple[Arriving, ...]
    decoder_unit: float
    steps: int
    offset: float | np.ndarray = 0.0

    @property
    def name(self) -> str:
        """Of the population."""
        return self.population.name

    @property
    def neurons(self) -> int:
        """How many."""
        return self.population.size

    @property
    def level(self) -> float:
        """lambda; 0 for a readout."""
        return 0.0 if self.kind == "readout" else self.population.spike_value

    @property
    def top(self) -> int:
        """The largest integer that it says."""
        return top_of(self.population, self.steps)

    @property
    def sources(self) -> tuple[str, ...]:
        """Populations it reads."""
        return tuple(a.connection.source for a in self.arriving)

    @property
    def unit(self) -> float | np.ndarray:
        """Real value of one of its integers, for all or for each neuron; NumPy's, whose division
        never raises."""
        if self.kind == "readout":
            return np.float64(self.decoder_unit)
        return np.asarray(self.population.spike_values, np.float64) / self.top

    @property
    def gain(self) -> float:
        """What the program makes of 1 behind the weights; 1 where its units are consistent."""
        if self.reading.loses_overshoot:  # a spike stands for more than its threshold
            return 1.0
        gain = self.code.gain if self.code else 1.0
        if self.kind == "readout":
            per_step = self.steps if self.reading.repeats else 1
            gain = self.unit * per_step / self.population.membrane_units
        # of neurons that differ: as far from 1 as they are in the mean square
        away = float(np.sqrt(np.mean((np.asarray(gain) - 1) ** 2)))
        fitted = self.reading.fitted and np.all(np.abs(np.asarray(gain) - 1) < _FITTED)
        if away <= _CONSISTENT or fitted:
            return 1.0
        alike = float(np.ptp(gain)) <= _CONSISTENT
        return float(np.mean(gain)) if alike else 1 + away

    @cached_property
    def reading(self) -> Reading:
        """What a window of its neurons adds up to."""
        return reading_of(self.population.neuron, self.steps)

    def clip(self, a: np.ndarray) -> np.ndarray:
        """The ANN's values as far as the code reaches."""
        return self.code.clip(a) if self.code else a

    def grid(self, a: np.ndarray) -> np.ndarray:
        """The ANN's values on the grid of the time steps."""
        return self.code.grid(a) if self.code else a

    def exact(self, values: Values) -> np.ndarray:
        """The stage with float weights."""
        if self.stage is None:
            return values[self.sources[0]]
        if self.kind == "max":
            (way,) = self.ways
            return way.apply(values[way.source])
        total = np.broadcast_to(self._bias, (len(next(iter(values.values()))), self._bias.size))
        for way in self.ways:
            total = total + way.apply(values[way.source])
        return self._activate(total)

    @cached_property
    def _bias(self) -> np.ndarray:
        assert self.stage is not None
        return self.stage.bias.astype(np.float32)

    def _activate(self, z: np.ndarray) -> np.ndarray:
        if self.kind == "readout" or self.stage is None:
            return z
        top = np.inf if self.stage.maximum is None else self.stage.maximum
        clipped = np.clip(z, np.float32(0), np.float32(top))
        if self.stage.levels is None:
            return clipped
        step = np.float32(top / self.stage.levels)  # the ANN's own staircase, no error
        return np.floor(clipped / step + np.float32(0.5)) * step

    def messages(self, values: Values) -> dict[str, np.ndarray]:
        """Real values of the sources as messages, whole or not."""
        return {a.connection.source: a.messages(values[a.connection.source]) for a in self.arriving}

    def weighed(self, values: Values) -> np.ndarray:
        """The stage with the program's weights and biases: no clip, no grid, unit gain."""
        if self.kind in ("max", "relay"):
            return self.exact(values)
        total = self._total(self.messages(values))
        if self.code:
            return self._activate(self.code.weighed(total))
        total = total + self.reading.initial
        if self.reading.repeats:
            total = total / self.steps
        return (total * self.population.membrane_units).astype(np.float32)

    def settle(self, messages: Values) -> np.ndarray:
        """The integers it sends if its messages come evenly: the closed form."""
        if self.kind == "max":
            (way,) = self.ways
            return way.apply(messages[self.sources[0]].astype(np.float32))
        if self.kind == "relay":
            return messages[self.sources[0]]
        total = self._total(messages)
        if self.code:
            return self.code.settle(total)
        return total + self.reading.initial

    def real(self, integers: np.ndarray) -> np.ndarray:
        """What its integers stand for."""
        return (integers.astype(np.float64) * self.unit + self.offset).astype(np.float32)

    def _total(self, messages: Values) -> np.ndarray:
        """Sum over a window in membrane integers, float64 (n, neurons)."""
        bias = self.reading.bias
        total = np.broadcast_to(bias, (len(next(iter(messages.values()))), bias.size))
        for a in self.arriving:
            factor = float(a.repeat << a.connection.exponent) * self.reading.factor
            sums = a.apply(messages[a.connection.source].astype(np.float32, copy=False))
            total = total + sums.astype(np.float64) * factor
        return total
