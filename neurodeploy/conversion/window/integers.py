"""Stages to integers: the part that all window codes share.

Layer by layer, sources first: steps a channel, integer weights, and what the integer network says
on the calibration samples beside what the float network says. The mean difference is taken back in
the biases (Nagel et al. 2019, section 4.2) where that makes the outputs better.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from neurodeploy.calibration import Calibration, LayerStatistics
from neurodeploy.conversion.window.entrance import Entrance
from neurodeploy.conversion.window.message_prices import sparing
from neurodeploy.conversion.window.partial_sums import repeated
from neurodeploy.conversion.window.running import Side, samples_that_fit
from neurodeploy.conversion.window.steps import Sparing, channels_of, least_squares_steps
from neurodeploy.conversion.window.units import Units
from neurodeploy.network import Conv, Dense
from neurodeploy.network.batched import pooling_map
from neurodeploy.network.stages import Stage
from neurodeploy.program.neurons.arithmetic import MEMBRANE_LIMIT
from neurodeploy.quantization.hessian_rounding import moments
from neurodeploy.quantization.shifted import ShiftedStage, WideReadout
from neurodeploy.quantization.window import (
    FEW_LEVELS,
    Arriving,
    Integers,
    StageQuantizer,
    quantize_stage,
)

__all__ = ["Quantized", "Recipe", "float_activation", "quantize_network"]


@dataclass(frozen=True)
class Recipe:
    """How activations and weights become integers.

    Attributes
    ----------
    top
        Largest integer of an activation.
    by_channel
        Whether each channel has a step of its own.
    weight_max, exponent_max
        Largest weight and exponent.
    shifted
        Whether the only division is a shift of whole connections (`quantization.shifted`).
    correct
        Whether mean errors are taken back in biases where it helps.
    level
        Largest activation of a layer where something fixes it; None, or None of it: by least
        squares.
    messages
        How many each integer 0..`top` takes, where steps are to spare some; see `message_prices`.
    """

    top: int
    by_channel: bool
    weight_max: int
    exponent_max: int
    shifted: bool = False
    correct: bool = True
    level: Callable[[LayerStatistics, float | None, int | None], float | None] | None = None
    messages: np.ndarray | None = None

    def quantizer(self, stage: Stage) -> type[StageQuantizer] | None:
        """Who finds the scales of a stage; None: the usual."""
        if not self.shifted:
            return None
        return WideReadout if stage.is_readout else ShiftedStage


@dataclass(frozen=True, eq=False)
class Quantized:
    """All layers in integers.

    Attributes
    ----------
    layers
        By name of the stage; None for a max pooling.
    unit, zero
        float64 (neurons,) by name: real value of one sent integer, and of the integer 0.
    error
        Mean squared error of the outputs over their variance, on the calibration samples; NaN
        without any.
    corrected
        Whether biases were corrected.
    """

    layers: dict[str, Integers | None]
    unit: dict[str, np.ndarray]
    zero: dict[str, np.ndarray]
    error: float
    corrected: bool


def quantize_network(
    stages: tuple[Stage, ...], entrance: Entrance, calibration: Calibration, recipe: Recipe
) -> Quantized:
    """Every stage in integers; with and without bias correction, the better one is kept."""
    return _Run(stages, entrance, calibration, recipe).result()


def float_activation(stage: Stage, z: np.ndarray) -> np.ndarray:
    """What the float network makes of its sums; of L levels where it was trained with them."""
    activations: np.ndarray = np.clip(z, 0, stage.maximum)
    if stage.levels is None or stage.maximum is None:
        return activations
    step = np.float32(stage.maximum / stage.levels)
    return np.floor(activations / step + np.float32(0.5)) * step


def _corrected(
    stage: Stage, layer: Integers, z: np.ndarray, v: np.ndarray, silent: np.ndarray | None
) -> Integers:
    """The layer with the mean difference of its sums to those of the float network in its bias.

    Neurons that can never fire (`silent`) have no sums any more, no say, and stay as they are.
    """
    channels = channels_of(stage.shape)
    each = layer.bias.size // channels
    scale = layer.scale.astype(np.float32)
    bias = layer.bias.astype(np.float64)
    for _ in range(2):  # who fires changes with the bias
        shift = (bias - layer.bias).astype(np.float32)
        mean = _mean_error(z, (v + shift) * scale, channels, stage, silent)
        moved = np.rint(np.repeat(mean, each) / (layer.scale * layer.grain)) * layer.grain
        bias = bias + (moved if silent is None else np.where(silent, 0, moved))
    most = MEMBRANE_LIMIT // layer.grain * layer.grain
    bias = np.clip(bias, -most, most - layer.grain + 1)
    return replace(layer, bias=bias.astype(np.int32))


def _mean_error(
    z: np.ndarray, found: np.ndarray, channels: int, stage: Stage, silent: np.ndarray | None
) -> np.ndarray:
    """What a channel lacks on average: of neurons that fire only, where it fires.

    A silent neuron's error is nobody's; counting it would shift those that fire.
    """
    error = (z - found).reshape(len(z), channels, -1)
    if stage.is_readout:
        return error.mean((0, 2), dtype=np.float64)
    fires = np.maximum(z, found).reshape(error.shape) > 0
    if silent is not None:
        fires &= ~silent.reshape(error.shape[1:])
    count = np.count_nonzero(fires, axis=(0, 2))
    return (error * fires).sum((0, 2), dtype=np.float64) / np.maximum(count, 1)


def _largest_sum(bias: np.ndarray, arriving: tuple[Arriving, ...]) -> float:
    """What a layer without statistics may add up to."""
    total = float(np.abs(bias).max(initial=0))
    for a in arriving:
        if isinstance(a.operator, Conv | Dense):
            rows = np.abs(a.operator.weight).reshape(len(a.operator.weight), -1).sum(1)
        else:
            rows = np.asarray(abs(a.operator).sum(axis=1))
        total += float(rows.max(initial=0)) * a.top
    return total or 1.0


@dataclass
class _Variant:
    """The integer network on the samples, with corrected biases or without."""

    corrected: bool
    side: Side
    layers: dict[str, Integers | None]
    error: float = float("nan")


class _Run:
    """Layer by layer; weights and steps are the same in both variants, biases differ."""

    def __init__(
        self,
        stages: tuple[Stage, ...],
        entrance: Entrance,
        calibration: Calibration,
        recipe: Recipe,
    ) -> None:
        self.stages, self.calibration, self.recipe = stages, calibration, recipe
        self.units = Units(stages, entrance.shape, entrance.unit, entrance.zero, (0, entrance.top))
        if recipe.shifted:
            self.units.one_unit |= repeated(stages)
        self.layers: dict[str, Integers | None] = {}
        # what levels come to is exact but for ties, and a shift of the outputs would move all
        self.with_levels = any(stage.levels for stage in stages)
        x = samples_that_fit(calibration.x, stages)
        self.variants: list[_Variant] = []
        self.sparing: dict[str, Sparing] = {}
        if x.size:
            if recipe.messages is not None:
                self.sparing = sparing(
                    stages, entrance.shape, x, recipe.top, recipe.messages, float_activation,
                    self._by_channel,
                )  # fmt: skip
            self.real = Side.of(stages, entrance.shape, x)
            level = entrance.levels(x)
            self.variants = [
                _Variant(corrected, Side.of(stages, entrance.shape, level), {})
                for corrected in ((False, True) if recipe.correct else (False,))
            ]

    def result(self) -> Quantized:
        """All stages."""
        for stage in self.stages:
            if stage.kind == "max":
                self._maximum(stage)
            else:
                self._sums(stage)
        units = self.units
        if not self.variants:
            return Quantized(self.layers, units.unit, units.zero, float("nan"), False)
        best = min(self.variants, key=lambda v: v.error)
        return Quantized(
            self.layers | best.layers, units.unit, units.zero, best.error, best.corrected
        )

    def _by_channel(self, stage: Stage) -> bool:
        """Whether its channels have a step each."""
        return self.recipe.by_channel and stage.name not in self.units.one_unit

    def _maximum(self, stage: Stage) -> None:
        (path,) = stage.paths
        self.units.pooled(stage)
        self.layers[stage.name] = None
        if self.variants:
            pool = pooling_map(path.operator, self.units.shapes[path.source])
            for side in (self.real, *(v.side for v in self.variants)):
                side.keep(stage, pool(side.values[path.source]))

    def _sums(self, stage: Stage) -> None:
        recipe, channels = self.recipe, channels_of(stage.shape)
        bias, arriving = self.units.arriving(stage)
        z, reach, activations = np.zeros(0, np.float32), np.zeros(0), None
        if self.variants:
            z = self.real.floats(stage)
            largest = np.abs(z).reshape(len(z), channels, -1).max((0, 2)).astype(np.float64)
            # the bias comes last
            reach = largest + np.abs(bias).reshape(channels, -1).max(1)
            activations = float_activation(stage, z)
        if self.variants and recipe.weight_max <= FEW_LEVELS:
            sent = self.variants[-1].side.values
            arriving = tuple(
                replace(a, moment=moments(a.operator, self.units.shapes[a.source], sent[a.source]))
                for a in arriving
            )
        step, fixed = self._step(stage, bias, arriving, activations)
        layer = quantize_stage(
            stage, bias, arriving, step, recipe.top, reach, keep_step=fixed,
            weight_max=recipe.weight_max, exponent_max=recipe.exponent_max,
            one_unit=stage.name in self.units.one_unit, kind=recipe.quantizer(stage),
        )  # fmt: skip
        for variant in self.variants:
            v = variant.side.integers(stage, layer)
            own = layer
            if variant.corrected and not (stage.is_readout and self.with_levels):
                own = _corrected(stage, layer, z, v, self.units.silenced.of(stage.name))
                v = v + (own.bias - layer.bias).astype(np.float32)
            variant.layers[stage.name] = own
            if stage.is_readout:
                wrong = (v * own.scale - z).astype(np.float64)
                variant.error = float((wrong**2).mean() / (z.astype(np.float64).var() or 1.0))
            else:
                variant.side.keep(stage, own.sends(v, recipe.top))
        if activations is not None and not stage.is_readout:
            self.real.keep(stage, activations)
        self.layers[stage.name] = layer
        top = recipe.top if layer.top is None else layer.top
        self.units.summed(stage, layer.unit, (0, top))

    def _step(
        self,
        stage: Stage,
        bias: np.ndarray,
        arriving: tuple[Arriving, ...],
        activations: np.ndarray | None,
    ) -> tuple[np.ndarray, bool]:
        """The step of each channel, and whether something fixes it."""
        channels, top = channels_of(stage.shape), self.recipe.top
        if stage.is_readout:
            return np.zeros(channels), False
        if stage.like:
            return self.units.unit[stage.like].reshape(channels, -1)[:, 0], True
        statistics = self.calibration.layers.get(stage.activation)
        if statistics is None:  # a part of another stage
            if activations is None:
                return np.full(channels, _largest_sum(bias, arriving) / top), False
            step = least_squares_steps(activations, stage.shape, top, by_channel=False)
            return np.where(step > 0, step, 1.0 / top), False
        fixed = self.recipe.level and self.recipe.level(statistics, stage.maximum, stage.levels)
        if fixed:
            step = np.full(channels, fixed / top)
        elif activations is None:
            step = np.repeat(statistics.least_squares(top) / top, channels)
        else:
            step = least_squares_steps(
                activations, stage.shape, top,
                by_channel=self._by_channel(stage),
                sparing=self.sparing.get(stage.name),
            )  # fmt: skip
        if not step.any():
            step = np.full(channels, (stage.maximum or 1.0) / top)
        if stage.maximum is not None:
            step = np.minimum(step, stage.maximum / top)
        return step, bool(fixed)
