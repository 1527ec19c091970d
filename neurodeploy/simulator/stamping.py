"""Tables of `kernels.stamp`: what a spike adds to all outputs that it reaches.

The outputs that one source reaches lie in a few rows of the target, in each a run of neighbouring
positions, all channels. A run is padded with zeros to whole vectors, and moved at the edges such
that it stays in its row; sources whose runs hold the same weights in the same places share them.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from math import prod

import numpy as np

from neurodeploy.simulator import kernels
from neurodeploy.simulator.buffers import aligned
from neurodeploy.simulator.estimates import VECTOR_BYTES, Estimate, cost_at, estimate_of
from neurodeploy.simulator.receptive import Receptive

__all__ = ["Stamped", "can_stamp", "estimated", "stamped"]

#: Bytes of a table beyond which there is none: each spike would wait for memory.
_TABLE_BYTES_MAX = 4_000_000
#: Cycles: for an event, a run of weights.
_EVENT, _RUN = 6.0, 2.0
#: Cycles to add a vector of 512 bits, by the bytes of the table: first cache, second, beyond.
_ADD = ((49_152, 0.8), (131_072, 1.3), (1_500_000, 1.75), (np.inf, 4.0))
#: Cycles to clear a vector of currents.
_CLEAR = 4.0


@dataclass(frozen=True, eq=False)
class Stamped:
    """Arguments of `kernels.stamp` that belong to one connection.

    Attributes
    ----------
    table
        Integers of the currents' dtype, flat: (kinds of position, channels, rows reached, run).
        Where messages may be negative, all of it once more with the other sign.
    where
        int64 (source positions, 3): the output where a source's first run begins, where the runs of
        its kind of position begin in `table`, and how many it has. Where messages may be negative,
        as many rows again, for the negated weights.
    geometry
        int64, read by the kernel in this order: source channels; rows reached; pieces of a run,
        lanes of a piece; outputs of a row.
    behind
        Sources: so many entries behind a source stands the one of its negative messages.
    """

    table: np.ndarray
    where: np.ndarray
    geometry: np.ndarray
    behind: int


@dataclass(frozen=True)
class _Runs:
    """How the runs lie.

    Attributes
    ----------
    rows, columns
        Most that one source reaches.
    pieces, lanes
        Of a run.
    """

    rows: int
    columns: int
    pieces: int
    lanes: int

    @property
    def length(self) -> int:
        """Weights, zeros counted."""
        return self.pieces * self.lanes


def can_stamp(field: Receptive, accumulator: type, signed: bool = False) -> bool:
    """Whether `stamped` has a table: for maps wider than a run, and of a bounded size."""
    runs = _runs(field)
    if field.flat or runs.length > field.out[1] * field.outputs:
        return False
    kinds = field.stride[0] * len(_columns(field, runs)[2])
    entries = kinds * field.source[0] * runs.rows * runs.length * (1 + signed)
    return entries * np.dtype(accumulator).itemsize <= _TABLE_BYTES_MAX


def estimated(field: Receptive, accumulator: type) -> Estimate:
    """What it takes, by a count of the processor's work; no table is made."""
    runs, width = _runs(field), np.dtype(accumulator).itemsize
    # sources away from the edges share one kind
    table = prod(field.stride) * field.source[0] * runs.rows * runs.length * width
    add = cost_at(table, _ADD)
    fixed = _CLEAR * prod(field.out) * field.outputs * width / VECTOR_BYTES
    run = runs.pieces * (_RUN + add * runs.lanes * width / VECTOR_BYTES)
    each = _EVENT + runs.rows * run
    return estimate_of(fixed, each)


