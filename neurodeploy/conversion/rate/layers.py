"""Stages to layers of a rate code, sources first, with their spikes on the calibration samples.

The largest rate of each channel stands for lambda, chosen by least squared error (Li et al. 2021)
or as the scheme says. What a layer's spikes say on average too much or too little, beside the
float network, is taken back in its biases before the next layer is looked at: spikes that come
unevenly are among it, which no closed form knows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any, Protocol

import numpy as np

from neurodeploy.calibration import Calibration
from neurodeploy.conversion.input_lines import with_lines
from neurodeploy.conversion.rate.firing import Firing
from neurodeploy.conversion.rate.trains import Arrived, Trains, samples_to_step
from neurodeploy.conversion.window.entrance import Entrance
from neurodeploy.conversion.window.integers import float_activation
from neurodeploy.conversion.window.running import Side, samples_that_fit
from neurodeploy.conversion.window.steps import channels_of
from neurodeploy.conversion.window.units import Units
from neurodeploy.network.stages import Stage
from neurodeploy.program import Encoder, Neuron
from neurodeploy.program.bit_planes import split_levels
from neurodeploy.quantization.window import Arriving
from neurodeploy.targets import Target

__all__ = ["LONGEST", "Layer", "Made", "Maker", "make_layers"]

#: Passes of bias correction: who fires changes with the bias.
_PASSES = 3
#: Windows longer than that are not stepped: what comes unevenly matters little.
LONGEST = 512


class Layer(Protocol):
    """A layer in integers."""

    @property
    def arrivals(self) -> Sequence[Arrived]:
        """Its connections."""

    @property
    def unit(self) -> np.ndarray:
        """Real value of one spike in a window, float64 (neurons,); zeros for a readout."""

    @property
    def scale(self) -> np.ndarray:
        """Real value at a window's end of what arrives as 1, float64 (neurons,)."""

    @property
    def bias(self) -> np.ndarray:
        """What its bias adds in a window, in the same integers."""

    @property
    def membrane(self) -> np.ndarray:
        """Real value of one membrane integer at a window's end, float64 (neurons,)."""

    @property
    def level(self) -> np.ndarray:
        """Lambda, float64 (neurons,)."""

    def valued(self, worth: np.ndarray) -> Layer:
        """With another real value of a spike, where that is free."""

    def firing(self) -> Firing:
        """Its neurons, to be stepped."""

    def corrected(self, lacks: np.ndarray) -> Layer:
        """With what neurons lack on average (real, over a window) in the bias."""

    def neuron(self, *, fires: bool) -> Neuron:
        """Its neurons."""


class Maker(Protocol):
    """What makes layers of stages."""

    @property
    def free(self) -> bool:
        """Whether a spike may stand for something else than its threshold."""

    @property
    def told(self) -> dict[str, Any]:
        """What it was, for the provenance."""

    def layer(
        self,
        stage: Stage,
        bias: np.ndarray,
        arriving: Sequence[Arriving],
        step: np.ndarray,
        steps: int,
        reach: np.ndarray,
        target: Target,
        *,
        one_unit: bool,
    ) -> Any:
        """A stage in integers."""


@dataclass(eq=False)
class Made:
    """All layers.

    Attributes
    ----------
    layers
        By name of the stage; None for a max pooling.
    unit
        float64 (neurons,) by name: real value of one spike in a window.
    error
        Mean squared error of the outputs over their variance, on the calibration samples that
        were stepped; NaN without any.
    """

    layers: dict[str, Layer | None] = field(default_factory=dict)
    unit: dict[str, np.ndarray] = field(default_factory=dict)
    error: float = float("nan")


def make_layers(
    stages: tuple[Stage, ...],
    entrance: Entrance,
    encoder: Encoder,
    calibration: Calibration,
    target: Target,
    maker: Maker,
    steps: int,
    largest: Callable[[Stage, np.ndarray | None], np.ndarray],
    *,
    signed: bool,
    correct: bool,
    few: bool = False,
) -> Made:
    """Every stage in integers.

    Parameters
    ----------
    entrance, encoder
        The input's integers, and how they are sent.
    largest
        lambda of each channel, from a stage and its activations (samples, neurons) or None.
    signed
        Whether populations send -1 too.
    correct
        Whether biases are corrected.
    few
        Whether few samples are stepped, see `samples_to_step`.
    """
    return _Run(
        stages, entrance, encoder, calibration, target, maker, steps, largest, signed, correct, few
    ).made()


