"""Rate coding: an activation is the share of steps at which a neuron fires, times lambda.

Integrate-and-fire neurons, threshold balancing (Diehl et al. 2015; Rueckauer et al. 2017). With
reset by subtraction, constant input and the initial potential theta/2 a neuron fires
``clip(floor(z T / theta + 1/2), 0, T)`` times in T steps (papers: Deng & Gu 2021, Bu et al. 2022).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

from neurodeploy.calibration import Calibration
from neurodeploy.conversion.balance import Balanced
from neurodeploy.conversion.options import option
from neurodeploy.conversion.relayed_input import relay_input
from neurodeploy.conversion.scheme import register_scheme
from neurodeploy.conversion.silent_neurons import Silenced
from neurodeploy.errors import UsageError
from neurodeploy.network.stages import Stage, population_shape
from neurodeploy.program import (
    INPUT,
    Connection,
    Decoder,
    Encoder,
    Encoding,
    Population,
    Preprocessing,
    Program,
)
from neurodeploy.program.codec import PROBABILITY_ONE
from neurodeploy.program.neurons.lif import STOCK_SHIFT
from neurodeploy.quantization import Arrival, LayerPlan, quantize_layer
from neurodeploy.targets import Target

__all__ = ["RateScheme", "ResetMode"]

ResetMode = Literal["subtract", "zero"]
#: Tried where a trial with the default is poor.
PERCENTILES = (99.0, 98.0)


@register_scheme
@dataclass(frozen=True)
class RateScheme(Balanced):
    """Options of the rate code, besides those of `Balanced`.

    Attributes
    ----------
    reset
        ``subtract`` the threshold (microcode) or to ``zero`` (the stock neuron); None: `subtract`
        where the target has microcode.
    encoding
        Input as constant ``current`` (graded), or ``deterministic`` or ``poisson`` spikes; None:
        `current` where the target has graded spikes, else `deterministic`.
    input_levels
        Integers on each side of zero that a constant current may take.
    """

    reset: ResetMode | None = option(
        None,
        "What a spike does to the membrane.",
        type=str,
        choices=("subtract", "zero"),
        absent="subtract, or zero where the target has no microcode",
    )
    encoding: Encoding | None = option(
        None,
        "How the input comes in.",
        type=str,
        choices=("current", "deterministic", "poisson"),
        absent="current, or deterministic where spikes are binary",
    )
    input_levels: int = option(
        255, "Integers on each side of zero of a constant current.", low=1, high=2**23 - 1,
        hidden=True,
    )  # fmt: skip

    name: ClassVar[str] = "rate"
    title: ClassVar[str] = "rate code: an activation is the share of steps at which a neuron fires"
    #: A rate is not known before all spikes came: no maximum of rates.
    max_pooling: ClassVar[bool] = False

    @property
    def uses_noise(self) -> bool:
        """With Poisson input."""
        return self.encoding == "poisson"

    def alternatives(self, stated: Collection[str]) -> tuple[RateScheme, ...]:
        """Lower percentiles.

        They clip the rarest activations and let all others fire more often: in deep and residual
        networks at few steps the second is worth far more, elsewhere it is not.
        """
        if self.balance != "percentile" or not {"balance", "percentile"}.isdisjoint(stated):
            return ()
        return tuple(replace(self, percentile=p) for p in PERCENTILES if p < self.percentile)

    def resolved(self, target: Target) -> RateScheme:
        """See `Scheme.resolved`."""
        return replace(
            self,
            reset=self.reset or ("subtract" if target.microcode else "zero"),
            encoding=self.encoding or ("current" if target.graded_bits else "deterministic"),
        )

    def encoder(
        self,
        input_shape: tuple[int, ...],
        calibration: Calibration,
        preprocessing: Preprocessing,
        seed: int,
    ) -> Encoder:
        """The entrance, scaled to the largest input seen."""
        low, high = calibration.input_range
        largest = max(abs(low), abs(high)) or 1.0
        levels = self.input_levels if self.encoding == "current" else PROBABILITY_ONE
        return Encoder(
            shape=population_shape(input_shape),
            encoding=self.encoding or "current",
            unit=largest / levels,
            low=-levels if low < 0 else 0,
            high=levels,
            preprocessing=preprocessing,
            seed=seed,
            sample_shape=input_shape,
        )

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
        if self.reset is None or self.encoding is None:
            return self.resolved(target).convert(
                stages, input_shape, calibration, target, preprocessing, seed, provenance
            )
        encoder = self.encoder(input_shape, calibration, preprocessing, seed)
        self._check_target(target, encoder)
        current = self.encoding == "current"
        levels: dict[str, float] = {}
        if current:
            stages, levels = relay_input(stages, encoder.shape, *calibration.input_range)
        message_unit = {INPUT: encoder.unit if current else encoder.unit * PROBABILITY_ONE}
        depth = {INPUT: 0} | {stage.name: stage.depth for stage in stages}

        populations: list[Population] = []
        connections: list[Connection] = []
        silenced = Silenced()
        payload = {INPUT: encoder.message_range}  # all others send spikes
        for stage in stages:
            level = levels.get(stage.name, 0.0)
            if not stage.is_readout and not level:
                level = self.level(
                    calibration.layers[stage.activation], stage.maximum, stage.levels
                )
            arrivals = tuple(
                Arrival(
                    source=path.source,
                    operator=path.operator,
                    message_unit=message_unit[path.source],
                    low=payload.get(path.source, (0, 1))[0],
                    high=payload.get(path.source, (0, 1))[1],
                    graded=path.source == INPUT and encoder.is_graded,
                    delay=stage.depth - depth[path.source],
                )
                for path in stage.paths
            )
            plan = self._plan(level, calibration, target)
            bias, arrivals = silenced(stage, stage.bias, arrivals)
            stage = replace(stage, bias=bias)
            layer = quantize_layer(stage, arrivals, plan, target, self.steps)
            populations.append(
                Population(
                    name=stage.name,
                    shape=stage.shape,
                    neuron=layer.neuron,
                    phase=1 + stage.depth,
                    spike_value=layer.level or 1.0,
                    membrane_unit=layer.membrane_unit,
                )
            )
            connections += layer.connections
            message_unit[stage.name] = layer.level
        readout = populations[-1]
        return Program(
            populations=tuple(populations),
            connections=tuple(connections),
            encoder=encoder,
            decoder=Decoder(readout.name, readout.membrane_unit / self.steps),
            period=self.steps,
            scheme=self.name,
            target=target.name,
            provenance=provenance,
        )

    def _plan(self, level: float, calibration: Calibration, target: Target) -> LayerPlan:
        """Neuron, initial potential and shifts of a layer (a readout where `level` is 0)."""
        custom = tuple(range(STOCK_SHIFT, -1, -1))
        stock = (STOCK_SHIFT,)
        if level == 0:
            if target.microcode and self.reset == "subtract":
                return LayerPlan(0.0, "none", 0.0, 0.0, custom)
            # the stock neuron always has a threshold: keep it twice as far as any output seen
            reach = 2 * self.steps * max(map(abs, calibration.output_range))
            return LayerPlan(0.0, "zero", 0.0, 0.0, stock, reach)
        if self.reset == "subtract":
            return LayerPlan(level, "subtract", 0.5, 0.0, custom)
        # the stock neuron starts at 0: half a threshold comes as bias, spread over the steps
        return LayerPlan(level, "zero", 0.0, 0.5 / self.steps, stock)

    def _check_target(self, target: Target, encoder: Encoder) -> None:
        if self.reset == "subtract" and not target.microcode:
            raise UsageError(
                f"{target.title} has no neuron with reset by subtraction (it needs microcode)",
                place="--reset subtract",
                remedy="use --reset zero, or --target loihi2",
            )
        if encoder.is_graded and target.graded_bits == 0:
            what = "a constant current" if self.encoding == "current" else "input of both signs"
            raise UsageError(
                f"{target.title} sends binary spikes only, {what} needs graded ones",
                place=f"--encoding {self.encoding}",
                remedy="use --encoding deterministic or poisson with input that is never "
                "negative, or --target loihi2",
            )