def stamped(field: Receptive, accumulator: type, exponent: int, signed: bool = False) -> Stamped:
    """Tables of a connection.

    Parameters
    ----------
    accumulator
        dtype of the currents.
    exponent
        Weights are shifted left by it.
    signed
        Whether messages may be negative.
    """
    runs, (channels, height, width) = _runs(field), field.source
    begin, kind_of, kinds = _columns(field, runs)
    shape = field.stride[0], len(kinds), channels, runs.rows, runs.length
    both = aligned((1 + signed, *shape), accumulator)
    both[:] = 0
    table = both[0]
    kernel = _expanded(field).astype(accumulator) << exponent
    for y, (k, (x, moved)) in product(range(field.stride[0]), enumerate(kinds)):
        # an output further on reads the source by an earlier tap
        taps = kernel[:, :, y :: field.stride[0], x :: field.stride[1]][:, :, ::-1, ::-1]
        high, wide = taps.shape[2:]
        laid = taps.transpose(1, 2, 3, 0).reshape(channels, high, wide * field.outputs)
        # what a remainder lacks, it lacks at the first outputs
        at = (runs.columns - wide) * field.outputs + moved
        first, end = (min(max(n, 0), runs.length) for n in (at, at + laid.shape[2]))
        table[y, k, :, runs.rows - high :, first:end] = laid[:, :, first - at : end - at]
    if signed:
        np.negative(table, out=both[1])
    last, remainder = np.divmod(np.arange(height) + field.padding[0], field.stride[0])
    above = last - (runs.rows - 1)
    top, bottom = np.maximum(above, 0), np.minimum(last + 1, field.out[0])
    pitch = field.out[1] * field.outputs
    where = np.empty((height, width, 3), np.int64)
    where[..., 0] = top[:, None] * pitch + begin
    where[..., 1] = (remainder[:, None] * len(kinds) + kind_of) * table[0, 0].size
    where[..., 1] += ((top - above) * runs.length)[:, None]
    where[..., 2] = np.maximum(bottom - top, 0)[:, None]
    geometry = [channels, runs.rows, runs.pieces, runs.lanes, pitch]
    places = where.reshape(-1, 3)
    if signed:
        places = np.concatenate([places, places + np.array([0, table.size, 0])])
    return Stamped(both.reshape(-1), places, np.array(geometry, np.int64), prod(field.source))


def _runs(field: Receptive) -> _Runs:
    rows, columns = (-(-n // stride) for n, stride in zip(field.extent, field.stride, strict=True))
    return _Runs(rows, columns, *_cut(columns * field.outputs))


def _cut(weights: int) -> tuple[int, int]:
    """So many weights as pieces, and the lanes of each: what adds up soonest."""
    cuts = ((-(-weights // lanes), lanes) for lanes in kernels.STAMPED)
    return min(cuts, key=lambda cut: cut[0] * (_RUN + cut[1] * 2 / VECTOR_BYTES))


def _columns(field: Receptive, runs: _Runs) -> tuple[np.ndarray, np.ndarray, list[tuple[int, int]]]:
    """Of source columns: where in a row their runs begin, and of which kind they are.

    Returns
    -------
    int64 (columns,) twice, and of each kind the remainder of its columns, padding counted, by the
    stride, and how far its weights lie behind the beginning of the run.
    """
    last, remainder = np.divmod(np.arange(field.source[2]) + field.padding[1], field.stride[1])
    due = (last - (runs.columns - 1)) * field.outputs
    begin = np.clip(due, 0, field.out[1] * field.outputs - runs.length)
    kinds, kind_of = np.unique(
        np.stack([remainder, due - begin], axis=1), axis=0, return_inverse=True
    )
    return begin, kind_of.reshape(-1), [(int(x), int(moved)) for x, moved in kinds]


def _expanded(field: Receptive) -> np.ndarray:
    """The kernel (outputs, channels, rows, columns), with zeros where dilation leaves gaps."""
    kernel = np.zeros((*field.weights.shape[:2], *field.extent), np.int8)
    kernel[:, :, :: field.dilation[0], :: field.dilation[1]] = field.weights
    return kernel
