"""One stage of a window code in integers, with a scale for each output channel.

With ``s`` the real value of one membrane integer of a channel and ``u_j`` that of one integer of
source j: ``w = round(W u_j / s)``, ``bias = round(b / s)``, ``slope = round(step / s)``. What one
sent integer then stands for is ``slope * s``, exactly, and the layers behind it take that into
their weights: no gain error is left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from neurodeploy.errors import ConversionError
from neurodeploy.network import Conv, Dense
from neurodeploy.network.stages import Operator, Shape, Stage
from neurodeploy.program import Connection, Synapses
from neurodeploy.program.bounds import input_interval
from neurodeploy.program.neurons.arithmetic import MEMBRANE_LIMIT
from neurodeploy.quantization.operators import quantize

__all__ = ["Arriving", "Integers", "Range", "fold", "quantize_stage"]

#: Weight scale of a channel: at least this share of the layer's.
_FLOOR = 1 / 32
#: Slopes are so large where exponents and 24 bit allow: a step is then within 1 % of its best.
_LEAST_SLOPE = 64
#: Of the largest weight: what a bound by proof may cost (6 bits and a sign), and what any may.
_PROOF_LEVELS, _LEAST_LEVELS = 63, 15
#: Times the largest sum of the calibration samples, where that is the bound.
MARGIN = 2.0


@dataclass(frozen=True, eq=False)
class Arriving:
    """What comes from one source.

    Attributes
    ----------
    operator
        With the source's units folded in: real value for the target of an integer of the source.
    top
        Largest integer of the source.
    """

    source: str
    operator: Operator
    top: int


@dataclass(frozen=True, eq=False)
class _Connected:
    source: str
    synapses: Synapses
    exponent: int
    top: int


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
        int64 (neurons,).
    slope
        int64 (neurons,); ones for a readout.
    scale
        float64 (neurons,): real value of one membrane integer.
    unit
        float64 (neurons,): real value of one sent integer; zeros for a readout.
    """

    arrivals: tuple[_Connected, ...]
    bias: np.ndarray
    slope: np.ndarray
    scale: np.ndarray
    unit: np.ndarray
    range: Range

    def sends(self, v: np.ndarray, top: int) -> np.ndarray:
        """``clip(floor((v + slope // 2) / slope), 0, top)``, in the dtype of `v`."""
        half, slope = (self.slope >> 1).astype(np.float64), self.slope.astype(np.float64)
        return np.clip(np.floor((v + half) / slope), 0, top).astype(v.dtype)


