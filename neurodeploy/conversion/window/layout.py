"""Layers of integers to populations: windows, delays and relays.

A population reads in the window that begins one step after the last of its sources has begun to
send. Sources that sent earlier wait in the synapses, for as many steps as the target's delays
reach; what has to wait longer is repeated by relay populations: one synapse of weight 1 a neuron.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any, Protocol

import numpy as np

from neurodeploy.conversion.window.messages import Messages
from neurodeploy.network.stages import RELAY, Shape, Stage
from neurodeploy.program import INPUT, Connection, Neuron, Population
from neurodeploy.program.one_to_one import one_to_one
from neurodeploy.targets import Target

__all__ = ["Layout"]


class Layers(Protocol):
    """Integers of all stages."""

    @property
    def layers(self) -> Mapping[str, Any]:
        """By name; None for a max pooling."""

    @property
    def unit(self) -> Mapping[str, np.ndarray]:
        """Real value of one sent integer, float64 (neurons,), by name."""


class Layout:
    """Populations and connections so far."""

    def __init__(self, messages: Messages, shape: Shape, quantized: Layers, target: Target) -> None:
        self.messages, self.quantized, self.target = messages, quantized, target
        self.populations: list[Population] = []
        self.connections: list[Connection] = []
        self.shape = {INPUT: shape}
        self.unit = dict(quantized.unit)
        #: Step at which a population's window of sending begins.
        self.sends = {INPUT: 1}
        #: What is read in the place of the input.
        self.entrance = INPUT

    def enter(self, neuron: Neuron) -> None:
        """A population that all who read the input read instead: it says the same in its way."""
        name = f"{INPUT}{RELAY}"
        self._repeat(INPUT, name, neuron)
        self.entrance = name

    def add(self, stage: Stage) -> None:
        """The population of a stage, behind the relays that it needs."""
        layer = self.quantized.layers[stage.name]
        read = [path.source for path in stage.paths]
        sources = [self.entrance if source == INPUT else source for source in read]
        phase = self._meet(sources)
        before: tuple[tuple[str, Neuron], ...] = ()
        if layer is None:
            (path,) = stage.paths
            neuron, parts = self.messages.maximum(stage, path.operator, self.target)
            wired = [(sources[0], synapses, exponent) for synapses, exponent in parts]
        else:
            first = all(path.source == INPUT for path in stage.paths)
            fires = not stage.is_readout
            before, neuron = self.messages.chain(layer, fires=fires, first=first)
            wired = [
                (source, arrival.synapses, arrival.exponent)
                for source, arrival in zip(sources, layer.arrivals, strict=True)
            ]
        chain = [
            *((f"{stage.name}{ending}", each) for ending, each in before),
            (stage.name, neuron),
        ]
        for source, synapses, exponent in wired:
            self.connections.append(
                Connection(source, chain[0][0], synapses, exponent, phase - self.sends[source])
            )
        top = self.messages.top if layer is None else self.messages.top_of(layer)
        values = self.unit[stage.name] * top
        if stage.is_readout:
            values = np.ones_like(values)
        scale = values / top
        if layer is not None:
            scale = self.messages.membrane_unit(layer)
        for k, (name, each) in enumerate(chain):
            if k:
                self.connections.append(Connection(chain[k - 1][0], name, one_to_one(stage.shape)))
            self._append(
                Population(
                    name,
                    stage.shape,
                    each,
                    phase + k,
                    **_units("spike_value", "channel_values", values, stage.shape),
                    **_units("membrane_unit", "channel_units", scale, stage.shape),
                )
            )

    def _append(self, population: Population) -> None:
        self.populations.append(population)
        self.shape[population.name] = population.shape
        self.sends[population.name] = population.fire_phase(self.messages.period)

    def _meet(self, sources: list[str]) -> int:
        """The phase at which all sources can arrive, relays put in their places."""
        while True:
            phase = 1 + max(self.sends[source] for source in sources)
            early = [
                i for i, s in enumerate(sources) if phase - self.sends[s] > self.target.delay_max
            ]
            if not early:
                return phase
            for i in early:
                sources[i] = self._relay(sources[i])

    def _relay(self, source: str) -> str:
        """A population that repeats the integers of a source; all that read it share it."""
        name = f"{source}{RELAY}"
        if name in self.sends:
            return name
        size = prod(self.shape[source])
        self._repeat(source, name, self.messages.relay(size, first=source == INPUT))
        return name

    def _repeat(self, source: str, name: str, neuron: Neuron) -> None:
        """A population of the same integers, behind one synapse of weight 1 a neuron."""
        shape = self.shape[source]
        self.connections.append(Connection(source, name, one_to_one(shape)))
        self.unit[name] = self.unit[source]
        values = self.unit[source] * self.messages.top
        self._append(
            Population(
                name,
                shape,
                neuron,
                self.sends[source] + 1,
                **_units("spike_value", "channel_values", values, shape),
                **_units("membrane_unit", "channel_units", self.unit[source], shape),
            )
        )


def _units(one: str, each: str, values: np.ndarray, shape: Sequence[int]) -> dict[str, Any]:
    """The keywords of a `Population`: one number, or one a channel."""
    channels = values.reshape(shape[0], -1)[:, 0]
    found: dict[str, Any] = {one: float(channels.max())}
    if (channels != channels[0]).any():
        found[each] = tuple(map(float, channels))
    return found
