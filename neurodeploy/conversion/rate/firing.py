"""Integrate-and-fire neurons on the calibration samples, step by step, all samples at once.

Only what the conversion has to know: no leak, no register ends. In float32, whose integers are
exact up to 2**24.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

__all__ = ["Firing", "Reset", "near_threshold"]

Reset = Literal["signed", "subtract", "zero"]
#: What a spike that subtracts its threshold stands for is at most so many times more or less: a fit
#: that is further off rests on few spikes.
_FARTHEST = 1.4


def near_threshold(worth: np.ndarray, threshold: np.ndarray) -> np.ndarray:
    """What a spike stands for, kept near the threshold that it subtracts; both in real units."""
    return np.clip(worth, threshold / _FARTHEST, threshold * _FARTHEST)


@dataclass(frozen=True, eq=False)
class Firing:
    """Neurons of a layer, in membrane integers.

    Attributes
    ----------
    bias
        float64 (neurons,): added at each step.
    threshold
        float64 (neurons,).
    initial
        float64 (neurons,): membrane at the window's begin.
    reset
        What a spike does: ``subtract`` the threshold, the same with spikes taken back
        (``signed``), or set the membrane to ``zero``.
    strict
        Whether it fires above its threshold only.
    """

    bias: np.ndarray
    threshold: np.ndarray
    initial: np.ndarray
    reset: Reset
    strict: bool = False

    def run(self, currents: np.ndarray, steps: int) -> np.ndarray:
        """Messages int8 (steps, samples, neurons).

        Parameters
        ----------
        currents
            float32 (steps, samples, neurons), or (1, samples, neurons) where they are the same at
            every step.
        """
        samples, neurons = currents.shape[1:]
        bias, threshold = self.bias.astype(np.float32), self.threshold.astype(np.float32)
        v = np.broadcast_to(self.initial.astype(np.float32), (samples, neurons)).copy()
        count = np.zeros((samples, neurons), np.int16)
        sent = np.zeros((steps, samples, neurons), np.int8)
        taken = np.empty_like(v)
        for step in range(steps):
            v += currents[step if len(currents) > 1 else 0]
            v += bias
            fires = v > threshold if self.strict else v >= threshold
            row = sent[step]
            row[:] = fires
            if self.reset == "zero":
                v[fires] = 0
                continue
            if self.reset == "signed":
                row -= (v < 0) & (count > 0)
                count += row
            np.multiply(row, threshold, out=taken)
            v -= taken
        return sent
