"""What is known of a layer's activations: their range and, with samples, their histogram."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

__all__ = ["Calibration", "LayerStatistics"]


@dataclass(frozen=True)
class LayerStatistics:
    """Activations of one layer (after ReLU), or what a max pooling passes on.

    Attributes
    ----------
    maximum
        Largest activation seen, or a bound where no samples were given.
    counts
        Histogram over `counts.size` equal bins of 0..maximum; empty without samples. Zeros
        (silent neurons) are not counted.
    mean
        Mean activation of each neuron, of the layer's shape; empty without samples.
    """

    maximum: float
    counts: np.ndarray
    mean: np.ndarray = field(default_factory=lambda: np.zeros(0))

    def percentile(self, percent: float) -> float:
        """Level that `percent` of the non-zero activations do not exceed."""
        if self.counts.sum() == 0:
            return self.maximum
        share = np.cumsum(self.counts) / self.counts.sum()
        width = self.maximum / self.counts.size
        return float((np.searchsorted(share, percent / 100) + 1) * width)

    def least_squares(self, steps: int) -> float:
        """Level with the least squared error of ``steps``-step rate coding (MMSE).

        The grid of Li et al. (ICML 2021): maximum * (1 - 0.01 i), i = 0..94; the rate code of a
        value x at level l is ``clip(floor(x * steps / l + 1/2), 0, steps) * l / steps``.
        """
        if self.counts.sum() == 0:
            return self.maximum
        centres = (np.arange(self.counts.size) + 0.5) * self.maximum / self.counts.size
        best, least = self.maximum, np.inf
        for i in range(95):
            level = self.maximum * (1 - 0.01 * i)
            coded = np.clip(np.floor(centres * steps / level + 0.5), 0, steps) * level / steps
            error = float((self.counts * (coded - centres) ** 2).sum())
            if error < least:
                best, least = level, error
        return float(best)


@dataclass(frozen=True)
class Calibration:
    """Statistics of a whole network.

    Attributes
    ----------
    layers
        By name of the node, an Activation or a max pooling.
    input_range, output_range
        Lowest and highest value at the entrance and the exit.
    samples
        How many samples these come from; 0 for data-free bounds.
    input_mean
        Mean of each input; empty without samples.
    x
        Some of the samples as network inputs, float32 (k, *input shape), for conversions that
        look at the network they make; empty without samples.
    """

    layers: dict[str, LayerStatistics]
    input_range: tuple[float, float]
    output_range: tuple[float, float]
    samples: int
    input_mean: np.ndarray = field(default_factory=lambda: np.zeros(0))
    x: np.ndarray = field(default_factory=lambda: np.zeros(0, np.float32))
