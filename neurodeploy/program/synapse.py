"""The synapse kinds of a program: integer linear maps from one population to another."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod

import numpy as np

from neurodeploy.errors import ProgramError, shown
from neurodeploy.program.limits import MAX_EXTENT

__all__ = ["Convolution", "Dense", "Sparse", "Synapses"]

Shape = tuple[int, ...]


def _is_constant(array: np.ndarray) -> bool:
    """Whether nobody can write to an array, whoever holds what it is a view of."""
    base: object = array
    while isinstance(base, np.ndarray):
        if base.flags.writeable or not base.flags.c_contiguous:
            return False
        base = base.base
    return isinstance(base, bytes) or (isinstance(base, memoryview) and base.readonly)


def _int8(weights: np.ndarray, rank: int) -> np.ndarray:
    """`weights` read-only and contiguous, checked for dtype and rank; a copy unless constant."""
    if not isinstance(weights, np.ndarray) or not _is_constant(weights):
        weights = np.array(weights, copy=True, order="C")
    if weights.dtype != np.int8 or weights.ndim != rank:
        raise ProgramError(
            f"weights are int8 of rank {rank}, not {weights.dtype} of rank {weights.ndim}"
        )
    weights.flags.writeable = False
    return weights


def _pair(name: str, values: tuple[int, ...], count: int, low: int) -> None:
    if len(values) != count or any(
        type(v) is not int or not low <= v <= MAX_EXTENT for v in values
    ):
        raise ProgramError(
            f"{name} is {shown(values)}, not {count} integers of {low}..{MAX_EXTENT}"
        )


@dataclass(frozen=True, eq=False)
class Dense:
    """Every source to every target.

    Attributes
    ----------
    weights
        int8 (targets, sources); sources in the flat C order of the source population.
    """

    weights: np.ndarray
    kind: str = field(default="dense", init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "weights", _int8(self.weights, 2))

    def output_size(self, source_shape: Shape) -> int:
        """Number of targets; raises if `source_shape` does not fit."""
        if prod(source_shape) != self.weights.shape[1]:
            raise ProgramError(
                f"dense weights take {self.weights.shape[1]} sources, not {source_shape}"
            )
        return int(self.weights.shape[0])

    def fan_out(self, source_shape: Shape) -> np.ndarray:
        """Synapses that leave each source neuron, int64 (sources,)."""
        return np.full(prod(source_shape), self.weights.shape[0], np.int64)

    def synapse_count(self, source_shape: Shape) -> int:
        """Number of synapses from a source of that shape."""
        return int(self.weights.size)


@dataclass(frozen=True, eq=False)
class Convolution:
    """Two-dimensional correlation (ONNX ``Conv``), zero-padded.

    Attributes
    ----------
    weights
        int8 (out channels, in channels / groups, kernel height, kernel width).
    stride, dilation
        (vertical, horizontal).
    padding
        (top, left, bottom, right).
    """

    weights: np.ndarray
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)
    dilation: tuple[int, int] = (1, 1)
    groups: int = 1
    kind: str = field(default="convolution", init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "weights", _int8(self.weights, 4))
        _pair("stride", self.stride, 2, 1)
        _pair("padding", self.padding, 4, 0)
        _pair("dilation", self.dilation, 2, 1)
        _pair("groups", (self.groups,), 1, 1)
        if self.weights.shape[0] % self.groups:
            raise ProgramError(
                f"{self.weights.shape[0]} output channels do not split into {self.groups} groups"
            )

    def output_shape(self, source_shape: Shape) -> tuple[int, int, int]:
        """(channels, height, width) of the result; raises if `source_shape` does not fit."""
        if len(source_shape) != 3:
            raise ProgramError(f"a convolution reads (C, H, W), not {source_shape}")
        channels, height, width = source_shape
        if channels != self.weights.shape[1] * self.groups:
            raise ProgramError(
                f"the convolution reads {self.weights.shape[1] * self.groups} channels, "
                f"its source has {channels}"
            )
        top, left, bottom, right = self.padding
        rows = height + top + bottom - self.dilation[0] * (self.weights.shape[2] - 1) - 1
        columns = width + left + right - self.dilation[1] * (self.weights.shape[3] - 1) - 1
        if rows < 0 or columns < 0:
            raise ProgramError(f"the kernel is larger than its padded source {source_shape}")
        return (
            int(self.weights.shape[0]),
            rows // self.stride[0] + 1,
            columns // self.stride[1] + 1,
        )

    def output_size(self, source_shape: Shape) -> int:
        """Number of targets."""
        return prod(self.output_shape(source_shape))

    def stride_within(self, source_shape: Shape) -> tuple[int, int]:
        """The stride, or the padded source's extent if that is less: what lies beyond is alike.

        A file may state a stride of 2^27, of which no table should be made.
        """
        top, left, bottom, right = self.padding
        _, height, width = source_shape
        down, across = self.stride
        return min(down, height + top + bottom), min(across, width + left + right)

    def fan_out(self, source_shape: Shape) -> np.ndarray:
        """Synapses that leave each source neuron, int64 (sources,)."""
        _, out_height, out_width = self.output_shape(source_shape)
        channels, height, width = source_shape

        def taps(size: int, out: int, axis: int, before: int) -> np.ndarray:
            """How many outputs along one axis each input position reaches."""
            count = np.zeros(size, np.int64)
            for tap in range(self.weights.shape[2 + axis]):
                read = np.arange(out) * self.stride[axis] + tap * self.dilation[axis] - before
                count[read[(read >= 0) & (read < size)]] += 1
            return count

        rows = taps(height, out_height, 0, self.padding[0])
        columns = taps(width, out_width, 1, self.padding[1])
        per_position = np.outer(rows, columns) * (self.weights.shape[0] // self.groups)
        return np.broadcast_to(per_position, (channels, height, width)).reshape(-1).copy()

    def synapse_count(self, source_shape: Shape) -> int:
        """Number of synapses from a source of that shape, in closed form: the map may be huge."""
        _, out_height, out_width = self.output_shape(source_shape)
        channels, height, width = source_shape

        def reads(size: int, out: int, axis: int, before: int) -> int:
            """Pairs of an output and a tap along one axis that read inside the source."""
            offset = np.arange(self.weights.shape[2 + axis]) * self.dilation[axis] - before
            first = np.maximum(-(offset // self.stride[axis]), 0)
            last = np.minimum((size - 1 - offset) // self.stride[axis], out - 1)
            return int(np.maximum(last - first + 1, 0).sum())

        rows = reads(height, out_height, 0, self.padding[0])
        columns = reads(width, out_width, 1, self.padding[1])
        return rows * columns * channels * (int(self.weights.shape[0]) // self.groups)


@dataclass(frozen=True, eq=False)
class Sparse:
    """An explicit list of synapses in compressed sparse row form.

    Attributes
    ----------
    weights
        int8 (synapses,).
    columns
        int32 (synapses,), source index of each.
    row_starts
        int64 (targets + 1,), where each target's synapses begin.
    sources
        Number of source neurons.
    """

    weights: np.ndarray
    columns: np.ndarray
    row_starts: np.ndarray
    sources: int
    kind: str = field(default="sparse", init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "weights", _int8(self.weights, 1))
        for name, dtype in (("columns", np.int32), ("row_starts", np.int64)):
            array = np.array(getattr(self, name), copy=True, order="C")
            if array.dtype != dtype or array.ndim != 1:
                raise ProgramError(f"{name} is {np.dtype(dtype)} and flat, not {array.dtype}")
            array.flags.writeable = False
            object.__setattr__(self, name, array)
        _pair("sources", (self.sources,), 1, 1)
        starts, count = self.row_starts, self.weights.size
        if (
            starts.size < 2
            or starts[0] != 0
            or starts[-1] != count
            or np.any(np.diff(starts) < 0)
            or self.columns.size != count
            or (count and (self.columns.min() < 0 or self.columns.max() >= self.sources))
        ):
            raise ProgramError("the sparse synapse lists contradict each other")

    def output_size(self, source_shape: Shape) -> int:
        """Number of targets; raises if `source_shape` does not fit."""
        if prod(source_shape) != self.sources:
            raise ProgramError(f"the synapses take {self.sources} sources, not {source_shape}")
        return int(self.row_starts.size - 1)

    def fan_out(self, source_shape: Shape) -> np.ndarray:
        """Synapses that leave each source neuron, int64 (sources,)."""
        return np.bincount(self.columns, minlength=prod(source_shape)).astype(np.int64)

    def synapse_count(self, source_shape: Shape) -> int:
        """Number of synapses from a source of that shape."""
        return int(self.weights.size)


Synapses = Dense | Convolution | Sparse
