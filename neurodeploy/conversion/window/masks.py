"""Synapses of a mask: the j-th cell of a pooling window has the weight 2**j."""

from __future__ import annotations

from math import prod

import numpy as np
from scipy import sparse

from neurodeploy.errors import ConversionError
from neurodeploy.network import Conv, Dense
from neurodeploy.network.stages import Operator, Stage
from neurodeploy.program import Convolution, Sparse, Synapses
from neurodeploy.targets import Target

__all__ = ["largest_window", "masks"]


def largest_window(target: Target) -> int:
    """Cells that masks can tell apart: bits of a weight, moved up by the exponents."""
    return _bits(target) + target.exponent_max


def _bits(target: Target) -> int:
    """Powers of two among the weights."""
    return int(target.weight_max).bit_length()


def masks(stage: Stage, windows: Operator, target: Target) -> list[tuple[Synapses, int]]:
    """Connections that make a number of who spiked, each with its exponent.

    1. Cells 0..6 have the weights 1..64; cells 7..13 the same at an exponent of 7.
    2. A convolution channel by channel stays one, with a kernel of powers of two.

    Raises
    ------
    ConversionError
        A window of more cells than weights and exponents can tell apart.
    """
    assert not isinstance(windows, Dense)
    cells = (
        prod(windows.weight.shape[1:])
        if isinstance(windows, Conv)
        else int(np.diff(windows.indptr).max(initial=0))
    )
    limit = largest_window(target)
    if cells > limit:
        raise ConversionError(
            f"max pooling over {cells} cells; a mask tells {limit} apart",
            place=stage.name,
            remedy="pool in two layers, or use --scheme ttfs",
        )
    found: list[tuple[Synapses, int]] = []
    width = _bits(target)
    for first in range(0, cells, width):
        exponent = min(first, target.exponent_max)
        shift = first - exponent  # what the exponent does not reach
        part = range(first, min(first + width - shift, cells))
        found.append((_part(windows, part, shift), exponent))
    return found


def _part(windows: Operator, cells: range, shift: int) -> Synapses:
    """Weights ``2 ** (shift + i)`` for the i-th of the cells, nothing for the others."""
    powers = 2 ** (shift + np.arange(len(cells)))
    if isinstance(windows, Conv):
        weight = np.zeros(windows.weight.shape, np.int8)
        weight.reshape(len(weight), -1)[:, cells.start : cells.stop] = powers
        top, left, bottom, right = windows.padding
        return Convolution(
            weight,
            (windows.stride[0], windows.stride[1]),
            (top, left, bottom, right),
            (windows.dilation[0], windows.dilation[1]),
            windows.groups,
        )
    assert isinstance(windows, sparse.csr_matrix)
    place = np.arange(windows.nnz) - np.repeat(windows.indptr[:-1], np.diff(windows.indptr))
    chosen = (place >= cells.start) & (place < cells.stop)
    starts = np.concatenate([[0], np.cumsum(chosen)])[windows.indptr]
    return Sparse(
        powers[place[chosen] - cells.start].astype(np.int8),
        windows.indices[chosen].astype(np.int32),
        starts.astype(np.int64),
        int(windows.shape[1]),
    )
