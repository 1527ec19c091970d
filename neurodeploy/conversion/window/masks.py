"""Synapses of a mask: the j-th cell of a pooling window has a field of bits of its own."""

from __future__ import annotations

from math import prod

import numpy as np
from scipy import sparse

from neurodeploy.errors import ConversionError
from neurodeploy.network import Conv, Dense
from neurodeploy.network.stages import Operator, Stage
from neurodeploy.program import Convolution, Sparse, Synapses
from neurodeploy.targets import Target

__all__ = ["Parts", "largest_window", "masks"]

#: Synapses and exponent of each connection.
Parts = list[tuple[Synapses, int]]


def largest_window(target: Target, width: int = 1) -> int:
    """Cells that masks of fields of so many bits can tell apart.

    Weights are powers of two, moved up by the exponents.
    """
    return -(-(_bits(target) + target.exponent_max) // width)


def _bits(target: Target) -> int:
    """Powers of two among the weights."""
    return int(target.weight_max).bit_length()


def masks(stage: Stage, windows: Operator, target: Target, width: int = 1) -> Parts:
    """Connections that put what cells sent beside one another, each with its exponent.

    1. Cell j has the weight 2**(width * j): with fields of one bit, cells 0..6 the weights 1..64.
    2. What is beyond the weights goes through a second connection, at an exponent of 7.
    3. A convolution channel by channel stays one, with a kernel of powers of two.

    Parameters
    ----------
    width
        Bits of a field: 1 for spikes, 2 for spikes of both signs.

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
    limit = largest_window(target, width)
    if cells > limit:
        raise ConversionError(
            f"max pooling over {cells} cells; a mask tells {limit} apart",
            place=stage.name,
            remedy="pool in two layers, or use --scheme ttfs",
        )
    found: Parts = []
    top = _bits(target) - 1  # the largest power of two among the weights
    first = 0
    while first < cells:
        exponent = min(width * first, target.exponent_max)
        last = min((top + exponent) // width, cells - 1)
        powers = 2 ** (width * np.arange(first, last + 1) - exponent)
        found.append((_part(windows, first, powers), exponent))
        first = last + 1
    return found


def _part(windows: Operator, first: int, powers: np.ndarray) -> Synapses:
    """Weights for the cells from a first one on, nothing for the others."""
    stop = first + len(powers)
    if isinstance(windows, Conv):
        weight = np.zeros(windows.weight.shape, np.int8)
        weight.reshape(len(weight), -1)[:, first:stop] = powers
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
    chosen = (place >= first) & (place < stop)
    starts = np.concatenate([[0], np.cumsum(chosen)])[windows.indptr]
    return Sparse(
        powers[place[chosen] - first].astype(np.int8),
        windows.indices[chosen].astype(np.int32),
        starts.astype(np.int64),
        int(windows.shape[1]),
    )
