"""The input in integers of 8 bits: pixels as they are, all else on the finest even grid.

Most of what few levels cost is lost at the entrance, and none of it need be: a pixel is an integer
of 0..255 already, and a graded message carries it. Unit and offset follow from the preprocessing,
channel by channel.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

from neurodeploy.calibration import Calibration
from neurodeploy.network.stages import Shape, Stage
from neurodeploy.program import INPUT, Preprocessing
from neurodeploy.quantization.peaks import float_columns

__all__ = ["Entrance", "eight_bits", "even"]

#: Of a level: how far samples may lie off the grid to be called exact.
_EXACT = 1e-2
#: A channel's unit is at least this share of the whole input's.
_FLOOR = 1 / 16


@dataclass(frozen=True, eq=False)
class Entrance:
    """Integers of the input.

    Attributes
    ----------
    shape
        Of the input's population.
    unit, zero
        float64 (inputs,): real value of one integer, and of the integer 0.
    top
        Largest integer; the least is 0.
    exact
        Whether the calibration samples lie on the grid.
    bit_planes
        Highest bits that come on lines of their own (`program.bit_planes`).
    """

    shape: Shape
    unit: np.ndarray
    zero: np.ndarray
    top: int
    exact: bool
    bit_planes: int = 0

    def levels(self, x: np.ndarray) -> np.ndarray:
        """Integers of network inputs (n, ...): float32 (n, inputs)."""
        level = np.rint((x.reshape(len(x), -1).astype(np.float64) - self.zero) / self.unit)
        return np.clip(level, 0, self.top).astype(np.float32)

    @property
    def channel_units(self) -> tuple[float, ...]:
        """Unit of each channel, or one for all."""
        return _by_channel(self.unit, self.shape)

    @property
    def channel_offsets(self) -> tuple[float, ...]:
        """Offset of each channel, or one for all."""
        return _by_channel(self.zero, self.shape)


def _by_channel(values: np.ndarray, shape: Shape) -> tuple[float, ...]:
    found = values.reshape(shape[0], -1)[:, 0]
    return (float(found[0]),) if (found == found[0]).all() else tuple(map(float, found))


def eight_bits(
    shape: Shape,
    calibration: Calibration,
    preprocessing: Preprocessing,
    stages: tuple[Stage, ...] = (),
) -> Entrance:
    """The entrance at 8 bits.

    Cases
    -----
    1. Samples that are pixels behind the preprocessing: 0..255 exactly, by channel.
    2. Maps of other numbers: each channel's range in 255 parts; channels of narrow ranges at
       least a sixteenth of the whole range.
    3. Samples on a coarser even grid of the whole range, as networks trained with activations of
       few levels take them: exactly, in as many parts as that grid divides.
    4. Vectors (maps of one pixel, too) of features of very different sizes (`_needs_own_grids`):
       each feature's range, an eighth wider on both sides, in 255 parts.
    5. Other vectors, a range that was stated, no samples: the whole range in 255 parts.

    Parameters
    ----------
    stages
        What reads the input, where it may be a vector.
    """
    low, high = calibration.input_range
    pixels = _pixels(shape, calibration, preprocessing)
    if pixels is not None:
        return pixels
    coarse = _coarse_grid(shape, calibration)
    if coarse is not None:
        return coarse
    top, size = 255, prod(shape)
    unit, zero = np.full(size, ((high - low) or 1.0) / top), np.full(size, low)
    if calibration.x.size and size > shape[0]:
        maps = calibration.x.reshape(len(calibration.x), shape[0], -1).astype(np.float64)
        least, most = maps.min((0, 2)), maps.max((0, 2))
        seen = (float(least.min()), float(most.max()))
        if np.allclose(seen, (low, high), rtol=1e-5, atol=1e-12):
            width = np.maximum(most - least, (high - low) * _FLOOR)
            each = size // shape[0]
            unit, zero = np.repeat(width / top, each), np.repeat(least, each)
            unit = np.where(unit > 0, unit, 1.0 / top)
    elif calibration.x.size:
        values = calibration.x.reshape(len(calibration.x), size).astype(np.float64)
        least, most = values.min(0), values.max(0)
        # the rate code's range begins at 0 where all samples lie above it
        begins = (low == 0 and least.min() > 0) or np.isclose(least.min(), low, atol=1e-12)
        if begins and np.isclose(most.max(), high) and _needs_own_grids(values, stages, unit[0]):
            width = most - least
            unit = np.where(width > 0, 1.25 * width / top, unit)
            zero = least - width / 8
    return Entrance(shape, unit, zero, top, _on_grid(calibration.x, unit, zero))


def _needs_own_grids(values: np.ndarray, stages: tuple[Stage, ...], unit: float) -> bool:
    """Whether one grid for all features loses some that count: a scaler's column weighs them up.

    A feature is lost if its standard deviation is less than two levels, and counts if it moves
    some neuron at least an eighth as far as the one that moves one farthest. Pixels at the border
    of flattened images vary little, too, but do not count.

    Parameters
    ----------
    values
        float64 (samples, features).
    unit
        Of the one grid.
    """
    weight = np.zeros(values.shape[1])
    for stage in stages:
        for path in stage.paths:
            if path.source == INPUT:
                weight = np.maximum(weight, float_columns(path.operator))
    spread = values.std(0)
    moves = weight * spread
    return bool(((spread < 2 * unit) & (moves > 0) & (8 * moves >= moves.max())).any())


def even(shape: Shape, calibration: Calibration, top: int) -> Entrance:
    """The whole range in `top` equal parts."""
    low, high = calibration.input_range
    unit = np.full(prod(shape), ((high - low) or 1.0) / top)
    zero = np.full(prod(shape), low)
    return Entrance(shape, unit, zero, top, _on_grid(calibration.x, unit, zero))


def _coarse_grid(shape: Shape, calibration: Calibration) -> Entrance | None:
    """The whole range in a multiple of the fewest parts at which all samples lie on the grid."""
    if not calibration.x.size:
        return None
    values = np.unique(calibration.x)
    if values.size > 256:
        return None
    low, high = calibration.input_range
    share = (values.astype(np.float64) - low) / ((high - low) or 1.0)
    for parts in range(1, 256):
        level = share * parts
        if np.abs(level - np.rint(level)).max() * (255 // parts) < _EXACT:
            return even(shape, calibration, 255 // parts * parts)
    return None


def _on_grid(x: np.ndarray, unit: np.ndarray, zero: np.ndarray) -> bool:
    if not x.size:
        return False
    level = (x.reshape(len(x), -1).astype(np.float64) - zero) / unit
    return bool(np.abs(level - np.rint(level)).max() < _EXACT)


def _pixels(
    shape: Shape, calibration: Calibration, preprocessing: Preprocessing
) -> Entrance | None:
    """The grid of the raw integers 0..255, if all samples and the whole range lie on it."""
    channels = shape[0]
    scale = preprocessing.scale
    std = np.asarray(preprocessing.std, np.float64)
    mean = np.asarray(preprocessing.mean, np.float64)
    if {std.size, mean.size} - {1, channels}:
        return None
    factor = np.broadcast_to(scale / std, channels)
    start = np.broadcast_to(-mean / std, channels)
    each = prod(shape) // channels
    unit = np.repeat(np.abs(factor), each)
    zero = np.repeat(np.where(factor > 0, start, start + 255 * factor), each)
    low, high = calibration.input_range
    slack = _EXACT * unit.max()
    inside = low >= zero.min() - slack and high <= (zero + 255 * unit).max() + slack
    if not inside or not _on_grid(calibration.x, unit, zero):
        return None
    level = (calibration.x.reshape(len(calibration.x), -1) - zero) / unit
    if level.min() < -_EXACT or level.max() > 255 + _EXACT:
        return None
    return Entrance(shape, unit, zero, 255, True)
