"""Tables of `kernels.gather`: the weights of a tile of outputs, one row for each source.

A tile is a run of neighbouring outputs of one or two rows, all channels: each source in reach adds
one row of weights, zeros where it reaches only some of them. The tile is chosen by a count of the
processor's work at the activity that was seen first.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from math import prod

import numpy as np

from neurodeploy.simulator import kernels
from neurodeploy.simulator.buffers import aligned
from neurodeploy.simulator.estimates import VECTOR_BYTES, Estimate, cost_at, estimate_of
from neurodeploy.simulator.receptive import Receptive, tile_weights

__all__ = ["Gathered", "gathered"]

#: Cycles: for the end of a list (a wrong guess of the loop), for a tile, for an event.
_LIST, _TILE, _EVENT = 20.0, 30.0, 0.8
#: Cycles to add a vector of 512 bits, by the bytes of the table: first cache, second, beyond.
_ADD = ((49_152, 0.5), (200_000, 0.58), (1_500_000, 0.72), (np.inf, 3.0))
#: Cycles to copy a vector of sums to its rows.
_COPY = 10.0


@dataclass(frozen=True, eq=False)
class Gathered:
    """Arguments of `kernels.gather` that belong to one connection.

    Attributes
    ----------
    table
        int8, flat: (panels, rows reached, columns reached, channels, lanes); the lanes as
        `kernels.sums.sum_rows` takes them for the currents' dtype. Where messages may be negative,
        all of it once more with the other sign.
    geometry
        int64, read by the kernel in this order: source channels, width, height; rows reached, their
        distance, columns reached; vertical and horizontal stride; padding above and at the left;
        output width, height, channels; columns of a tile, lanes, panels, rows of a tile.
    behind
        How many rows behind those of the weights those of the negated weights are.
    lanes, rows
        Of it: lanes, and rows reached.
    estimate
        What it takes.
    """

    table: np.ndarray
    geometry: np.ndarray
    behind: int
    lanes: int
    rows: int
    estimate: Estimate


def gathered(
    field: Receptive, accumulator: type, activity: float, signed: bool = False
) -> Gathered:
    """Tables of a connection.

    Parameters
    ----------
    accumulator
        dtype of the currents.
    activity
        Spikes a source and step that the tile is chosen for.
    signed
        Whether messages may be negative.
    """
    channels, height, width = field.source
    tile, lanes = _tile(field, accumulator, activity)
    outputs = prod(tile) * field.outputs
    lines, span, panels = field.lines(tile[0]), field.span(tile[1]), -(-outputs // lanes)
    laid = np.zeros((lines, span, channels, panels * lanes), np.int8)
    laid[..., :outputs] = tile_weights(field, tile)
    table = aligned((1 + signed, panels, lines, span, channels, lanes), np.int8)
    table[0] = laid.reshape(lines, span, channels, panels, lanes).transpose(3, 0, 1, 2, 4)
    if signed:
        np.negative(table[0], out=table[1])  # none is -128 (`units.can_spread`)
    if accumulator is np.int16:
        table = _paired(table)
    geometry = np.array(
        [
            channels, width, height,
            lines, field.dilation[0], span,
            *field.stride, *field.padding,
            field.out[1], field.out[0], field.outputs,
            tile[1], lanes, panels, tile[0],
        ],
        np.int64,
    )  # fmt: skip
    fixed, each = _cycles(field, tile, lanes, accumulator)
    tiles = -(-field.out[0] // tile[0]) * -(-field.out[1] // tile[1])
    # an event reaches so many tiles on the mean
    reached = lines / (tile[0] * field.stride[0]) * max(1.0, span / (tile[1] * field.stride[1]))
    estimate = estimate_of(tiles * fixed, reached * each)
    behind = panels * lines * span * channels
    return Gathered(table.reshape(-1), geometry, behind, lanes, lines, estimate)


def _paired(table: np.ndarray) -> np.ndarray:
    """Rows of weights, int8 (..., lanes), laid out for sums of 16 bits."""
    half = table.shape[-1] // 2
    pairs = aligned(table.shape, np.int8)
    # a byte plus 128, unsigned, differs from the signed one in its sign bit
    pairs[..., ::2] = table[..., :half] ^ np.int8(-kernels.PAIRED_BIAS)
    pairs[..., 1::2] = table[..., half:]
    return pairs


def _tile(field: Receptive, accumulator: type, activity: float) -> tuple[tuple[int, int], int]:
    """Outputs a tile and lanes a vector: those with the fewest estimated cycles an output."""
    best = (np.inf, (1, 1), kernels.LANES[0])
    for tile in product((1, 2), (1, 2, 4, 8, 16)):
        outputs = prod(tile) * field.outputs
        too_large = outputs > kernels.LANES[-1] or tile[0] > field.out[0] or tile[1] > field.out[1]
        if tile != (1, 1) and (too_large or (tile[0] > 1 and field.dilation[0] > 1)):
            continue
        sources = field.lines(tile[0]) * field.span(tile[1]) * field.source[0]
        for lanes in kernels.LANES:
            if tile[0] > 1 and lanes < outputs:  # rows of outputs come from one vector
                continue
            fixed, each = _cycles(field, tile, lanes, accumulator)
            cycles = fixed + activity * sources * each
            best = min(best, (cycles / prod(tile), tile, lanes))
    return best[1], best[2]


def _cycles(
    field: Receptive, tile: tuple[int, int], lanes: int, accumulator: type
) -> tuple[float, float]:
    """Estimated cycles of a tile that nothing reaches, and of each event that reaches it."""
    lines = field.lines(tile[0])
    panels = -(-prod(tile) * field.outputs // lanes)
    table = lines * field.span(tile[1]) * field.source[0] * lanes
    add = cost_at(table, _ADD)
    vectors = max(1.0, lanes * np.dtype(accumulator).itemsize / VECTOR_BYTES)
    copied = _COPY * vectors if tile[0] > 1 else 0.0
    return panels * (_TILE + lines * _LIST + copied), panels * (_EVENT + add * vectors)
