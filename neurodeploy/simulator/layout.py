"""How neurons are numbered inside the engine, and where each message adds its weights.

A population of shape (C, H, W) is numbered channels last: ``(y * W + x) * C + c``. With
stride 1 a spike at column x of its map reaches neighbouring output columns through
neighbouring kernel columns in reverse; with the kernel stored reversed, one kernel row is one
contiguous run of ``kernel width * output channels`` weights. With stride S the kernel columns
fall into S classes of which a source column sees one; each class is a run.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

from neurodeploy.program import Convolution
from neurodeploy.simulator.kernels import WORD

__all__ = [
    "Grouped",
    "Rows",
    "channels_of",
    "convolution_grouped",
    "convolution_rows",
    "internal_order",
    "words_of",
]


def internal_order(shape: tuple[int, ...]) -> np.ndarray:
    """C-order index of each internal neuron number, int64 (neurons,)."""
    index = np.arange(prod(shape))
    if len(shape) != 3:
        return index
    return np.ascontiguousarray(index.reshape(shape).transpose(1, 2, 0)).reshape(-1)


def channels_of(shape: tuple[int, ...]) -> int:
    """Neurons of one position: a population that is not (C, H, W) is a single one."""
    return shape[0] if len(shape) == 3 else prod(shape)


def words_of(size: int) -> int:
    """Words of spikes, a bit a neuron."""
    return -(-size // WORD)


@dataclass(frozen=True)
class Rows:
    """Arguments of `kernels.scatter_rows` after the events."""

    weights: np.ndarray
    channels: int
    position_of: np.ndarray
    y_of: np.ndarray
    x_of: np.ndarray
    row_count: np.ndarray
    row_to: np.ndarray
    row_from: np.ndarray
    run_to: np.ndarray
    run_from: np.ndarray
    run_length: np.ndarray


@dataclass(frozen=True)
class Grouped:
    """Arguments of `kernels.scatter_grouped` after the events."""

    weights: np.ndarray
    channels: int
    width: int
    row_count: np.ndarray
    row_to: np.ndarray
    row_from: np.ndarray
    tap_count: np.ndarray
    tap_to: np.ndarray
    tap_from: np.ndarray
    group_in: int
    group_out: int


def _taps(size: int, out: int, kernel: int, stride: int, dilation: int, before: int) -> list:
    """For each source position along one axis: the (output position, kernel tap) it reaches."""
    reached: list[list[tuple[int, int]]] = [[] for _ in range(size)]
    for tap in range(kernel):
        for position in range(out):
            at = position * stride + tap * dilation - before
            if 0 <= at < size:
                reached[at].append((position, tap))
    return reached


def _table(lists: list, to: int, at: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ragged (output, tap) lists as counts and two padded tables, scaled by `to` and `at`."""
    longest = max((len(entries) for entries in lists), default=0) or 1
    count = np.array([len(entries) for entries in lists], np.int64)
    into = np.zeros((len(lists), longest), np.int64)
    source = np.zeros((len(lists), longest), np.int64)
    for i, entries in enumerate(lists):
        for j, (position, tap) in enumerate(entries):
            into[i, j], source[i, j] = position * to, tap * at
    return count, into, source


def convolution_rows(
    synapses: Convolution, weights: np.ndarray, source_shape: tuple[int, ...]
) -> Rows:
    """Runs of an ungrouped convolution.

    Parameters
    ----------
    weights
        The integer weights, exponent applied, of the shape of `synapses.weights`.
    """
    _, height, width = source_shape
    outputs, out_height, out_width = synapses.output_shape(source_shape)
    down, stride = synapses.stride_within(source_shape)
    dilation = synapses.dilation[1]
    if dilation > 1:  # spread the kernel with zeros: runs need neighbouring columns
        spread = np.zeros(
            (*weights.shape[:3], (weights.shape[3] - 1) * dilation + 1), weights.dtype
        )
        spread[..., ::dilation] = weights
        weights = spread
    kernel_height, kernel_width = weights.shape[2:]

    # kernel columns by class (column % stride), each class reversed
    classes = [range(kernel_width)[r::stride][::-1] for r in range(stride)]
    column_order = [column for members in classes for column in members]
    place = {column: i for i, column in enumerate(column_order)}
    laid = weights[..., column_order].transpose(1, 2, 3, 0)  # in, row, column, out

    rows = _taps(
        height,
        out_height,
        kernel_height,
        down,
        synapses.dilation[0],
        synapses.padding[0],
    )
    row_count, row_to, row_from = _table(rows, out_width * outputs, kernel_width * outputs)
    columns = _taps(width, out_width, kernel_width, stride, 1, synapses.padding[1])
    run_to = np.zeros(width, np.int64)
    run_from = np.zeros(width, np.int64)
    run_length = np.zeros(width, np.int64)
    for x, reached in enumerate(columns):
        if reached:
            position, tap = min(reached)
            run_to[x] = position * outputs
            run_from[x] = place[tap] * outputs
            run_length[x] = len(reached) * outputs
    return Rows(
        np.ascontiguousarray(laid).reshape(weights.shape[1], -1),
        source_shape[0],
        np.repeat(np.arange(height * width, dtype=np.int32), source_shape[0]),
        np.repeat(np.arange(height, dtype=np.int32), width),
        np.tile(np.arange(width, dtype=np.int32), height),
        row_count,
        row_to,
        row_from,
        run_to,
        run_from,
        run_length,
    )


def convolution_grouped(
    synapses: Convolution, weights: np.ndarray, source_shape: tuple[int, ...]
) -> Grouped:
    """Taps of a convolution in groups."""
    channels, height, width = source_shape
    outputs, out_height, out_width = synapses.output_shape(source_shape)
    per_group = outputs // synapses.groups
    group_in, kernel_height, kernel_width = weights.shape[1:]
    split = weights.reshape(synapses.groups, per_group, group_in, kernel_height, kernel_width)
    laid = split.transpose(0, 2, 3, 4, 1)  # group, in, row, column, out
    rows = _taps(
        height,
        out_height,
        kernel_height,
        synapses.stride[0],
        synapses.dilation[0],
        synapses.padding[0],
    )
    columns = _taps(
        width,
        out_width,
        kernel_width,
        synapses.stride[1],
        synapses.dilation[1],
        synapses.padding[1],
    )
    return Grouped(
        np.ascontiguousarray(laid).reshape(channels, -1),
        channels,
        width,
        *_table(rows, out_width * outputs, kernel_width * per_group),
        *_table(columns, outputs, per_group),
        group_in,
        per_group,
    )