class _Run:
    def __init__(
        self,
        stages: tuple[Stage, ...],
        entrance: Entrance,
        encoder: Encoder,
        calibration: Calibration,
        target: Target,
        maker: Maker,
        steps: int,
        largest: Callable[[Stage, np.ndarray | None], np.ndarray],
        signed: bool,
        correct: bool,
        few: bool,
    ) -> None:
        self.stages, self.target, self.maker = stages, target, maker
        self.steps, self.largest, self.signed, self.encoder = steps, largest, signed, encoder
        low, high = encoder.message_range
        lines = np.zeros(prod(encoder.shape))
        self.units = Units(
            stages,
            encoder.shape,
            lines + encoder.units * (encoder.code.unit(1.0) / steps),
            lines + encoder.offsets,
            (steps * low, steps * high),
        )
        # what levels come to is exact but for ties, and a shift would move all
        self.with_levels = any(stage.levels for stage in stages)
        self.found = Made(unit=self.units.unit)
        wide = samples_that_fit(calibration.x, stages)
        self.real = self._side(wide) if wide.size else None
        stepped = correct and steps <= LONGEST
        narrow = samples_to_step(wide, stages, steps, few=few) if stepped else wide[:0]
        self.trains: Trains | None = None
        if narrow.size:
            self.beside = self._side(narrow)
            level = entrance.levels(narrow).astype(np.int32)
            level = split_levels(level, encoder.bit_planes, encoder.input_shape[0])
            rows = range(1 if encoder.code.steady else steps)
            sent = [encoder.code.encode(encoder, x, steps, k, rows) for k, x in enumerate(level)]
            self.trains = Trains.of(stages, encoder.shape, steps, np.stack(sent, axis=1))

    def _side(self, x: np.ndarray) -> Side:
        """The float network on samples (n, ...)."""
        apart = x.reshape(len(x), *self.encoder.input_shape)
        return Side.of(self.stages, self.encoder.shape, with_lines(apart, self.encoder.lines))

    def made(self) -> Made:
        """All stages."""
        for stage in self.stages:
            if stage.kind == "max":
                self._maximum(stage)
            else:
                self._sums(stage)
        return self.found

    def _maximum(self, stage: Stage) -> None:
        self.units.pooled(stage)
        self.found.layers[stage.name] = None
        for side in (self.real, self.beside if self.trains else None):
            if side is not None:
                side.keep(stage, side.floats(stage))
        if self.trains is not None:
            self.trains.keep(stage, self.trains.largest(stage))

    def _sums(self, stage: Stage) -> None:
        channels = channels_of(stage.shape)
        bias, arriving = self.units.arriving(stage)
        z, reach, activations = None, np.zeros(0), None
        if self.real is not None:
            z = self.real.floats(stage)
            reach = np.abs(z).reshape(len(z), channels, -1).max((0, 2)).astype(np.float64)
            activations = float_activation(stage, z)
        step = np.zeros(channels)
        if not stage.is_readout:
            step = self.largest(stage, activations) / self.steps
        layer = self.maker.layer(
            stage, bias, arriving, step, self.steps, reach, self.target,
            # one lambda for all, as it was stated, is kept to the last digit
            one_unit=stage.name in self.units.one_unit or not np.ptp(step),
        )  # fmt: skip
        if self.trains is not None:
            layer = self._stepped(stage, layer)
        if self.real is not None and activations is not None and not stage.is_readout:
            self.real.keep(stage, activations)
        self.found.layers[stage.name] = layer
        self.units.summed(stage, layer.unit, (-self.steps if self.signed else 0, self.steps))

    def _stepped(self, stage: Stage, layer: Layer) -> Layer:
        """The layer with corrected biases; its spikes are kept for those behind it."""
        assert self.trains is not None
        currents = self.trains.currents(layer.arrivals)
        z = self.beside.floats(stage)
        if stage.is_readout:
            total = currents.sum(0) * np.float32(self.steps / len(currents))
            found = (total + layer.bias) * layer.scale
            if not self.with_levels:
                lacks = (z - found).mean(0)
                layer = layer.corrected(lacks)
                found = found + lacks
            wrong = float(((found - z) ** 2).mean())
            self.found.error = wrong / (float(z.astype(np.float64).var()) or 1.0)
            return layer
        wanted = float_activation(stage, z)
        sent = layer.firing().run(currents, self.steps)
        if not self.with_levels:
            best, kept, least = layer, sent, _error(wanted, sent, layer.unit)
            for _ in range(_PASSES):
                layer = self._fitted(layer, wanted, sent, stage)
                sent = layer.firing().run(currents, self.steps)
                error = _error(wanted, sent, layer.unit)
                if error < least:
                    best, kept, least = layer, sent, error
            layer, sent = best, kept
        self.trains.keep(stage, sent)
        self.beside.keep(stage, wanted)
        return layer

    def _fitted(self, layer: Layer, wanted: np.ndarray, sent: np.ndarray, stage: Stage) -> Layer:
        """With another value of a spike, where that is free, and corrected biases."""
        if self.maker.free:
            layer = layer.valued(_worth(wanted, sent, layer.unit, stage))
        lacks = _lack(wanted, sent, layer.unit, stage)
        silent = self.units.silenced.of(stage.name)
        # neurons that can never fire are left as they are: a bias could wake them
        return layer.corrected(lacks if silent is None else np.where(silent, 0, lacks))


def _error(wanted: np.ndarray, sent: np.ndarray, unit: np.ndarray) -> float:
    """Mean squared error of what spikes say."""
    said = sent.sum(0, dtype=np.float32) * unit.astype(np.float32)
    return float(((wanted - said) ** 2).mean())


def _worth(wanted: np.ndarray, sent: np.ndarray, unit: np.ndarray, stage: Stage) -> np.ndarray:
    """What a spike of each channel stands for, by least squares; as it was where none came."""
    channels = channels_of(stage.shape)
    n = sent.sum(0, dtype=np.float32).reshape(len(wanted), channels, -1)
    a = wanted.reshape(n.shape)
    squares = (n * n).sum((0, 2), dtype=np.float64)
    products = (n * a).sum((0, 2), dtype=np.float64)
    usual = unit.reshape(channels, -1)[:, 0]
    found = np.where(squares > 0, products / np.where(squares > 0, squares, 1), usual)
    found = np.where(found > 0, found, usual)
    return np.repeat(found, unit.size // channels)


def _lack(wanted: np.ndarray, sent: np.ndarray, unit: np.ndarray, stage: Stage) -> np.ndarray:
    """What the spikes of a channel lack on average: of neurons that fire, or should."""
    channels = channels_of(stage.shape)
    said = sent.sum(0, dtype=np.float32) * unit.astype(np.float32)
    error = (wanted - said).reshape(len(wanted), channels, -1)
    fires = np.maximum(wanted, said).reshape(error.shape) > 0
    count = np.count_nonzero(fires, axis=(0, 2))
    mean = error.sum((0, 2), dtype=np.float64) / np.maximum(count, 1)
    return np.repeat(mean, unit.size // channels)
