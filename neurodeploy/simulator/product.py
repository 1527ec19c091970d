"""The dense way to compute a connection: ONNX Runtime's integer matrix product.

The spikes of a block of steps are laid out as uint8, one row an output and step with all that the
output's kernel reads, and multiplied with the int8 weights into int32: exact, whatever the
activity. Spikes of a pooled window are counted up before, so that the product is as much smaller.
Messages of small integers are laid out as they are, from a zero point on where some are negative.
"""

from __future__ import annotations

import importlib.util
from functools import cache
from math import prod

import numpy as np

from neurodeploy.simulator import kernels
from neurodeploy.simulator.buffers import Take
from neurodeploy.simulator.events import Events
from neurodeploy.simulator.matrix_product import MatrixProduct
from neurodeploy.simulator.receptive import Receptive, tile_weights
from neurodeploy.simulator.units import SPIKES, Range

__all__ = ["ROWS_BYTES", "Product", "can_multiply"]

#: Two products of a byte and a weight stay within 16 bit: processors without VNNI add them there.
_COUNT_MAX = 127
#: Bytes of rows multiplied at once: they stay in a core's second-level cache.
ROWS_BYTES = 1_000_000
#: Bytes of rows for one step beyond which there is no product.
_STEP_BYTES_MAX = 30_000_000
#: Columns from which on a product is about as fast as it gets.
_LANES = 64
#: Columns that ONNX Runtime 1.23.2, the last for Python 3.10, multiplies wrongly with AMX: of every
#: 32nd row those from the 17th on (mended by its pull request 27671 of March 2026).
_WRONG = range(17, 32)


@cache
def _is_installed() -> bool:
    return all(importlib.util.find_spec(name) for name in ("onnx", "onnxruntime"))


def can_multiply(field: Receptive, sends: Range = SPIKES) -> bool:
    """Whether `Product` can compute the connection exactly, and in a bounded room."""
    kernel = field.weights[0].size * max(1, field.stride[1])
    return (
        _is_installed()
        and _tile(field) * field.outputs not in _WRONG
        and prod(field.window) * (sends[1] - min(sends[0], 0)) <= _COUNT_MAX
        and kernel * prod(field.out) <= _STEP_BYTES_MAX
    )


