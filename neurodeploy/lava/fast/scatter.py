"""The sums of a connection of Lava, added up from the messages that arrive, not from all inputs.

Lava numbers the neurons of an image (x, y, channel), channels last, as the engine does with
(y, x, channel): the engine's tables serve, with x in the place of y.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

from neurodeploy.program import Convolution
from neurodeploy.simulator.kernels import scatter_grouped, scatter_rows, scatter_sparse
from neurodeploy.simulator.layout import convolution_grouped, convolution_rows

__all__ = ["Scatter", "convolution_scatter", "matrix_scatter", "sparse_scatter"]

Pair = tuple[int, int]
_NO_PAYLOADS = np.zeros(0, np.int32)


@dataclass(frozen=True)
class Scatter:
    """A connection laid out for a kernel of the engine.

    Attributes
    ----------
    kernel
        Called with (block, first step, index, start, value, *arguments).
    targets
        Number of sums.
    graded
        Whether messages carry payloads; if not, any nonzero message counts as 1.
    bound
        Largest magnitude of a sum of binary messages.
    right_shift
        What is left of the exponent for the sums.
    """

    kernel: Callable[..., Any]
    arguments: tuple[Any, ...]
    targets: int
    graded: bool
    bound: int
    right_shift: int = 0

    def __call__(self, messages: np.ndarray) -> np.ndarray:
        """What one step's messages bring to the targets, int32 (targets,), wrapped to 32 bit."""
        flat = messages.reshape(-1)
        index = np.flatnonzero(flat != 0).astype(np.int32)  # of booleans: several times faster
        value = flat[index].astype(np.int32) if self.graded else _NO_PAYLOADS
        # partial sums lie within the bound, too, in whatever order the messages come
        narrow = not self.graded and self.bound < 2**15
        block = np.zeros((1, self.targets), np.int16 if narrow else np.int32)
        start = np.array([0, index.size], np.int64)
        self.kernel(block, 0, index, start, value, *self.arguments)
        sums = block[0].astype(np.int32, copy=False)
        return sums >> self.right_shift if self.right_shift else sums


def convolution_scatter(
    weight: np.ndarray,
    input_shape: tuple[int, ...],
    *,
    stride: Pair,
    padding: Pair,
    dilation: Pair,
    groups: int,
    graded: bool,
) -> Scatter:
    """Lava's `Conv`.

    Parameters
    ----------
    weight
        int32 (out, x, y, in); convolved, so flipped along x and y.
    input_shape
        (x, y, channel).
    stride, padding, dilation
        Along (x, y).
    """
    # Lava's (out, x, y, in) is our (out, in, y, x) with the axes of the image exchanged
    kernel = np.ascontiguousarray(weight[:, ::-1, ::-1].transpose(0, 3, 1, 2))
    shape = (input_shape[2], input_shape[0], input_shape[1])
    geometry = Convolution(
        np.zeros(kernel.shape, np.int8),
        stride=stride,
        padding=(*padding, *padding),
        dilation=dilation,
        groups=groups,
    )
    targets = int(np.prod(geometry.output_shape(shape)))
    bound = _bound(kernel.reshape(kernel.shape[0], -1))
    if groups == 1:
        rows = convolution_rows(geometry, _narrowed(kernel), shape)
        return Scatter(scatter_rows, _values(rows), targets, graded, bound)
    taps = convolution_grouped(geometry, _narrowed(kernel), shape)
    return Scatter(scatter_grouped, _values(taps), targets, graded, bound)


def matrix_scatter(weights: np.ndarray, *, right_shift: int, graded: bool) -> Scatter:
    """Lava's `Dense`: int32 (targets, sources)."""
    targets, sources = weights.shape
    # a 1x1 convolution of one position
    geometry = Convolution(np.zeros((targets, sources, 1, 1), np.int8))
    kernel = _narrowed(weights)[:, :, None, None]
    rows = convolution_rows(geometry, kernel, (sources, 1, 1))
    bound = _bound(weights)
    return Scatter(scatter_rows, _values(rows), targets, graded, bound, right_shift)


def sparse_scatter(weights: csr_matrix, *, right_shift: int, graded: bool) -> Scatter:
    """Lava's `Sparse`: int32 (targets, sources)."""
    columns = weights.tocsc()
    arguments = (
        _narrowed(columns.data),
        columns.indices.astype(np.int32),
        columns.indptr.astype(np.int64),
    )
    sums = np.asarray(abs(weights.astype(np.int64)).sum(axis=1))
    bound = int(sums.max(initial=0))
    return Scatter(scatter_sparse, arguments, weights.shape[0], graded, bound, right_shift)


def _bound(rows: np.ndarray) -> int:
    """Largest sum of absolute values of a row."""
    return int(np.abs(rows).sum(1, dtype=np.int64).max(initial=0))


def _narrowed(weights: np.ndarray) -> np.ndarray:
    """The same integers in the narrowest type."""
    low, high = weights.min(initial=0), weights.max(initial=0)
    for dtype in (np.int8, np.int16):
        if np.iinfo(dtype).min <= low and high <= np.iinfo(dtype).max:
            return weights.astype(dtype)
    return weights.astype(np.int32)


def _values(tables: Any) -> tuple[Any, ...]:
    """Fields of a dataclass in order, without copying arrays."""
    return tuple(getattr(tables, field.name) for field in fields(tables))
