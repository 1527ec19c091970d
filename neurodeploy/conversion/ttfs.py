"""Time to first spike: one spike a neuron, exact (Stanojevic et al. 2022, 2024; the B1 model).

A layer integrates in one window of W steps and fires in the next; a spike stands for the integer
W - tau. In integers the spiking network equals the network with activations rounded to W levels
(docs/semantics.md, section 4).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from neurodeploy.calibration import Calibration
from neurodeploy.conversion.balance import BALANCES, Balance, Balanced
from neurodeploy.conversion.mean_activations import means
from neurodeploy.conversion.options import option
from neurodeploy.conversion.scheme import register_scheme
from neurodeploy.conversion.silent_neurons import Silenced
from neurodeploy.conversion.value_of_zero import response_to_zeros, zeros
from neurodeploy.errors import UsageError
from neurodeploy.network.stages import RELAY, Path, Stage, population_shape
from neurodeploy.program import (
    INPUT,
    Connection,
    Decoder,
    Earliest,
    Encoder,
    Population,
    Preprocessing,
    Program,
    Sparse,
    Ttfs,
)
from neurodeploy.quantization.layer import Arrival
from neurodeploy.quantization.operators import quantize
from neurodeploy.quantization.ttfs import quantize_ttfs
from neurodeploy.targets import Target

__all__ = ["TtfsScheme"]


@register_scheme
@dataclass(frozen=True)
class TtfsScheme(Balanced):
    """Options of the time-to-first-spike code: those of `Balanced`, with its own defaults."""

    balance: Balance = option(
        "mmse", "How the largest activation of a layer is chosen.", choices=BALANCES
    )

    name: ClassVar[str] = "ttfs"
    title: ClassVar[str] = "time to first spike: one spike a neuron, exact to W levels"
    #: The earliest spike.
    max_pooling: ClassVar[bool] = True
    exact: ClassVar[bool] = True

    def convert(
        self,
        stages: tuple[Stage, ...],
        input_shape: tuple[int, ...],
        calibration: Calibration,
        target: Target,
        preprocessing: Preprocessing,
        seed: int,
        provenance: dict[str, Any],
    ) -> Program:
        """See `Scheme.convert`."""
        if not target.microcode:
            raise UsageError(
                f"{target.title} has no neuron that fires at a computed time (microcode)",
                place="--scheme ttfs",
                remedy="use --target loihi2, or --scheme rate",
            )
        low, high = calibration.input_range
        encoder = Encoder(
            shape=population_shape(input_shape),
            encoding="ttfs",
            unit=((high - low) or 1.0) / self.steps,
            low=0,
            high=self.steps,
            preprocessing=preprocessing,
            seed=seed,
            sample_shape=input_shape,
            offset=low,
        )
        builder = _Builder(self, encoder, target)
        builder.zero = zeros(stages, encoder.offset)
        mean = means(stages, encoder.shape, calibration)
        builder.mean = {name: values - builder.zero[name] for name, values in mean.items()}
        for stage in stages:
            builder.add(stage, calibration)
        readout = builder.populations[-1]
        return Program(
            populations=tuple(builder.populations),
            connections=tuple(builder.connections),
            encoder=encoder,
            decoder=Decoder(readout.name, readout.membrane_unit),
            period=self.steps,
            scheme=self.name,
            target=target.name,
            provenance=provenance,
        )


class _Builder:
    """Populations and connections so far, with the window in which each population fires."""

    def __init__(self, scheme: TtfsScheme, encoder: Encoder, target: Target) -> None:
        self.scheme, self.encoder, self.target = scheme, encoder, target
        self.populations: list[Population] = []
        self.connections: list[Connection] = []
        self.unit = {INPUT: encoder.unit}
        self.shape = {INPUT: encoder.shape}
        #: Real value of the integer 0, and the mean above it.
        self.zero = {INPUT: encoder.offset}
        self.mean: dict[str, np.ndarray] = {}
        self.silenced = Silenced()
        #: Window in which a population fires, and the step at which that window begins.
        self.window = {INPUT: 0}
        self.fires = {INPUT: 1}

    def add(self, stage: Stage, calibration: Calibration) -> None:
        """A stage, and the relays its inputs need to arrive in the same window."""
        reads = max(self.window[path.source] for path in stage.paths)
        paths = tuple(self._relayed(path, reads) for path in stage.paths)
        phase = 1 + max(self.fires[path.source] for path in paths)
        arrivals = tuple(
            Arrival(
                path.source,
                path.operator,
                self.unit[path.source],
                0,
                1,
                graded=False,
                delay=phase - self.fires[path.source],
                mean=self.mean.get(path.source),
            )
            for path in paths
        )
        if stage.kind == "max":
            self._add_max(stage, arrivals[0], phase)
            return
        unit = 0.0
        if stage.kind == "relu":
            statistics = calibration.layers[stage.activation]
            level = self.scheme.level(statistics, stage.maximum, stage.levels)
            unit = level / self.scheme.steps
        bias = stage.bias + response_to_zeros(paths, self.zero, self.shape)
        bias, arrivals = self.silenced(stage, bias, arrivals, self.scheme.steps)
        layer = quantize_ttfs(stage, bias, arrivals, unit, self.target, self.scheme.steps)
        self.connections += layer.connections
        self._append(
            Population(
                stage.name,
                stage.shape,
                layer.neuron,
                phase,
                spike_value=layer.output_unit * self.scheme.steps or 1.0,
                membrane_unit=layer.scale,
            ),
            layer.output_unit,
            reads,
        )

    def _add_max(self, stage: Stage, arrival: Arrival, phase: int) -> None:
        synapses = quantize(arrival.operator, 1.0, self.target.weight_max)
        self.connections.append(
            Connection(arrival.source, stage.name, synapses, delay=arrival.delay)
        )
        unit = self.unit[arrival.source]
        value = unit * self.scheme.steps
        population = Population(stage.name, stage.shape, Earliest(), phase, spike_value=value)
        self._append(population, unit, self.window[arrival.source])

    def _append(self, population: Population, unit: float, reads: int) -> None:
        name, lag = population.name, population.neuron.lag
        self.populations.append(population)
        self.unit[name], self.shape[name] = unit, population.shape
        self.window[name] = reads + lag
        self.fires[name] = population.fire_phase(self.scheme.steps)

    def _relayed(self, path: Path, reads: int) -> Path:
        """The path from the last of as many relays as bring its source into window `reads`.

        A relay has one synapse of weight 1 a neuron and slope 1: it repeats x exactly, one
        window later. Relays of a source are shared by all that read it.
        """
        source = path.source
        while self.window[source] < reads:
            name = f"{source}{RELAY}"
            if name not in self.window:
                size = int(np.prod(self.shape[source]))
                neuron = Ttfs(np.zeros(size, np.int32), 1)
                phase = self.fires[source] + 1
                synapses = Sparse(
                    np.ones(size, np.int8),
                    np.arange(size, dtype=np.int32),
                    np.arange(size + 1, dtype=np.int64),
                    size,
                )
                self.connections.append(Connection(source, name, synapses))
                unit = self.unit[source]
                relay = Population(
                    name,
                    self.shape[source],
                    neuron,
                    phase,
                    spike_value=unit * self.scheme.steps,
                    membrane_unit=unit,
                )
                self._append(relay, unit, self.window[source])
                self.zero[name] = self.zero[source]
                if source in self.mean:
                    self.mean[name] = self.mean[source]
            source = name
        return Path(source, path.operator)
