"""Layers that read an input whose values come on several lines (`program.bit_planes`).

A value is the sum of what its lines say, so each line has the weights of the value; what a spike on
it is worth is the line's own unit.
"""

from __future__ import annotations

from dataclasses import replace
from math import prod

import numpy as np
from scipy import sparse

from neurodeploy.network import Conv, Dense, Shape
from neurodeploy.network.stages import Operator, Path, Stage
from neurodeploy.program import INPUT

__all__ = ["reading_lines", "usual_bit_planes", "with_lines"]

#: Levels of an input that the bit planes and the spikes of a window tell apart.
_LEVELS = 256


def usual_bit_planes(steps: int, x: np.ndarray) -> int:
    """As many bit planes as make the levels of a pixel out of those of a window.

    None where all samples are their range's ends only: these come at every step or never as it is.

    Parameters
    ----------
    steps
        Of a window.
    x
        Calibration samples, of any shape; may be empty.
    """
    ends = (float(x.min()), float(x.max())) if x.size else (0.0, 0.0)
    if x.size and bool(np.isin(x, ends).all()):
        return 0
    return max(0, (-(-_LEVELS // steps) - 1).bit_length())


def reading_lines(stages: tuple[Stage, ...], lines: int, shape: Shape) -> tuple[Stage, ...]:
    """The stages with every weight of the input repeated for each of its lines.

    Parameters
    ----------
    lines
        Of each channel, one after the other.
    shape
        Of the input, its lines taken together.
    """
    if lines == 1:
        return stages
    return tuple(
        replace(stage, paths=tuple(_read(path, lines, shape) for path in stage.paths))
        for stage in stages
    )


def with_lines(x: np.ndarray, lines: int) -> np.ndarray:
    """Real inputs (n, channels, ...) on their last lines (n, channels * lines, ...), the others 0:
    what float layers make of them is the same."""
    if lines == 1:
        return x
    spread = np.zeros((*x.shape[:2], lines, *x.shape[2:]), x.dtype)
    spread[:, :, -1] = x
    return spread.reshape(len(x), x.shape[1] * lines, *x.shape[2:])


def _read(path: Path, lines: int, shape: Shape) -> Path:
    if path.source != INPUT:
        return path
    return replace(path, operator=_repeated(path.operator, lines, shape))


def _repeated(operator: Operator, lines: int, shape: Shape) -> Operator:
    """A convolution's, a dense layer's or a matrix's columns, channel by channel."""
    if isinstance(operator, Conv):
        return replace(operator, weight=np.repeat(operator.weight, lines, axis=1))
    if isinstance(operator, Dense):
        by_channel = operator.weight.reshape(len(operator.weight), shape[0], -1)
        wide = np.repeat(by_channel, lines, axis=1)
        return replace(operator, weight=wide.reshape(len(wide), -1))
    # what reads column (channel, place) reads all of (channel, line, place)
    place = np.arange(prod(shape)).reshape(shape[0], 1, -1)
    origin = np.broadcast_to(place, (shape[0], lines, place.shape[2])).reshape(-1)
    matrix: sparse.csr_matrix = operator.tocsc()[:, origin].tocsr()
    return matrix
