"""What one integer of a population stands for: a step a channel, of least squared error.

The step of a channel is the largest activation it can say over the number of levels. Too small,
and large activations are clipped; too large, and all are rounded coarsely. As in Li et al. (ICML
2021) the least squared error over the samples decides, or that and the number of messages.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Sparing", "StepCurves", "channels_of", "least_squares_steps", "step_curves"]

#: A channel's step is at least this share of its layer's: of the steps of least error, and of those
#: that weigh messages, which make steps of little use coarse by themselves.
FLOOR, SPARING_FLOOR = 0.7, 0.3
#: Shares of the largest activation that the largest level may stand for.
_LEVELS = 1 - 0.01 * np.arange(95)
#: With messages weighed, more than the largest activation as well.
_SPARING_LEVELS = 1.4 - 0.01 * np.arange(135)
#: Channels with fewer activations above zero than this have no statistics of their own.
_FEW = 64


@dataclass(frozen=True)
class Sparing:
    """How errors and messages are weighed.

    Attributes
    ----------
    messages
        int64 (levels + 1,): how many each integer takes.
    gain
        float64 (channels,): squared error of the outputs for one of the channel's neurons.
    price
        Squared error of the outputs, a sample, that a message of the layer may save.
    """

    messages: np.ndarray
    gain: np.ndarray
    price: float = 0.0


@dataclass(frozen=True)
class StepCurves:
    """Errors and messages of a layer by step.

    Attributes
    ----------
    steps
        float64 (candidates, rows); a row is a channel, or all of them.
    error
        float64 (candidates, rows): squared error a sample, times the gain if there is one; inf
        where a step is too fine.
    sent
        float64 (candidates, rows): messages a sample.
    channels
        Of the layer.
    """

    steps: np.ndarray
    error: np.ndarray
    sent: np.ndarray
    channels: int

    @property
    def least(self) -> float:
        """The least error, all channels together."""
        return float(self.error.min(0).sum())

    def at(self, price: float) -> tuple[np.ndarray, float]:
        """Steps (channels,) at that price of a message, and their error."""
        rows = np.arange(self.error.shape[1])
        best = (self.error + price * self.sent).argmin(0)
        steps = self.steps[best, rows]
        if len(steps) != self.channels:
            steps = np.repeat(steps, self.channels)
        return steps, float(self.error[best, rows].sum())


def channels_of(shape: tuple[int, ...]) -> int:
    """Channels of a population: maps have one scale a channel, vectors one a neuron."""
    return shape[0]


def least_squares_steps(
    activations: np.ndarray,
    shape: tuple[int, ...],
    top: int,
    *,
    by_channel: bool,
    sparing: Sparing | None = None,
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
    sparing
        How messages are weighed; None: the steps of least error are taken.

    Returns
    -------
    float64 (channels,); zeros where no activation is above zero.
    """
    curves = step_curves(activations, shape, top, by_channel, sparing)
    return curves.at(0.0 if sparing is None else sparing.price)[0]


def step_curves(
    activations: np.ndarray,
    shape: tuple[int, ...],
    top: int,
    by_channel: bool,
    sparing: Sparing | None = None,
) -> StepCurves:
    """Errors of all steps that are tried, and messages; see `least_squares_steps`."""
    channels = channels_of(shape)
    maps = activations.reshape(len(activations), channels, -1)
    samples = len(activations)
    whole = _curves(maps.reshape(1, -1), top, 8192, channels, samples, sparing)
    if not by_channel or channels == 1 or not whole.steps.any():
        return whole
    layer = float(whole.at(0.0)[0][0])
    flat = np.ascontiguousarray(maps.transpose(1, 0, 2)).reshape(channels, -1)
    own = _curves(flat, top, 1024 if channels <= 512 else 512, channels, samples, sparing)
    few = np.count_nonzero(flat, 1) < _FEW
    least = np.where(few, 1.0, FLOOR if sparing is None else SPARING_FLOOR) * layer
    steps = np.maximum(own.steps, least)
    if sparing is None:
        return StepCurves(steps, own.error, own.sent, channels)
    fine = own.steps < least
    fine[0] = False  # the coarsest is left where all are too fine
    error = np.where(fine, np.inf, own.error)
    return StepCurves(steps, error, own.sent, channels)


def _curves(
    values: np.ndarray, top: int, bins: int, channels: int, samples: int, sparing: Sparing | None
) -> StepCurves:
    """Of each row of values (rows, n), by a histogram of them."""
    rows = len(values)
    largest = values.max(1, initial=0).astype(np.float64)
    scale = np.where(largest > 0, bins / np.where(largest > 0, largest, 1), 0)
    counts = np.empty((rows, bins))
    for row in range(rows):
        place = (values[row] * scale[row]).astype(np.int64)
        counts[row] = np.bincount(np.minimum(place, bins - 1), minlength=bins)
    counts[:, 0] -= np.count_nonzero(values == 0, axis=1)  # silence is exact
    centres = (np.arange(bins) + 0.5) / bins
    levels = _LEVELS if sparing is None else _SPARING_LEVELS
    error, sent = np.empty((len(levels), rows)), np.zeros((len(levels), rows))
    for i, level in enumerate(levels):
        coded = np.clip(np.floor(centres * (top / level) + 0.5), 0, top)
        error[i] = counts @ (coded * (level / top) - centres) ** 2
        if sparing is not None:
            sent[i] = counts @ sparing.messages[coded.astype(np.int64)]
    gain: np.ndarray = np.ones(1) if sparing is None else sparing.gain
    error *= largest**2 * (gain if rows == gain.size else gain.mean()) / samples
    return StepCurves(levels[:, None] * largest / top, error, sent / samples, channels)
