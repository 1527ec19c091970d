"""Tables of `kernels.gather`: the weights of a tile of outputs, one row for each source.

A tile is a run of neighbouring outputs of one row, all channels: a source at distance r from the
tile's first column adds one row of ``tile * outputs`` weights, zeros where it reaches only some
of them. The tile is chosen by a count of the processor's work at a usual activity.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neurodeploy.simulator import kernels
from neurodeploy.simulator.receptive import Receptive, tile_weights

__all__ = ["Gathered", "gathered"]

#: Spikes a neuron and step for which tiles are chosen.
_USUAL_ACTIVITY = 0.05
#: Cycles: for the end of a list (a wrong guess of the loop), for a tile, for an event.
_LIST, _TILE, _EVENT = 20.0, 10.0, 2.0
#: Cycles to add a vector of 512 bits with its table in the first, the second cache, beyond.
_ADD = ((40_000, 1.1), (1_500_000, 1.3), (np.inf, 3.0))
_VECTOR_BYTES = 64
_CYCLES_A_NANOSECOND = 3.0


@dataclass(frozen=True, eq=False)
class Gathered:
    """Arguments of `kernels.gather` that belong to one connection.

    Attributes
    ----------
    table
        int8, flat: (panels, kernel rows, columns reached, channels, lanes).
    geometry
        int64, read by the kernel in this order: source channels, width, height; kernel rows, their
        distance, columns reached; vertical and horizontal stride; padding above and at the left;
        output width, height, channels; outputs a tile, lanes, panels.
    lanes, rows
        Of it: lanes and kernel rows.
    fixed, each
        Estimated nanoseconds of a step without spikes, and of one event.
    """

    table: np.ndarray
    geometry: np.ndarray
    lanes: int
    rows: int
    fixed: float
    each: float


def gathered(field: Receptive, accumulator: type) -> Gathered:
    """Tables of a connection whose currents are of the dtype `accumulator`."""
    channels, height, width = field.source
    rows = field.weights.shape[2]
    tile, lanes = _tile(field, accumulator)
    span, panels = field.span(tile), -(-tile * field.outputs // lanes)
    laid = np.zeros((rows, span, channels, panels * lanes), np.int8)
    laid[..., : tile * field.outputs] = tile_weights(field, tile)
    table = laid.reshape(rows, span, channels, panels, lanes).transpose(3, 0, 1, 2, 4)
    geometry = np.array(
        [
            channels, width, height,
            rows, field.dilation[0], span,
            *field.stride, *field.padding,
            field.out[1], field.out[0], field.outputs,
            tile, lanes, panels,
        ],
        np.int64,
    )  # fmt: skip
    fixed, each = _cycles(field, tile, lanes, accumulator)
    # an event reaches so many tiles on the mean
    reached = rows / field.stride[0] * max(1.0, span / (tile * field.stride[1]))
    return Gathered(
        np.ascontiguousarray(table).reshape(-1),
        geometry,
        lanes,
        rows,
        field.out[0] * -(-field.out[1] // tile) * fixed / _CYCLES_A_NANOSECOND,
        reached * each / _CYCLES_A_NANOSECOND,
    )


def _tile(field: Receptive, accumulator: type) -> tuple[int, int]:
    """Outputs a tile and lanes a vector: those with the fewest estimated cycles an output."""
    best = (np.inf, 1, kernels.LANES[0])
    for tile in (1, 2, 4, 8, 16):
        if tile > 1 and (tile > field.out[1] or tile * field.outputs > kernels.LANES[-1]):
            break
        sources = field.weights.shape[2] * field.span(tile) * field.source[0]
        for lanes in kernels.LANES:
            fixed, each = _cycles(field, tile, lanes, accumulator)
            cycles = fixed + _USUAL_ACTIVITY * sources * each
            best = min(best, (cycles / tile, tile, lanes))
    return best[1], best[2]


def _cycles(field: Receptive, tile: int, lanes: int, accumulator: type) -> tuple[float, float]:
    """Estimated cycles of a tile that nothing reaches, and of each event that reaches it."""
    rows = field.weights.shape[2]
    panels = -(-tile * field.outputs // lanes)
    table = rows * field.span(tile) * field.source[0] * lanes
    add = next(cost for limit, cost in _ADD if table <= limit)
    vectors = max(1.0, lanes * np.dtype(accumulator).itemsize / _VECTOR_BYTES)
    return panels * (_TILE + rows * _LIST), panels * (_EVENT + add * vectors)