def fold(operator: Operator, unit: np.ndarray, shape: Shape) -> Operator:
    """The operator on integers of its source: each weight times its source's unit.

    Parameters
    ----------
    unit
        float64 (neurons,), alike within a channel where the operator is a convolution.
    """
    if isinstance(operator, Dense):
        return replace(operator, weight=operator.weight.astype(np.float64) * unit)
    if isinstance(operator, Conv):
        weight = operator.weight.astype(np.float64)
        by_group = unit.reshape(shape[0], -1)[:, 0].reshape(operator.groups, 1, -1)
        tail = (1,) * (weight.ndim - 2)
        split = weight.reshape(operator.groups, -1, *weight.shape[1:])
        scaled = split * by_group.reshape(operator.groups, 1, weight.shape[1], *tail)
        return replace(operator, weight=scaled.reshape(weight.shape))
    return (operator.astype(np.float64) @ sparse.diags(unit)).tocsr()


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
    one_slope: bool = False,
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
    one_slope
        Whether the neuron kind has one slope for all neurons of a population.

    Raises
    ------
    ConversionError
        No scale keeps its sums inside 24 bit.
    """
    return _Stage(
        stage, bias, arriving, step, top, reach, weight_max, exponent_max, one_slope
    ).integers()


class _Stage:
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
        one_slope: bool,
    ) -> None:
        self.stage, self.bias, self.arriving, self.step, self.top = (
            stage, bias, arriving, step, top,
        )  # fmt: skip
        self.reach, self.limit, self.exponent_max = reach, weight_max, exponent_max
        self.one_slope = one_slope and not stage.is_readout
        self.channels = stage.shape[0]
        self.each = bias.size // self.channels
        self.peaks = [self._peaks(a.operator) for a in arriving]
        self.largest = np.max([*self.peaks, np.zeros(self.channels)], axis=0)
        biases = np.abs(bias).reshape(self.channels, -1).max(1)
        #: Nothing finer would fit the bias.
        self.least = np.maximum(biases / (MEMBRANE_LIMIT / 2), 1e-300)
        self.fixed = self._repeated()

    def integers(self) -> Integers:
        """The finest scale at which the sums stay inside 24 bit, channel by channel."""
        coarser, lift = np.ones(self.channels), 1.0
        while True:
            scale, slope = self._scale(coarser, lift)
            made = self._at(scale, slope)
            if made is not None and self._slopes_low(made) and lift < 2**self.exponent_max:
                finer = self._at(*self._scale(coarser, 2 * lift))
                if finer is not None and not self._over(finer).any():
                    lift *= 2
                    continue
            over = self._over(made) if made is not None else np.full(self.channels, 2.0)
            if made is not None and not over.any():
                return made
            if lift > 1:
                lift /= 2
                continue
            coarser = np.where(over > 0, coarser * np.clip(over, 1.02, 1.2), coarser)
            if (self.largest < _LEAST_LEVELS * scale)[(over > 0) & (self.largest > 0)].any():
                raise ConversionError(
                    f"membrane in 24 bit: its sums leave it, and weights of {_LEAST_LEVELS} "
                    "levels do not prevent it",
                    place=self.stage.name,
                    remedy="use fewer --bits or --steps, or split the layer",
                )

    def _slopes_low(self, made: Integers) -> bool:
        return not self.stage.is_readout and bool(made.slope.min() < _LEAST_SLOPE)

    def _over(self, made: Integers) -> np.ndarray:
        """By how much each channel is too fine; 0 where it is not."""
        bound = self._bounds(made.arrivals, made.bias) + made.slope.reshape(self.channels, -1).max(1)
        levels = self.largest / made.scale.reshape(self.channels, -1)[:, 0]
        seen = np.full(self.channels, np.inf)
        if self.reach.size:
            seen = MARGIN * self.reach / made.scale.reshape(self.channels, -1)[:, 0]
        proof_costs = levels < _PROOF_LEVELS * self.limit / 127
        fits = (bound <= MEMBRANE_LIMIT) | (proof_costs & (seen <= MEMBRANE_LIMIT))
        excess = np.where(proof_costs & np.isfinite(seen), np.minimum(bound, seen), bound)
        return np.where(fits, 0.0, np.maximum(excess / MEMBRANE_LIMIT, 1.02))

    def _scale(self, coarser: np.ndarray, lift: float) -> tuple[np.ndarray, np.ndarray]:
        """Scale and slope of each channel."""
        wanted = self._wanted() * coarser
        scale = wanted / lift
        if self.stage.is_readout:
            # one unit decodes all outputs
            scale = np.full(self.channels, scale.max())
            return scale, np.ones(self.channels)
        step = np.where(self.step > 0, self.step, self.step.max(initial=0) or 1.0)
        if self.one_slope:
            slope = max(1.0, np.floor((step / scale).min()))
            slope = min(slope, MEMBRANE_LIMIT // self.top)
            return self._snapped(step / slope), np.full(self.channels, slope)
        scale = self._snapped(scale)
        clipped = self.stage.maximum is not None
        slope = np.floor(step / scale * (1 + 1e-12)) if clipped else np.rint(step / scale)
        slope = np.clip(slope, 1, MEMBRANE_LIMIT // self.top)
        if clipped and self.fixed is None:
            scale = step / slope  # the largest integer then stands for the clip itself
        return scale, slope

    def _wanted(self) -> np.ndarray:
        """The scale at which the largest weights of a channel use all their bits."""
        if not any(peak.any() for peak in self.peaks):
            step = self.step if self.step.any() else np.ones(self.channels)
            return np.maximum(np.where(step > 0, step, step.max()) / _LEAST_SLOPE, self.least)
        floored = [np.maximum(p, p.max() * _FLOOR) for p in self.peaks if p.any()]
        fine, coarse = np.min(floored, axis=0), np.max(floored, axis=0)
        least = coarse / (self.limit * 2.0**self.exponent_max)
        return np.maximum.reduce([fine / self.limit, least, self.least])

    def _repeated(self) -> np.ndarray | None:
        """Of the path that repeats its source, the size of its weights in each channel.

        Such a path has weights of one magnitude in a channel; with scales that divide it, it is
        exact. None where there is none, or nothing else.
        """
        found = [
            size
            for arriving, peak in zip(self.arriving, self.peaks, strict=True)
            if (size := self._one_size(arriving.operator, peak)) is not None
        ]
        return max(found, key=lambda size: size.max()) if found and len(self.peaks) > 1 else None

    def _one_size(self, operator: Operator, peak: np.ndarray) -> np.ndarray | None:
        if isinstance(operator, Dense):
            return None
        if isinstance(operator, Conv):
            sizes = np.abs(operator.weight).reshape(self.channels, -1)
            there = sizes > 0
            alike = np.isclose(sizes, peak[:, None], rtol=1e-6)
            return peak if bool((alike | ~there).all()) and (there.sum(1) <= 1).all() else None
        starts = np.diff(operator.indptr)
        channel = np.repeat(np.repeat(np.arange(self.channels), self.each), starts)
        alike = np.isclose(np.abs(operator.data), peak[channel], rtol=1e-6)
        return peak if bool(alike.all()) and starts.max(initial=0) <= 1 else None

    def _snapped(self, scale: np.ndarray) -> np.ndarray:
        """Scales at which the repeating path has whole weights ``m << e``."""
        if self.fixed is None:
            return scale
        there = self.fixed > 0
        ratio = np.where(there, self.fixed, 1) / scale
        best, least = scale, np.inf
        for exponent in range(self.exponent_max + 1):
            m = np.clip(np.floor(ratio / 2**exponent * (1 + 1e-9)), 1, self.limit)
            made = np.where(there, self.fixed / (m * 2.0**exponent), scale)
            # too coarse loses bits of the weights, too fine clips them or costs an exponent
            off = np.log2(made / scale)[there]
            loss = float(np.maximum(off, 0).sum() + 4 * np.maximum(-off, 0).sum())
            if loss < least - 1e-9:
                best, least = made, loss
        return best

    def _at(self, scale: np.ndarray, slope: np.ndarray) -> Integers | None:
        """The layer at these scales; None where the bias leaves 24 bit."""
        rows = np.repeat(scale, self.each)
        arrivals = []
        for arriving, peak in zip(self.arriving, self.peaks, strict=True):
            need = float((peak / scale).max(initial=0))
            exponent = 0
            while need > (self.limit + 0.5) * 2**exponent and exponent < self.exponent_max:
                exponent += 1
            divided = _divided(arriving.operator, rows * 2.0**exponent, self.channels)
            synapses = quantize(divided, 1.0, self.limit)
            arrivals.append(_Connected(arriving.source, synapses, exponent, arriving.top))
        bias = np.rint(self.bias / rows)
        if np.abs(bias).max(initial=0) > MEMBRANE_LIMIT:
            return None
        whole = bias.astype(np.int64)
        bound = float(self._bounds(tuple(arrivals), whole).max(initial=0))
        seen = float((self.reach / scale).max(initial=0)) if self.reach.size else 0.0
        slopes = np.repeat(slope, self.each).astype(np.int64)
        unit = np.zeros(rows.size) if self.stage.is_readout else rows * slopes
        top_slope = 0 if self.stage.is_readout else int(slope.max())
        known = Range(bound + top_slope <= MEMBRANE_LIMIT, int(bound), int(seen))
        return Integers(tuple(arrivals), whole, slopes, rows, unit, known)

    def _bounds(self, arrivals: tuple[_Connected, ...], bias: np.ndarray) -> np.ndarray:
        """Largest magnitude of the sums of each channel."""
        low, high = input_interval(
            self.stage.shape,
            [
                (Connection(a.source, self.stage.name, a.synapses, a.exponent), (0, a.top))
                for a in arrivals
            ],
        )
        worst = np.maximum(np.maximum(-low, high), np.maximum(-(low + bias), high + bias))
        return worst.reshape(self.channels, -1).max(1).astype(np.float64)

    def _peaks(self, operator: Operator) -> np.ndarray:
        """Largest magnitude among the weights of each channel."""
        if isinstance(operator, Conv | Dense):
            rows = np.abs(operator.weight).reshape(len(operator.weight), -1).max(1, initial=0)
        else:
            rows = abs(operator).max(axis=1).toarray().reshape(-1)
        return rows.reshape(self.channels, -1).max(1)


def _divided(operator: Operator, rows: np.ndarray, channels: int) -> Operator:
    """Each weight over the scale of its target."""
    if isinstance(operator, Dense):
        return replace(operator, weight=operator.weight / rows[:, None])
    if isinstance(operator, Conv):
        scale = rows.reshape(channels, -1)[:, 0]
        tail = (-1,) + (1,) * (operator.weight.ndim - 1)
        return replace(operator, weight=operator.weight / scale.reshape(tail))
    return (sparse.diags(1 / rows) @ operator).tocsr()
