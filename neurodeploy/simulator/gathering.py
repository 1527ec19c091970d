"""Tables of `kernels.gather`: the weights of a tile of outputs, one row for each source.

A tile is a run of neighbouring outputs of one row, all channels: a source at distance r from the
tile's first column adds one row of ``tile * outputs`` weights, zeros where it reaches only some
of them. The tile is chosen by a count of the processor's work at a usual activity.

Pooling folded into a layer (each weight repeated over windows of sources) is taken out again:
the spikes of a window are moved to one position, and the table holds each weight once.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

from neurodeploy.program import Convolution, Dense
from neurodeploy.simulator import kernels
from neurodeploy.simulator.layout import internal_order

__all__ = ["Gathered", "gathered"]

#: Spikes a neuron and step for which tiles are chosen.
_USUAL_ACTIVITY = 0.05
#: Cycles: for the end of a list (a wrong guess of the loop), for a tile, for an event.
_LIST, _TILE, _EVENT = 20.0, 10.0, 2.0
#: Cycles to add a vector of 512 bits with its table in the first, the second cache, beyond.
_ADD = ((40_000, 1.1), (1_500_000, 1.5), (np.inf, 3.0))
_VECTOR_BYTES = 64


@dataclass(frozen=True)
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
    window
        Rows and columns of source positions taken together beforehand, (1, 1) for none.
    flat
        Whether all sources count as one position.
    weights
        int8 (outputs, channels, kernel rows, kernel columns), of the pooled source.
    dilation
        (vertical, horizontal).
    """

    table: np.ndarray
    geometry: np.ndarray
    window: tuple[int, int]
    flat: bool
    weights: np.ndarray
    dilation: tuple[int, int]


def gathered(
    synapses: Convolution | Dense,
    source: tuple[int, ...],
    target: tuple[int, ...],
    accumulator: type,
) -> Gathered:
    """Tables of a convolution without groups, or of a dense connection.

    Parameters
    ----------
    source, target
        Shapes of the populations.
    accumulator
        dtype of the currents.
    """
    if isinstance(synapses, Dense):
        return _dense(synapses, source, target, accumulator)
    window = _repeated(synapses, source)
    high, wide = window
    channels, height, width = source[0], source[1] // high, source[2] // wide
    _, out_height, out_width = synapses.output_shape(source)
    return _laid_out(
        synapses.weights[:, :, ::high, ::wide],
        (channels, height, width),
        (out_height, out_width),
        (synapses.stride[0] // high, synapses.stride[1] // wide),
        synapses.dilation,
        (synapses.padding[0] // high, synapses.padding[1] // wide),
        window,
        accumulator,
    )


def _repeated(synapses: Convolution, source: tuple[int, ...]) -> tuple[int, int]:
    """The window that a strided kernel repeats its weights over, (1, 1) if it does not."""
    weights, (high, wide) = synapses.weights, synapses.stride
    sizes = (*weights.shape[2:], *source[1:], *synapses.padding)
    fits = not any(n % s for n, s in zip(sizes, (high, wide) * 4, strict=True))
    if fits and synapses.dilation == (1, 1) and _is_repeated(weights, high, wide):
        return high, wide
    return 1, 1


def _is_repeated(weights: np.ndarray, high: int, wide: int) -> bool:
    """Whether windows of `high` x `wide` of the last two axes hold one weight each."""
    rows, columns = weights.shape[-2:]
    split = weights.reshape(*weights.shape[:-2], rows // high, high, columns // wide, wide)
    return bool((split == split[..., :, :1, :, :1]).all())


def _dense(
    synapses: Dense, source: tuple[int, ...], target: tuple[int, ...], accumulator: type
) -> Gathered:
    """All sources are channels of one position; windows of equal weights are one source."""
    weights = synapses.weights[internal_order(target)]
    window = (1, 1)
    shape = source
    if len(source) == 3:
        maps = weights.reshape(-1, *source)
        window = _largest_window(maps)
        shape = (source[0], source[1] // window[0], source[2] // window[1])
        weights = maps[:, :, :: window[0], :: window[1]].reshape(weights.shape[0], -1)
    weights = weights[:, internal_order(shape)]
    return _laid_out(
        np.ascontiguousarray(weights)[:, :, None, None],
        (prod(shape), 1, 1),
        (1, 1),
        (1, 1),
        (1, 1),
        (0, 0),
        window,
        accumulator,
        flat=True,
    )


def _largest_window(maps: np.ndarray) -> tuple[int, int]:
    """The largest window over which the weights of flattened maps repeat."""
    rows, columns = maps.shape[-2:]
    sizes = [
        (high, wide)
        for high in range(1, rows + 1)
        for wide in range(1, columns + 1)
        if rows % high == 0 and columns % wide == 0
    ]
    for high, wide in sorted(sizes, key=prod, reverse=True):
        if _is_repeated(maps[:1], high, wide) and _is_repeated(maps, high, wide):
            return high, wide
    return 1, 1


def _laid_out(
    weights: np.ndarray,
    source: tuple[int, int, int],
    out: tuple[int, int],
    stride: tuple[int, int],
    dilation: tuple[int, int],
    padding: tuple[int, int],
    window: tuple[int, int],
    accumulator: type,
    *,
    flat: bool = False,
) -> Gathered:
    outputs, channels, rows, columns = weights.shape
    reach = (columns - 1) * dilation[1] + 1
    tile, lanes = _tile(outputs, channels, rows, reach, stride[1], out[1], accumulator)
    span = (tile - 1) * stride[1] + reach
    panels = -(-tile * outputs // lanes)
    laid = np.zeros((rows, span, channels, panels * lanes), np.int8)
    for t in range(tile):
        for column in range(columns):
            at = t * stride[1] + column * dilation[1]
            laid[:, at, :, t * outputs : (t + 1) * outputs] = weights[..., column].transpose(
                2, 1, 0
            )
    table = laid.reshape(rows, span, channels, panels, lanes).transpose(3, 0, 1, 2, 4)
    geometry = np.array(
        [
            channels, source[2], source[1],
            rows, dilation[0], span,
            *stride, *padding,
            out[1], out[0], outputs,
            tile, lanes, panels,
        ],
        np.int64,
    )  # fmt: skip
    return Gathered(
        np.ascontiguousarray(table).reshape(-1),
        geometry,
        window,
        flat,
        np.ascontiguousarray(weights),
        dilation,
    )


def _tile(
    outputs: int,
    channels: int,
    rows: int,
    reach: int,
    stride: int,
    out_width: int,
    accumulator: type,
) -> tuple[int, int]:
    """Outputs a tile and lanes a vector: those with the fewest estimated cycles an output."""
    best = (np.inf, 1, kernels.LANES[0])
    for tile in (1, 2, 4, 8, 16):
        if tile > 1 and (tile > out_width or tile * outputs > kernels.LANES[-1]):
            break
        span = (tile - 1) * stride + reach
        for lanes in kernels.LANES:
            panels = -(-tile * outputs // lanes)
            table = rows * span * channels * lanes
            add = next(cost for limit, cost in _ADD if table <= limit)
            vectors = max(1.0, lanes * np.dtype(accumulator).itemsize / _VECTOR_BYTES)
            events = _USUAL_ACTIVITY * rows * span * channels
            cycles = _TILE + rows * _LIST + events * (_EVENT + add * vectors)
            best = min(best, (panels * cycles / tile, tile, lanes))
    return best[1], best[2]
