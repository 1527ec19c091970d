"""One connection on maps of bytes, channels last: a matrix product, or a pass over the map."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import ClassVar, Protocol

import numpy as np

from neurodeploy.errors import ProgramError
from neurodeploy.program import Connection, Convolution, Dense, Population, Program
from neurodeploy.simulator import kernels
from neurodeploy.simulator.buffers import Take
from neurodeploy.simulator.matrix_product import MatrixProduct
from neurodeploy.simulator.sparse_forms import simpler

__all__ = ["Added", "channels_last", "layer_of"]

#: Two products of a byte and a weight stay within 16 bit: processors without VNNI add them there.
_COUNT_MAX = 127


class Added(Protocol):
    """What a connection adds to the sums of its target."""

    @property
    def source(self) -> str:
        """The population, or the input."""

    @property
    def room(self) -> int:
        """Bytes that it lays out for a sample."""

    def add(
        self, total: np.ndarray, values: np.ndarray, first: int, count: int, keep: bool, take: Take
    ) -> None:
        """Sums int32, flat, of `count` samples from the `first` on; `keep`: added to what is there.

        `values`: integers of the source, uint8, flat, with `kernels.MOVED` bytes more at the end.
        """


def channels_last(values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Values (.., neurons) of maps in C order, or of anything else as they are."""
    if len(shape) != 3:
        return values
    maps = values.reshape(-1, *shape).transpose(0, 2, 3, 1)
    return np.ascontiguousarray(maps).reshape(values.shape)


@dataclass(frozen=True)
class Plane:
    """A padded map, channels last, and what each output reads of it.

    Attributes
    ----------
    source
        Shape of the map in C order.
    kernel, span
        Rows and columns of the kernel, and of what it reaches.
    out
        Rows and columns of outputs.
    """

    source: tuple[int, int, int]
    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int]
    dilation: tuple[int, int]
    out: tuple[int, int]

    @classmethod
    def of(cls, s: Convolution, source: tuple[int, ...], target: tuple[int, ...]) -> Plane:
        """The plane of a convolution."""
        channels, height, width = source
        rows, columns = s.weights.shape[2:]
        return cls(
            (channels, height, width), (rows, columns), s.stride,
            (s.padding[0], s.padding[1]), s.dilation, (target[1], target[2]),
        )  # fmt: skip

    @cached_property
    def span(self) -> tuple[int, int]:
        """Rows and columns that a kernel reaches over."""
        rows, columns = ((self.kernel[a] - 1) * self.dilation[a] + 1 for a in (0, 1))
        return rows, columns

    @cached_property
    def size(self) -> tuple[int, int]:
        """Rows and columns: all that outputs read, and no less than a row of the source."""
        rows, columns = ((self.out[a] - 1) * self.stride[a] + self.span[a] for a in (0, 1))
        return rows, max(columns, self.padding[1] + self.source[2])

    @cached_property
    def places(self) -> int:
        """Bytes."""
        return prod(self.size) * self.source[0]

    @cached_property
    def pitch(self) -> int:
        """Bytes of a row."""
        return self.size[1] * self.source[0]

    @cached_property
    def rows(self) -> np.ndarray:
        """Offsets of the kernel's rows, int64."""
        return np.arange(self.kernel[0], dtype=np.int64) * self.dilation[0] * self.pitch

    @cached_property
    def steps(self) -> tuple[int, int]:
        """Bytes to the next output below, and to the right."""
        return self.stride[0] * self.pitch, self.stride[1] * self.source[0]

    def lay_out(self, values: np.ndarray, count: int, take: Take) -> np.ndarray:
        """Padded planes of `count` maps, flat."""
        channels, height, width = self.source
        plane = take("", "plane", (count * self.places + kernels.MOVED,), np.uint8)
        corner = self.padding[0] * self.pitch + self.padding[1] * channels
        kernels.lay_out_maps(
            values, count, height, width * channels, plane, self.places, corner, self.pitch
        )
        return plane


@dataclass(frozen=True, eq=False)
class _Products:
    """Rows of bytes times weights: all of the source, or what each output reads of a plane.

    Attributes
    ----------
    plane
        None: the source's bytes are the rows themselves.
    rows
        Of the product, for one sample.
    parts
        Shift and mask of the integers, and the exponent of their sums: more than one where bytes
        are too large to be multiplied at once.
    """

    source: str
    size: int
    product: MatrixProduct
    plane: Plane | None
    rows: int
    parts: tuple[tuple[int, int, int], ...]

    def add(
        self, total: np.ndarray, values: np.ndarray, first: int, count: int, keep: bool, take: Take
    ) -> None:
        """See `Added.add`."""
        out = self.rows * self.product.columns
        into, read = total.reshape(count, out), values[first * self.size :]
        for number, (shift, mask, exponent) in enumerate(self.parts):
            if mask != _WHOLE or shift:
                half = take("", "half", (count * self.size + kernels.MOVED,), np.uint8)
                np.right_shift(read[: count * self.size], shift, out=half[: count * self.size])
                np.bitwise_and(half, mask, out=half)
            rows = self._laid(half if mask != _WHOLE or shift else read, count, take)
            kept = keep or number > 0
            if not kept and exponent == 0:
                self.product.run(rows, count * self.rows, into)
                continue
            found = take("", "products", (count, out), np.int32)
            self.product.run(rows, count * self.rows, found)
            kernels.put(into, found, out, exponent, kept)

    @property
    def room(self) -> int:
        """See `Added.room`."""
        return 0 if self.plane is None else self.rows * self.product.depth

    def _laid(self, values: np.ndarray, count: int, take: Take) -> np.ndarray:
        """Rows of the product, uint8, flat."""
        plane = self.plane
        if plane is None:
            return values
        laid = plane.lay_out(values, count, take)
        run = plane.span[1] * plane.source[0]
        size = count * self.rows * self.product.depth + kernels.MOVED
        patches = take("", "patches", (size,), np.uint8)
        kernels.spread_patches(
            laid, count, plane.places, plane.rows, run, *plane.steps, *plane.out, patches
        )
        return patches


