"""One stage of a window code in integers, with a scale for each output channel.

With ``s`` the real value of one membrane integer of a channel and ``u_j`` that of one integer of
source j: ``w = round(W u_j / s)``, ``bias = round(b / s)``, ``slope = round(step / s)``. What one
sent integer then stands for is ``slope * s``, exactly, and the layers behind it take that into
their weights: no gain error is left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod

import numpy as np
from scipy import sparse

from neurodeploy.errors import ConversionError
from neurodeploy.network import Conv, Dense
from neurodeploy.network.by_rows import by_rows
from neurodeploy.network.stages import Operator, Shape, Stage
from neurodeploy.program import Connection, Synapses
from neurodeploy.program.bounds import input_interval
from neurodeploy.program.neurons.arithmetic import MEMBRANE_LIMIT
from neurodeploy.quantization.grid import levels_of_peaks
from neurodeploy.quantization.hessian_rounding import Moments, least_squares_peaks, rounded
from neurodeploy.quantization.operators import quantize, quantize_rows

__all__ = [
    "FEW_LEVELS",
    "WHOLE",
    "Arriving",
    "Connected",
    "Integers",
    "Range",
    "StageQuantizer",
    "divided_rows",
    "fold",
    "quantize_stage",
    "repeats",
]

#: Weight scale of a channel: at least this share of the layer's.
_FLOOR = 1 / 32
#: Slopes are so large where exponents and 24 bit allow: a step is then within 1 % of its best.
_LEAST_SLOPE = 64
#: Of the largest weight: levels a sign that a bound by proof leaves, and those that any leaves.
_PROOF_LEVELS, _LEAST_LEVELS = 40, 15
#: Largest weight up to which weights are cut and rounded by what they are multiplied with.
FEW_LEVELS = 31
#: Weights of a dense layer from which on they are not copied in twice their precision.
_MANY = 2**24
#: Weights a neuron, of one magnitude, that a path in whole units has at most.
WHOLE = 4
#: Times the largest sum of the calibration samples, where that is the bound.
MARGIN = 2.0


@dataclass(frozen=True, eq=False)
class Arriving:
    """What comes from one source.

    Attributes
    ----------
    operator
        With the source's units folded in: real value for the target of an integer of the source.
    top, low
        Largest and lowest integer of the source.
    moment
        Second moments of the source's integers on the calibration samples
        (`hessian_rounding.moments`); None where they are not known, or of no use.
    """

    source: str
    operator: Operator
    top: int
    low: int = 0
    moment: Moments | None = None


@dataclass(frozen=True, eq=False)
class Connected:
    source: str
    synapses: Synapses
    exponent: int
    top: int
    low: int


@dataclass(frozen=True)
class Range:
    """Largest magnitude of the sums of a layer.

    Attributes
    ----------
    proved
        No input can exceed it.
    bound
        By proof from the integer weights.
    seen
        On the calibration samples; 0 without any.
    """

    proved: bool
    bound: int
    seen: int


@dataclass(frozen=True, eq=False)
class Integers:
    """A layer in integers.

    Attributes
    ----------
    bias
        int32 (neurons,).
    slopes
        int64 (channels,); ones for a readout.
    scales, units
        float64 (channels,): real value of one membrane integer, and of one sent integer (zeros for
        a readout).
    top
        Largest integer that it sends; None: that of all layers.
    grain
        What the bias is a multiple of, but for half a slope.
    """

    arrivals: tuple[Connected, ...]
    bias: np.ndarray
    slopes: np.ndarray
    scales: np.ndarray
    units: np.ndarray
    range: Range
    top: int | None = None
    grain: int = 1

    @property
    def slope(self) -> np.ndarray:
        """Of each neuron, int64 (neurons,)."""
        return self._of_neurons(self.slopes)

    @property
    def scale(self) -> np.ndarray:
        """Of each neuron, float64 (neurons,)."""
        return self._of_neurons(self.scales)

    @property
    def unit(self) -> np.ndarray:
        """Of each neuron, float64 (neurons,)."""
        return self._of_neurons(self.units)

    def _of_neurons(self, channels: np.ndarray) -> np.ndarray:
        return np.repeat(channels, self.bias.size // channels.size)

    def sends(self, v: np.ndarray, top: int) -> np.ndarray:
        """``clip(floor((v + slope // 2) / slope), 0, top)``, in the dtype of `v`."""
        top = top if self.top is None else self.top
        slope = self.slope
        half, slope = (slope >> 1).astype(np.float64), slope.astype(np.float64)
        found = np.empty_like(v)
        for row, sums in zip(found, v, strict=True):  # float64 of one sample at a time
            row[:] = np.clip(np.floor((sums + half) / slope), 0, top)
        return found


def fold(operator: Operator, unit: np.ndarray, shape: Shape) -> Operator:
    """The operator on integers of its source: each weight times its source's unit.

    Parameters
    ----------
    unit
        float64 (neurons,), alike within a channel where the operator is a convolution.
    """
    if isinstance(operator, Dense):
        folded = np.multiply(operator.weight, unit, dtype=_precision(operator.weight))
        return replace(operator, weight=folded)
    if isinstance(operator, Conv):
        weight = operator.weight.astype(np.float64)
        by_group = unit.reshape(shape[0], -1)[:, 0].reshape(operator.groups, 1, -1)
        tail = (1,) * (weight.ndim - 2)
        split = weight.reshape(operator.groups, -1, *weight.shape[1:])
        scaled = split * by_group.reshape(operator.groups, 1, weight.shape[1], *tail)
        return replace(operator, weight=scaled.reshape(weight.shape))
    return (operator.astype(np.float64) @ sparse.diags(unit)).tocsr()


def _precision(weights: np.ndarray) -> type:
    """float64; float32, as the weights are, where there are so many that memory is short."""
    return np.float32 if weights.size > _MANY else np.float64


def quantize_stage(
    stage: Stage,
    bias: np.ndarray,
    arriving: Sequence[Arriving],
    step: np.ndarray,
    top: int,
    reach: np.ndarray,
    *,
    weight_max: int,
    exponent_max: int,
    one_unit: bool = False,
    keep_step: bool = False,
    spread: bool = False,
    kind: type[StageQuantizer] | None = None,
) -> Integers:
    """Integers for one stage.

    Parameters
    ----------
    bias
        float64 (neurons,), real.
    step
        float64 (channels,): wanted real value of one sent integer; zeros for a readout.
    top
        Largest integer that it sends.
    reach
        float64 (channels,): largest real sum on the calibration samples; empty without any.
    weight_max
        Largest magnitude of a weight.
    one_unit
        Whether one sent integer has to stand for the same in all channels (all of `step` alike).
    keep_step
        Whether `step` is more than what fits best: it is held exactly, if weights get coarser.
    spread
        Whether the bias comes evenly, as what arrives does, and not at the window's end.
    kind
        Who finds the scales, where the neurons divide in a way of their own.

    Raises
    ------
    ConversionError
        No scale keeps its sums inside 24 bit.
    """
    return (kind or StageQuantizer)(
        stage,
        bias,
        arriving,
        step,
        top,
        reach,
        weight_max,
        exponent_max,
        one_unit,
        keep_step,
        spread,
    ).integers()


class StageQuantizer:
    """Finds the scales of a stage; a kind of division of its own is a class of its own."""

    def __init__(
        self,
        stage: Stage,
        bias: np.ndarray,
        arriving: Sequence[Arriving],
        step: np.ndarray,
        top: int,
        reach: np.ndarray,
        weight_max: int,
        exponent_max: int,
        one_unit: bool,
        keep_step: bool,
        spread: bool,
    ) -> None:
        self.spread = spread
        self.stage, self.bias, self.arriving, self.top = stage, bias, arriving, top
        self.one_unit = one_unit
        self.reach, self.limit, self.exponent_max = reach, weight_max, exponent_max
        self.channels = stage.shape[0]
        self.each = bias.size // self.channels
        self.step = np.where(step > 0, step, step.max(initial=0) or 1.0)
        self.few = weight_max <= FEW_LEVELS
        self.peaks = [self._peaks(a) for a in arriving]
        #: What the largest weights become.
        self.levels = [
            levels_of_peaks(a.operator, self.channels, weight_max)
            if not self.few
            else np.full(self.channels, float(weight_max))
            for a in arriving
        ]
        biases = np.abs(bias).reshape(self.channels, -1).max(1)
        #: Nothing finer would leave the bias inside 24 bit.
        self.least = np.maximum(biases / (MEMBRANE_LIMIT / 2), 1e-300)
        #: Steps are kept, and scales follow, where a clip or a maximum over channels hangs on them.
        self.keeps_step = one_unit or keep_step or stage.maximum is not None
        self.repeats = None if one_unit else self._repeating()
        self.exponents = self._exponents()

    def integers(self) -> Integers:
        """The finest scale at which the sums stay inside 24 bit, channel by channel.

        1. By proof, where weights of `_PROOF_LEVELS` levels are coarse enough for one.
        2. Else, with calibration samples, by `MARGIN` times the largest sum seen, at full
           resolution.
        3. Else by proof, however coarse, down to weights of `_LEAST_LEVELS` levels.
        """
        coarser, seen = np.ones(self.channels), np.zeros(self.channels, bool)
        lift = self._lift()
        while True:
            made = self._at(coarser, lift)
            over = self._over(made, seen)
            if not (over > 1).any():
                self._check_clip(made)
                return self._weighed(made, coarser, lift, seen)
            if lift:
                lift -= 1
                continue
            coarser = np.where(over > 1, coarser * np.clip(over, 1.02, 1.2), coarser)
            if self.stage.is_readout:
                coarser[:] = coarser.max()
            levels = self.limit / coarser
            if self.reach.size:
                give_up = ~seen & (levels < _PROOF_LEVELS * self.limit / 127)
                if self.stage.is_readout:
                    give_up[:] = give_up.any()
                coarser[give_up], seen = 1.0, seen | give_up
            least = self.least_levels
            if (levels[over > 1] < min(least, self.limit)).any():
                raise ConversionError(
                    f"membrane in 24 bit: its sums may reach {made.range.bound}, the limit is "
                    f"{MEMBRANE_LIMIT}, and weights of {least} levels do not prevent it",
                    place=self.stage.name,
                    remedy="use fewer --bits or --steps, or split the layer",
                )

    @property
    def least_levels(self) -> int:
        """Levels of the largest weight, below which a layer is refused.

        What a readout of a long window adds up is coarse rather than wrong.
        """
        return _LEAST_LEVELS // 4 if self.spread and self.stage.is_readout else _LEAST_LEVELS

    def _weighed(
        self, made: Integers, coarser: np.ndarray, lift: int, seen: np.ndarray
    ) -> Integers:
        """With few levels: weights rounded for the least error of the sums, if these still fit."""
        if not self.few or all(a.moment is None for a in self.arriving):
            return made
        weighed = self._at(coarser, lift, weigh=True)
        return made if (self._over(weighed, seen) > 1).any() else weighed

    def _check_clip(self, made: Integers) -> None:
        """A clip that is kept by cutting weights computes something else: refuse."""
        if not self.spread or self.stage.maximum is None:
            return
        scale = made.scales
        for arrival, peak in zip(made.arrivals, self.peaks, strict=True):
            if (peak > (self.limit + 1) * scale * 2.0**arrival.exponent).any():
                raise ConversionError(
                    f"its weights are so large that the clip at {self.stage.maximum:g} cannot be "
                    "kept",
                    place=self.stage.name,
                    remedy="scale the layer's input or weights down, or train without the clip",
                )

    def _lift(self) -> int:
        """Exponents more for all, so that slopes are high."""
        room = self.exponent_max - max(self.exponents, default=0)
        if self.stage.is_readout:
            return 0
        slopes = self.step / self._scales(self.exponents)
        low = float(slopes.min())
        return int(np.clip(np.ceil(np.log2(_LEAST_SLOPE / max(low, 1e-9))), 0, room))

    def _over(self, made: Integers, seen: np.ndarray) -> np.ndarray:
        """Largest sum of each channel over the limit; of what was seen where that has to do."""
        slope = 0 if self.stage.is_readout else made.slopes
        bound = self._bounds(made.arrivals, made.bias) + slope
        if seen.any():
            scale = made.scales
            bound = np.where(seen, MARGIN * self.reach / scale + slope, bound)
        return bound / MEMBRANE_LIMIT

    def _exponents(self) -> list[int]:
        """Exponents of the paths at which the weights of all lose least."""
        sizes = [max(float(np.median(p)), 1e-300) for p in self.peaks]
        found = np.rint(np.log2(np.array(sizes) / min(sizes, default=1.0)))
        best = [int(e) for e in np.clip(found, 0, self.exponent_max)]
        if len(best) < 2:
            return best
        least = self._loss(best) * (1 + 1e-3 * sum(best))
        better = True
        while better:  # one path at a time
            better = False
            for i in range(len(best)):
                for exponent in range(self.exponent_max + 1):
                    tried = [*best[:i], exponent, *best[i + 1 :]]
                    loss = self._loss(tried) * (1 + 1e-3 * sum(tried))
                    if loss < least * (1 - 1e-9):
                        best, least, better = tried, loss, True
        return best

    def _loss(self, exponents: list[int]) -> float:
        """Mean squared error of rounding, of weights and of what is sent, in steps."""
        scale = self._scales(exponents)
        loss = np.zeros(self.channels)
        for i, (arriving, peak) in enumerate(zip(self.arriving, self.peaks, strict=True)):
            grain = scale * 2.0 ** exponents[i]
            if i != self.repeats:
                terms = _fan_in(arriving.operator)
                loss += (grain / self.step) ** 2 * terms * arriving.top**2 / 144
            # what does not fit the weights is cut
            cut = np.maximum(peak - (self.limit + 0.5) * grain, 0) / self.step
            loss += cut**2 * arriving.top**2
        if not self.stage.is_readout:
            unit = self._slopes(scale) * scale
            loss += (unit / self.step) ** 2 / 12
        return float(loss.mean())

    def _scales(self, exponents: list[int], coarser: np.ndarray | float = 1.0) -> np.ndarray:
        """Scale of each channel: the finest at which the weights fit, times `coarser`."""
        fine = self.least.copy()
        for i, peak in enumerate(self.peaks):
            if i != self.repeats and peak.any():
                floored = np.maximum(peak, peak.max() * _FLOOR)
                fine = np.maximum(fine, floored / (self.levels[i] * 2.0 ** exponents[i]))
        if not any(peak.any() for i, peak in enumerate(self.peaks) if i != self.repeats):
            fine = np.maximum(fine, self.step / _LEAST_SLOPE)
        fine = fine * coarser
        if self.stage.is_readout:
            return np.full(self.channels, fine.max())  # one unit decodes all outputs
        if self.repeats is not None:
            size, exponent = self.peaks[self.repeats], exponents[self.repeats]
            there = size > 0
            ratio = np.where(there, size, 1) / (fine * 2.0**exponent)
            m = np.clip(np.floor(ratio * (1 + 1e-9)), 1, self.limit)
            fine = np.where(there, size / (m * 2.0**exponent), fine)
        return fine

    def _slopes(self, scale: np.ndarray) -> np.ndarray:
        """Slope of each channel."""
        if self.stage.is_readout:
            return np.ones(self.channels)
        most = MEMBRANE_LIMIT // max(self.top, 1)
        slope = self.step / scale
        whole = np.floor(slope * (1 + 1e-9)) if self.keeps_step else np.rint(slope)
        return np.clip(whole, 1, most)

    def _repeating(self) -> int | None:
        """The path that repeats its source: with scales that divide its weights it is exact.

        Such a path has one weight a neuron at most, and of one magnitude in a channel. None where
        there is none, or nothing beside it.
        """
        found = [
            i
            for i, arriving in enumerate(self.arriving)
            if repeats(arriving.operator, self.stage.shape)
        ]
        if not found or len(self.peaks) < 2 or self.stage.is_readout:
            return None
        return max(found, key=lambda i: float(self.peaks[i].max()))

    def _at(self, coarser: np.ndarray, lift: int, weigh: bool = False) -> Integers:
        """The layer at these scales."""
        exponents = [e + lift for e in self.exponents]
        scale = self._scales(self.exponents, coarser) / 2.0**lift
        slope = self._slopes(scale)
        if self.keeps_step and self.repeats is None and not self.stage.is_readout:
            scale = self.step / slope
        rows = np.repeat(scale, self.each)
        arrivals = []
        for arriving, exponent in zip(self.arriving, exponents, strict=True):
            operator, each = arriving.operator, rows * 2.0**exponent
            if isinstance(operator, Dense | Conv) and not (weigh and arriving.moment is not None):
                by_row = each.reshape(len(operator.weight), -1)[:, 0]
                synapses = quantize_rows(operator, by_row, self.limit)
            else:
                divided = divided_rows(operator, each, self.channels)
                if weigh and arriving.moment is not None:
                    divided = rounded(divided, arriving.moment, self.limit)
                synapses = quantize(divided, 1.0, self.limit)
            arrivals.append(
                Connected(arriving.source, synapses, exponent, arriving.top, arriving.low)
            )
        bias = np.clip(np.rint(self.bias / rows), -MEMBRANE_LIMIT, MEMBRANE_LIMIT)
        whole = bias.astype(np.int32)
        bound = float(self._bounds(tuple(arrivals), whole).max(initial=0))
        seen = float((self.reach / scale).max(initial=0)) if self.reach.size else 0.0
        slopes = slope.astype(np.int64)
        unit = np.zeros(scale.size) if self.stage.is_readout else scale * slopes
        top_slope = 0 if self.stage.is_readout else int(slope.max())
        known = Range(bound + top_slope <= MEMBRANE_LIMIT, int(bound), int(seen))
        return Integers(tuple(arrivals), whole, slopes, scale, unit, known)

    def _bounds(self, arrivals: tuple[Connected, ...], bias: np.ndarray) -> np.ndarray:
        """Largest magnitude of the sums of each channel."""
        low, high = input_interval(
            self.stage.shape,
            [
                (Connection(a.source, self.stage.name, a.synapses, a.exponent), (a.low, a.top))
                for a in arrivals
            ],
        )
        worst = np.maximum(-(low + bias), high + bias)
        if not self.spread:
            worst = np.maximum(worst, np.maximum(-low, high))
        return worst.reshape(self.channels, -1).max(1).astype(np.float64)

    def _peaks(self, arriving: Arriving) -> np.ndarray:
        """Largest magnitude among the weights of each channel; of few levels, the one to keep."""
        operator = arriving.operator
        kept = least_squares_peaks(operator, arriving.moment, self.limit) if self.few else None
        if kept is not None:
            return kept.reshape(self.channels, -1).max(1)
        if isinstance(operator, Conv | Dense):
            rows = by_rows(
                lambda w: np.abs(w).reshape(len(w), -1).max(1, initial=0), operator.weight
            )
        else:
            rows = abs(operator).max(axis=1).toarray().reshape(-1)
        return rows.reshape(self.channels, -1).max(1)


def repeats(operator: Operator, shape: Shape, most: int = 1) -> bool:
    """Whether a path into a population of `shape` repeats its source.

    It has one weight a neuron, or `most`, and of one magnitude in a channel.
    """
    if isinstance(operator, Dense):
        return False
    channels, size = shape[0], prod(shape)
    if isinstance(operator, Conv):
        sizes = np.abs(operator.weight).reshape(channels, -1)
        alike = np.isclose(sizes, sizes.max(1, keepdims=True, initial=0), rtol=1e-6) | (sizes == 0)
        return bool(alike.all() and (np.count_nonzero(sizes, axis=1) <= most).all())
    starts = np.diff(operator.indptr)
    channel = np.repeat(np.repeat(np.arange(channels), size // channels), starts)
    peak = abs(operator).max(axis=1).toarray().reshape(channels, -1).max(1)
    alike = np.isclose(np.abs(operator.data), peak[channel], rtol=1e-6)
    return bool(alike.all()) and int(starts.max(initial=0)) <= most


def _fan_in(operator: Operator) -> float:
    """Weights a neuron, on average."""
    if isinstance(operator, Conv | Dense):
        return float(operator.weight[0].size)
    return float(operator.nnz / max(operator.shape[0], 1))


def divided_rows(operator: Operator, rows: np.ndarray, channels: int) -> Operator:
    """Each weight over the scale of its target."""
    if isinstance(operator, Dense):
        return replace(operator, weight=operator.weight / rows[:, None])
    if isinstance(operator, Conv):
        scale = rows.reshape(channels, -1)[:, 0]
        tail = (-1,) + (1,) * (operator.weight.ndim - 1)
        return replace(operator, weight=operator.weight / scale.reshape(tail))
    return (sparse.diags(1 / rows) @ operator).tocsr()
