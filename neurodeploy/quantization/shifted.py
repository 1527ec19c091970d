"""One stage in integers where the only division is a shift of whole connections.

A channel's unit is its scale times 2**shift, with one shift for the layer: the scale is as fine as
the channel's weights allow, so that they use their eight bits, and the next layer's weights take
the units in. Paths that repeat a source bring whole units: the unit is that of the source over a
whole number (`docs/semantics.md`, section 17). Along such paths all channels have one unit, or the
finest would make all others finer from block to block.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from neurodeploy.program import Dense, GradedRelu, Synapses
from neurodeploy.program.neurons.arithmetic import MEMBRANE_LIMIT
from neurodeploy.quantization.operators import quantize
from neurodeploy.quantization.window import (
    MARGIN,
    WHOLE,
    Connected,
    Integers,
    Range,
    StageQuantizer,
    divided_rows,
    repeats,
)

__all__ = ["ShiftedStage", "WideReadout"]

#: Largest shift, and the largest with a path in whole units: a weight of 64 at an exponent of 7.
_MOST, _MOST_WHOLE = 20, 13
#: Of the layer's largest weight: what a channel's weights count as at least. Finer units would
#: make larger messages.
_FLOOR = 1 / 8
#: Of a whole path's weight: how far rounding may move it before units are made finer.
_ROUNDED, _FINER = 0.01, 4
#: Room of a message: times the largest that was seen.
_ROOM = 2.0


@dataclass(frozen=True)
class _Grid:
    """Units of a layer.

    Attributes
    ----------
    shift
        log2 of membrane integers in a unit.
    unit
        float64 (channels,).
    """

    shift: int
    unit: np.ndarray

    @property
    def scale(self) -> np.ndarray:
        """Real value of one membrane integer of each channel."""
        return self.unit / 2.0**self.shift


class WideReadout(StageQuantizer):
    """A readout of wide messages: where their sums do not fit, it is coarse rather than refused."""

    @property
    def least_levels(self) -> int:
        """See `StageQuantizer.least_levels`."""
        return 3


class ShiftedStage(StageQuantizer):
    """A stage that fires; readouts are not shifted and stay what they are."""

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)  # type: ignore[arg-type]
        whole = [
            i for i, a in enumerate(self.arriving) if repeats(a.operator, self.stage.shape, WHOLE)
        ]
        others = [i for i in range(len(self.arriving)) if i not in whole]
        #: The path that is shifted, and those in whole units.
        self.main = others[0] if others else max(whole, key=lambda i: float(self.peaks[i].max()))
        self.whole = [i for i in whole if i != self.main]
        assert len(others) <= 1  # `split_sums`
        self.exponents = [0] * len(self.arriving)
        self.floor = 1.0 if self.whole or self.one_unit else _FLOOR

    def _lift(self) -> int:
        return 0

    def _over(self, made: Integers, seen: np.ndarray) -> np.ndarray:
        """Of what was seen, where there are samples: messages may be wide, and proofs far."""
        slope = made.slopes
        if self.reach.size:
            bound = MARGIN * self.reach / made.scales + slope
        else:
            bound = self._bounds(made.arrivals, made.bias) + slope
        return bound / MEMBRANE_LIMIT

    def _at(self, coarser: np.ndarray, lift: int, weigh: bool = False) -> Integers:
        """The layer at these scales."""
        grid = self._grid(self._finest() * coarser)
        rows = np.repeat(grid.unit, self.each)
        arrivals = [
            Connected(a.source, *self._synapses(i, grid, weigh), a.top, a.low)
            for i, a in enumerate(self.arriving)
        ]
        slope = 1 << grid.shift
        half = slope >> 1
        # a shift rounds down: on average it takes half a unit away
        units = np.rint(self.bias / rows + 0.5 - 0.5 / slope)
        most = MEMBRANE_LIMIT >> grid.shift
        bias = (np.clip(units, -most, most).astype(np.int64) << grid.shift) - half
        bound = int(self._bounds(tuple(arrivals), bias).max(initial=0))
        seen = float((self.reach / grid.scale).max(initial=0)) if self.reach.size else 0.0
        return Integers(
            tuple(arrivals),
            bias.astype(np.int32),
            np.full(self.channels, slope, np.int64),
            grid.scale,
            grid.unit,
            Range(bound + slope <= MEMBRANE_LIMIT, bound, int(seen)),
            top=self._largest(grid),
            grain=slope,
        )

    def _finest(self) -> np.ndarray:
        """Scale at which the weights of the main path fit, float64 (channels,)."""
        peak = self.peaks[self.main]
        floored = np.maximum(peak, peak.max(initial=0) * self.floor)
        finest: np.ndarray = np.maximum(self.least, floored / self.levels[self.main])
        return np.where(peak.max(initial=0) > 0, finest, np.maximum(finest, self.step / 2**6))

    def _grid(self, scale: np.ndarray) -> _Grid:
        """The coarsest units that no step exceeds, and whole paths divide."""
        most = self.step
        for i in self.whole:
            size = self.peaks[i]
            most = np.where(size > 0, np.minimum(most, size), most)
        ratio = float((most / scale).min()) * (1 + 1e-9)
        limit = _MOST_WHOLE if self.whole else _MOST
        shift = int(np.clip(np.floor(np.log2(max(ratio, 1.0))), 0, limit))
        if self.stage.like:  # the other part of a sum: what repeats both repeats one unit
            return _Grid(shift, self.step)
        found = self._divided(scale, shift)
        for finer in range(1, _FINER + 1):
            if shift - finer < 0 or self._rounding(found) <= _ROUNDED:
                break
            found = self._divided(scale, shift - finer)
        return found

    def _divided(self, scale: np.ndarray, shift: int) -> _Grid:
        """Units of at least ``scale << shift``: parts of what the largest whole path repeats."""
        unit = scale * 2.0**shift
        if self.whole:
            size = np.max([self.peaks[i] for i in self.whole], axis=0)
            parts = np.clip(np.floor(size / unit * (1 + 1e-9)), 1, self._most_parts(shift))
            there = size > 0
            unit = np.where(there, size / parts, unit)
            if there.any():  # who repeats nothing has the unit of those that do
                unit = np.where(there, unit, np.maximum(unit, unit[there].max()))
        return _Grid(shift, unit)

    def _most_parts(self, shift: int) -> int:
        """The largest whole number that a weight can say."""
        return max(self.limit >> max(shift - self.exponent_max, 0), 1)

    def _rounding(self, grid: _Grid) -> float:
        """How far rounding moves the weights of whole paths, as a share."""
        worst = 0.0
        for i in self.whole:
            parts = self.peaks[i] / grid.unit
            there = parts > 0
            moved = np.abs(np.maximum(np.rint(parts), 1) / np.where(there, parts, 1) - 1)
            worst = max(worst, float(np.where(there, moved, 0).max(initial=0)))
        return worst

    def _synapses(self, path: int, grid: _Grid, weigh: bool) -> tuple[Synapses, int]:
        """Weights and exponent of a path."""
        operator = self.arriving[path].operator
        if path == self.main:
            rows = np.repeat(grid.scale, self.each)
            return quantize(divided_rows(operator, rows, self.channels), 1.0, self.limit), 0
        exponent = min(grid.shift, self.exponent_max)
        rows = np.repeat(grid.unit, self.each)
        parts = quantize(
            divided_rows(operator, rows, self.channels), 1.0, self._most_parts(grid.shift)
        )
        assert not isinstance(parts, Dense)  # it repeats a source
        weights = parts.weights.astype(np.int64) << (grid.shift - exponent)
        return replace(parts, weights=weights.astype(np.int8)), exponent

    def _largest(self, grid: _Grid) -> int:
        """The largest message: as many bits as `_ROOM` times the largest that was seen takes."""
        reach = self.reach if self.reach.size else self.step * self.top
        seen = float((reach / grid.unit).max(initial=1.0))
        return (1 << min(int(np.ceil(np.log2(_ROOM * seen + 1))), GradedRelu.widest)) - 1