@dataclass(frozen=True, eq=False)
class _Scaled:
    """A factor a neuron; factors repeat."""

    source: str
    size: int
    factor: np.ndarray
    room: ClassVar[int] = 0

    def add(
        self, total: np.ndarray, values: np.ndarray, first: int, count: int, keep: bool, take: Take
    ) -> None:
        """See `Added.add`."""
        if not keep:
            total[:] = 0
        kernels.add_scaled(total, values[first * self.size :], self.factor)


@dataclass(frozen=True, eq=False)
class _ByChannel:
    """A convolution channel by channel; `weights` int32 (rows, columns, channels)."""

    source: str
    size: int
    weights: np.ndarray
    plane: Plane
    room: ClassVar[int] = 0

    def add(
        self, total: np.ndarray, values: np.ndarray, first: int, count: int, keep: bool, take: Take
    ) -> None:
        """See `Added.add`."""
        if not keep:
            total[:] = 0
        plane = self.plane
        laid = plane.lay_out(values[first * self.size :], count, take)
        columns = np.arange(plane.kernel[1], dtype=np.int64) * plane.dilation[1] * plane.source[0]
        kernels.add_by_channel(
            total, laid, count, plane.places, self.weights, plane.rows, columns, *plane.steps,
            *plane.out,
        )  # fmt: skip


_WHOLE = 255


def layer_of(program: Program, connection: Connection, target: Population, top: int) -> Added:
    """What a connection adds; `top`: the largest integer of its source.

    Raises
    ------
    ProgramError
        It has no such form, or the library's product is not exact on this machine.
    """
    name, shape = connection.source, program.shape_of(connection.source)
    size, exponent = prod(shape), connection.exponent
    synapses = simpler(connection.synapses, shape, target.shape)
    assert synapses is not None  # `can_sweep`
    if isinstance(synapses, np.ndarray):
        if shape != target.shape:
            raise ProgramError("factors between maps of unlike shapes", place=connection.name)
        factor = synapses.astype(np.int32) << exponent
        return _Scaled(name, size, channels_last(factor, shape))
    if isinstance(synapses, Dense):
        weights = channels_last(synapses.weights, shape)
        weights = channels_last(np.ascontiguousarray(weights.T), target.shape)
        return _products(connection, weights, size, None, 1, top)
    channels, per_group = shape[0], synapses.weights.shape[1]
    plane = Plane.of(synapses, shape, target.shape)
    alone = synapses.groups == channels == len(synapses.weights) and per_group == 1
    if alone and channels > 1:
        taps = synapses.weights[:, 0].transpose(1, 2, 0).astype(np.int32) << exponent
        if shape == target.shape and plane.kernel == (1, 1):
            return _Scaled(name, size, np.tile(taps.reshape(-1), shape[2]))
        return _ByChannel(name, size, np.ascontiguousarray(taps), plane)
    if synapses.groups > 1:
        raise ProgramError("a convolution in groups", place=connection.name)
    laid = np.zeros((plane.kernel[0], plane.span[1], channels, len(synapses.weights)), np.int8)
    laid[:, :: plane.dilation[1]] = synapses.weights.transpose(2, 3, 1, 0)
    whole = plane.kernel == (1, 1) and plane.stride == (1, 1) and shape[1:] == target.shape[1:]
    whole = whole and plane.padding == (0, 0)
    weights = laid.reshape(-1, len(synapses.weights))
    return _products(connection, weights, size, None if whole else plane, prod(plane.out), top)


def _products(
    connection: Connection, weights: np.ndarray, size: int, plane: Plane | None, rows: int, top: int
) -> _Products:
    """A product that is exact on this machine: of bytes as they are, or of their halves."""
    product = MatrixProduct(weights, min(top, _WHOLE))
    parts: tuple[tuple[int, int, int], ...] = ((0, _WHOLE, connection.exponent),)
    if not product.is_exact and top > _COUNT_MAX:
        product = MatrixProduct(weights, _COUNT_MAX)
        parts = (1, _WHOLE, connection.exponent + 1), (0, 1, connection.exponent)
    if not product.is_exact:
        raise ProgramError("the library's product is not exact here", place=connection.name)
    return _Products(connection.source, size, product, plane, rows, parts)
