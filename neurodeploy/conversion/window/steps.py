"""What one integer of a population stands for: a step a channel, of least squared error.

The step of a channel is the largest activation it can say over the number of levels. Too small,
and large activations are clipped; too large, and all are rounded coarsely. As in Li et al. (ICML
2021) the least squared error over the samples decides.
"""

from __future__ import annotations

import numpy as np

__all__ = ["channels_of", "least_squares_steps"]

#: A channel's step is at least this share of its layer's. Finer ones make more spikes and do not
#: make outputs better: on ResNet-8 and ResNet-20, 1/16 to 0.85 were tried (docs/radix.md).
FLOOR = 0.7
#: Of the least squared error of a channel: so much is given for fewer messages.
SLACK = 1.1
#: Steps that are tried.
_LEVELS = 95
#: Channels with fewer activations above zero than this have no statistics of their own.
_FEW = 64


def channels_of(shape: tuple[int, ...]) -> int:
    """Channels of a population: maps have one scale a channel, vectors one a neuron."""
    return shape[0]


def least_squares_steps(
    activations: np.ndarray,
    shape: tuple[int, ...],
    top: int,
    *,
    by_channel: bool,
    messages: np.ndarray | None = None,
) -> np.ndarray:
    """The step of each channel.

    Parameters
    ----------
    activations
        float32 (samples, neurons), not negative.
    shape
        Of the population.
    top
        Number of levels above zero.
    by_channel
        Whether each channel has its own; else all have the layer's.
    messages
        How many each integer 0..`top` takes: of the steps whose error is within `SLACK` of the
        least, the one with the fewest messages is taken. None: the one of least error.

    Returns
    -------
    float64 (channels,); zeros where no activation is above zero.
    """
    channels = channels_of(shape)
    maps = activations.reshape(len(activations), channels, -1)
    whole = _least_squares(maps.reshape(1, -1), top, 8192, messages)
    if not by_channel or channels == 1 or not whole[0]:
        return np.repeat(whole, channels)
    flat = np.ascontiguousarray(maps.transpose(1, 0, 2)).reshape(channels, -1)
    own = _least_squares(flat, top, 1024 if channels <= 512 else 512, messages)
    few = np.count_nonzero(flat, 1) < _FEW
    own[few] = np.maximum(own[few], whole[0])
    return np.maximum(own, whole[0] * FLOOR)


def _least_squares(
    values: np.ndarray, top: int, bins: int, messages: np.ndarray | None = None
) -> np.ndarray:
    """Step of each row of values (rows, n): maximum * (1 - 0.01 i) / top, i = 0..94."""
    rows = len(values)
    largest = values.max(1, initial=0).astype(np.float64)
    scale = np.where(largest > 0, bins / np.where(largest > 0, largest, 1), 0)
    counts = np.empty((rows, bins))
    for row in range(rows):
        place = (values[row] * scale[row]).astype(np.int64)
        counts[row] = np.bincount(np.minimum(place, bins - 1), minlength=bins)
    counts[:, 0] -= np.count_nonzero(values == 0, axis=1)  # silence is exact
    centres = (np.arange(bins) + 0.5) / bins
    levels = 1 - 0.01 * np.arange(_LEVELS)
    error, sent = np.empty((_LEVELS, rows)), np.zeros((_LEVELS, rows))
    for i, level in enumerate(levels):
        coded = np.clip(np.floor(centres * (top / level) + 0.5), 0, top)
        error[i] = counts @ (coded * (level / top) - centres) ** 2
        if messages is not None:
            sent[i] = counts @ messages[coded.astype(np.int64)]
    allowed = error <= error.min(0) * (1 if messages is None else SLACK)
    best = levels[np.where(allowed, sent, np.inf).argmin(0)]
    return best * largest / top
