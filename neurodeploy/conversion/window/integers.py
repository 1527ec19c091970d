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
from neurodeploy.conversion.window.running import Side, samples_that_fit
from neurodeploy.conversion.window.steps import channels_of, least_squares_steps
from neurodeploy.network.batched import pooling_map
from neurodeploy.network.stages import Shape, Stage, apply_operator
from neurodeploy.program import INPUT
from neurodeploy.program.neurons.arithmetic import MEMBRANE_LIMIT
from neurodeploy.quantization.window import Arriving, Integers, fold, quantize_stage

__all__ = ["Recipe", "Quantized", "quantize_network"]


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
    one_slope
        As for `quantize_stage`.
    correct
        Whether mean errors are taken back in biases where it helps.
    level
        Largest activation of a layer where something fixes it; None, or None of it: by least
        squares.
    """

    top: int
    by_channel: bool
    weight_max: int
    exponent_max: int
    one_slope: bool = False
    correct: bool = True
    level: Callable[[LayerStatistics, float | None], float | None] | None = None


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
    plain = _Run(stages, entrance, calibration, recipe, correct=False).result()
    if not calibration.x.size or not recipe.correct:
        return plain
    corrected = _Run(stages, entrance, calibration, recipe, correct=True).result()
    return corrected if corrected.error < plain.error else plain


def _mean_error(z: np.ndarray, found: np.ndarray, channels: int, stage: Stage) -> np.ndarray:
    """What a channel lacks on average: of neurons that fire only, where it fires.

    A silent neuron's error is nobody's; counting it would shift those that fire.
    """
    error = (z - found).reshape(len(z), channels, -1)
    if stage.is_readout:
        return error.mean((0, 2), dtype=np.float64)
    fires = np.maximum(z, found).reshape(error.shape) > 0
    count = np.count_nonzero(fires, axis=(0, 2))
    return (error * fires).sum((0, 2), dtype=np.float64) / np.maximum(count, 1)


class _Run:
    def __init__(
        self,
        stages: tuple[Stage, ...],
        entrance: Entrance,
        calibration: Calibration,
        recipe: Recipe,
        correct: bool,
    ) -> None:
        self.stages, self.calibration, self.recipe = stages, calibration, recipe
        self.entrance, self.correct = entrance, correct
        self.shapes: dict[str, Shape] = {INPUT: entrance.shape}
        self.unit, self.zero = {INPUT: entrance.unit}, {INPUT: entrance.zero}
        self.top = {INPUT: entrance.top}
        self.layers: dict[str, Integers | None] = {}
        x = samples_that_fit(calibration.x, stages)
        self.sampled = bool(x.size)
        self.error = float("nan")
        if self.sampled:
            self.real = Side.of(stages, entrance.shape, x)
            self.whole = Side.of(stages, entrance.shape, entrance.levels(x))

    def result(self) -> Quantized:
        for stage in self.stages:
            self.shapes[stage.name] = stage.shape
            if stage.kind == "max":
                self._maximum(stage)
            else:
                self._sums(stage)
        return Quantized(self.layers, self.unit, self.zero, self.error, self.correct)

    def _maximum(self, stage: Stage) -> None:
        (path,) = stage.paths
        source = path.source
        channels = channels_of(stage.shape)
        each = stage.bias.size // channels
        for known in (self.unit, self.zero):
            by_channel = known[source].reshape(channels, -1)[:, 0]
            known[stage.name] = np.repeat(by_channel, each)
        self.top[stage.name] = self.top[source]
        self.layers[stage.name] = None
        if self.sampled:
            pool = pooling_map(path.operator, self.shapes[source])
            self.real.keep(stage, pool(self.real.values[source]))
            self.whole.keep(stage, pool(self.whole.values[source]))

    def _sums(self, stage: Stage) -> None:
        recipe, channels = self.recipe, channels_of(stage.shape)
        bias = stage.bias.astype(np.float64)
        for path in stage.paths:
            zero = self.zero[path.source]
            if zero.any():
                bias = bias + apply_operator(
                    path.operator, zero.reshape(self.shapes[path.source])
                )
        arriving = tuple(
            Arriving(
                path.source,
                fold(path.operator, self.unit[path.source], self.shapes[path.source]),
                self.top[path.source],
            )
            for path in stage.paths
        )
        z, reach = None, np.zeros(0)
        if self.sampled:
            z = self.real.floats(stage)
            zmax = np.abs(z).reshape(len(z), channels, -1).max((0, 2)).astype(np.float64)
            bmax = np.abs(bias).reshape(channels, -1).max(1)
            reach = zmax + bmax  # the bias comes last, or first
        activations = None if z is None else np.clip(z, 0, stage.maximum)
        layer = quantize_stage(
            stage, bias, arriving, self._step(stage, activations), recipe.top, reach,
            weight_max=recipe.weight_max, exponent_max=recipe.exponent_max,
            one_slope=recipe.one_slope,
        )  # fmt: skip
        if z is not None and activations is not None:
            v = self.whole.integers(stage, layer)
            if self.correct:
                mean = _mean_error(z, v * layer.scale.astype(np.float32), channels, stage)
                change = np.rint(np.repeat(mean, layer.bias.size // channels) / layer.scale)
                taken = np.clip(layer.bias + change, -MEMBRANE_LIMIT, MEMBRANE_LIMIT)
                v = v + (taken - layer.bias).astype(np.float32)
                layer = replace(layer, bias=taken.astype(np.int64))
            if stage.is_readout:
                wrong = (v * layer.scale - z).astype(np.float64)
                self.error = float((wrong**2).mean() / (z.astype(np.float64).var() or 1.0))
            else:
                self.real.keep(stage, activations)
                self.whole.keep(stage, layer.sends(v, recipe.top))
        self.layers[stage.name] = layer
        self.unit[stage.name], self.top[stage.name] = layer.unit, recipe.top
        self.zero[stage.name] = np.zeros(layer.bias.size)

    def _step(self, stage: Stage, activations: np.ndarray | None) -> np.ndarray:
        channels, top = channels_of(stage.shape), self.recipe.top
        if stage.is_readout:
            return np.zeros(channels)
        statistics = self.calibration.layers[stage.activation]
        fixed = self.recipe.level and self.recipe.level(statistics, stage.maximum)
        if fixed:
            step = np.full(channels, fixed / top)
        elif activations is None:
            step = np.repeat(statistics.least_squares(top) / top, channels)
        else:
            step = least_squares_steps(
                activations, stage.shape, top, by_channel=self.recipe.by_channel
            )
        if not step.any():
            step = np.full(channels, (stage.maximum or 1.0) / top)
        if stage.maximum is not None:
            step = np.minimum(step, stage.maximum / top)
        return step