class Product:
    """One connection as a matrix product; thread-safe.

    A row of the product is a tile of neighbouring outputs: with few output channels, a library
    multiplies zeros faster than narrow matrices.

    Parameters
    ----------
    field
        What each output reads.
    source
        Shape of the source population.
    sends
        Least and most that it sends.

    Attributes
    ----------
    is_exact
        As of a `MatrixProduct`.
    """

    def __init__(self, field: Receptive, source: tuple[int, ...], sends: Range = SPIKES) -> None:
        tile = _tile(field)
        weights = tile_weights(field, (1, tile))
        rows, span, channels, self._lanes = weights.shape
        (stride_y, stride_x), (top, left) = field.stride, field.padding
        self._height, self._width = field.out[0], field.out[1] // tile
        self._rows, self._depth = self._height * self._width, rows * span * channels
        width = (self._width - 1) * tile * stride_x + span
        height = (field.out[0] - 1) * stride_y + field.extent[0]
        # what lies beyond the last kernel is counted in a place that nothing reads
        self._places = width * height * channels + (not field.flat)
        self._offset = _offsets(field, source, (top, left), (height, width), self._places - 1)
        self._kernel_rows = np.arange(rows) * field.dilation[0] * width * channels
        self._strides = stride_y * width * channels, tile * stride_x * channels
        self._run, self._flat = span * channels, field.flat
        self._bit_rows = _bit_rows(field, (top, left), (height, width))
        self._block_steps = max(1, ROWS_BYTES // (self._rows * self._depth))
        self._payloads = sends != SPIKES
        self._zero = np.uint8(-min(sends[0], 0) * prod(field.window))
        matrix = weights.reshape(self._depth, self._lanes)
        self._product = MatrixProduct(matrix, _COUNT_MAX, int(self._zero))
        self.is_exact = self._product.is_exact

    def add(
        self, events: Events, block: np.ndarray, first: int, shift: int, keep: bool, take: Take
    ) -> None:
        """Currents of a block of steps, as `kernels.gather` computes them.

        Parameters
        ----------
        take
            Buffers of the thread, by owner, purpose, shape and dtype.
        """
        for begin in range(0, len(block), self._block_steps):
            part = block[begin : begin + self._block_steps]
            products = self._multiplied(events, first + begin, len(part), take)
            kernels.put(part, products, self._rows * self._lanes, shift, keep)

    def _multiplied(self, events: Events, first: int, steps: int, take: Take) -> np.ndarray:
        """int32 (steps, rows * lanes)."""
        most = self._block_steps
        plane = take("", "plane", (most * self._places + kernels.MOVED,), np.uint8)
        if self._payloads:
            self._lay_out_integers(plane, steps, events, first)
        elif self._bit_rows is not None and events.bits.size:
            kernels.lay_out_bits(plane, steps, self._places, first, events.bits, *self._bit_rows)
        else:
            kernels.lay_out(
                plane, steps, self._places, first, events.index, events.start, self._offset
            )
        patches = plane
        if not self._flat:
            size = most * self._rows * self._depth + kernels.MOVED
            patches = take("", "patches", (size,), np.uint8)
            kernels.spread_patches(
                plane, steps, self._places, self._kernel_rows, self._run, *self._strides,
                self._height, self._width, patches,
            )  # fmt: skip
        products = take("", "products", (steps, self._rows * self._lanes), np.int32)
        self._product.run(patches, steps * self._rows, products)
        return products

    def _lay_out_integers(self, plane: np.ndarray, steps: int, events: Events, first: int) -> None:
        """Messages of some steps, each added to the zero point."""
        if self._bit_rows is not None and events.sent.size:
            kernels.lay_out_rows(
                plane, steps, self._places, first, events.sent, *self._bit_rows, self._zero
            )
        else:
            kernels.lay_out_integers(
                plane, steps, self._places, first, events.index, events.start, events.value,
                self._offset, self._zero,
            )  # fmt: skip


def _bit_rows(
    field: Receptive, padding: tuple[int, int], size: tuple[int, int]
) -> tuple[int, int, int, int] | None:
    """How rows of the source lie, for `kernels.lay_out_bits`; None where they are no runs."""
    channels, height, width = field.source
    if field.window != (1, 1):
        return None
    if field.flat:
        return 1, channels, 0, 0
    if padding[0] + height > size[0] or padding[1] + width > size[1]:
        return None
    pitch = size[1] * channels
    return height, width * channels, padding[0] * pitch + padding[1] * channels, pitch


def _tile(field: Receptive) -> int:
    """Outputs a row of the product: the fewest that divide a line and make it wide enough."""
    width = field.out[1]
    fits = [n for n in range(1, width + 1) if width % n == 0]
    return next((n for n in fits if n * field.outputs >= _LANES), 1)


def _offsets(
    field: Receptive,
    source: tuple[int, ...],
    padding: tuple[int, int],
    size: tuple[int, int],
    beyond: int,
) -> np.ndarray:
    """Place of each source neuron (internal numbering) in a padded, pooled plane, int64."""
    channels = source[0] if len(source) == 3 else prod(source)
    height, width = source[1:] if len(source) == 3 else (1, 1)
    y = np.arange(height) // field.window[0]
    x = np.arange(width) // field.window[1]
    c = np.arange(channels)
    if field.flat:  # all positions of the pooled source are channels of one
        across = width // field.window[1]
        position = y[:, None] * across + x
        return (position[..., None] * channels + c).reshape(-1)
    y, x = y + padding[0], x + padding[1]
    inside = (y[:, None] < size[0]) & (x < size[1])
    place = (y[:, None] * size[1] + x)[..., None] * channels + c
    return np.where(inside[..., None], place, beyond).reshape(-1)
