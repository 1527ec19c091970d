"""What each output of a connection reads: kernel, stride and padding, with pooling taken out.

Pooling that was folded into a layer shows as weights that repeat over windows of sources. The
spikes of such a window are as good as spikes of one source, which makes the connection as much
smaller: its events are moved to (or counted up in) the window's place.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

from neurodeploy.program import Convolution, Dense
from neurodeploy.simulator.layout import internal_order

__all__ = ["Receptive", "receptive", "tile_weights"]


@dataclass(frozen=True, eq=False)
class Receptive:
    """A convolution without groups of a source whose windows are taken together.

    Attributes
    ----------
    weights
        int8 (outputs, channels, kernel rows, kernel columns).
    source
        (channels, height, width), windows taken together.
    out
        (height, width) of the target; (1, 1) where all its neurons are channels.
    stride, dilation, padding
        (vertical, horizontal); padding above and at the left.
    window
        Rows and columns of source positions taken together, (1, 1) for none.
    flat
        Whether all sources count as channels of one position.
    """

    weights: np.ndarray
    source: tuple[int, int, int]
    out: tuple[int, int]
    stride: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)
    window: tuple[int, int] = (1, 1)
    flat: bool = False

    @property
    def outputs(self) -> int:
        """Channels of the target."""
        return int(self.weights.shape[0])

    @property
    def extent(self) -> tuple[int, int]:
        """Rows and columns of the kernel, gaps of dilation counted."""
        (high, wide), (down, across) = self.weights.shape[2:], self.dilation
        return (high - 1) * down + 1, (wide - 1) * across + 1

    def span(self, tile: int) -> int:
        """Source columns that `tile` neighbouring outputs reach."""
        return (tile - 1) * self.stride[1] + self.extent[1]

    def lines(self, tile: int) -> int:
        """Source rows that `tile` neighbouring outputs of a column reach, rows between left out."""
        return (tile - 1) * self.stride[0] + int(self.weights.shape[2])

    @property
    def multiplications(self) -> int:
        """Of one step, computed densely."""
        return int(self.weights.size) * prod(self.out)


def receptive(
    synapses: Convolution | Dense, source: tuple[int, ...], target: tuple[int, ...]
) -> Receptive:
    """Of a convolution without groups, or of a dense connection.

    Parameters
    ----------
    source, target
        Shapes of the populations.
    """
    if isinstance(synapses, Dense):
        return _of_dense(synapses, source, target)
    high, wide = window = _repeated(synapses, source)
    _, out_height, out_width = synapses.output_shape(source)
    down, across = synapses.stride_within(source)
    return Receptive(
        np.ascontiguousarray(synapses.weights[:, :, ::high, ::wide]),
        (source[0], source[1] // high, source[2] // wide),
        (out_height, out_width),
        (down // high, across // wide),
        synapses.dilation,
        (synapses.padding[0] // high, synapses.padding[1] // wide),
        window,
    )


def tile_weights(field: Receptive, tile: tuple[int, int]) -> np.ndarray:
    """Weights from each source in reach to a tile of neighbouring outputs.

    Parameters
    ----------
    tile
        Rows and columns of outputs; several rows only without vertical dilation.

    Returns
    -------
    int8 (rows reached, columns reached, channels, outputs of the tile), 0 where a source reaches
    only some of the outputs.
    """
    outputs, channels, rows, columns = field.weights.shape
    high, wide = tile
    lines = field.lines(high)
    laid = np.zeros((lines, field.span(wide), channels, high, wide, outputs), np.int8)
    for t_y in range(high):
        line = slice(t_y * field.stride[0], t_y * field.stride[0] + rows)
        for t_x in range(wide):
            for column in range(columns):
                at = t_x * field.stride[1] + column * field.dilation[1]
                laid[line, at, :, t_y, t_x] = field.weights[..., column].transpose(2, 1, 0)
    return laid.reshape(*laid.shape[:3], high * wide * outputs)


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


def _of_dense(synapses: Dense, source: tuple[int, ...], target: tuple[int, ...]) -> Receptive:
    """All sources are channels of one position; windows of equal weights are one source."""
    weights = synapses.weights[internal_order(target)]
    window, shape = (1, 1), source
    if len(source) == 3:
        maps = weights.reshape(-1, *source)
        window = _largest_window(maps)
        shape = (source[0], source[1] // window[0], source[2] // window[1])
        weights = maps[:, :, :: window[0], :: window[1]].reshape(len(weights), -1)
    weights = np.ascontiguousarray(weights[:, internal_order(shape)])
    return Receptive(
        weights[:, :, None, None], (prod(shape), 1, 1), (1, 1), window=window, flat=True
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
