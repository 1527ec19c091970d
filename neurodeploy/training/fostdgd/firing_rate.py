"""The quasi-instantaneous rate of integrate-and-fire neurons, and its slope.

Two spikes that are n steps apart say the rate 1/n. A neuron that a constant current m drives from
rest fires once u > threshold, on average ``threshold/m + 1/2`` steps after its reset to zero: what
lies above the threshold, m/2 on average, is lost. So

    rate = m / (threshold + m/2),   slope = d rate / d m = (1 - rate/2)**2 / threshold.

By subtraction nothing is lost: ``rate = m / threshold`` and ``slope = 1 / threshold``. The interval
still open at the end has the rate its membrane is on the way to, ``max(u, 0) / (threshold n)``;
where u <= 0 the neuron is silent, and its slope is 0. Derived here (`docs/fostdgd.md`).
"""

from __future__ import annotations

import torch

from neurodeploy.training.fostdgd.integrate_and_fire import Population, Reset

__all__ = ["SlopesBackwards", "rate_of_drive", "slope_of_rate"]


def rate_of_drive(drive: torch.Tensor, threshold: float, reset: Reset) -> torch.Tensor:
    """Spikes a step of a neuron that a constant current drives, up to one a step."""
    drive = drive.clamp(min=0)
    if reset == "subtract":
        return (drive / threshold).clamp(max=1)
    return (drive / (threshold + drive / 2)).clamp(max=1)


def slope_of_rate(rate: torch.Tensor, threshold: float, reset: Reset) -> torch.Tensor:
    """Derivative of the rate with respect to the drive, from the rate."""
    if reset == "subtract":
        return torch.full_like(rate, 1 / threshold)
    return rate.mul(-0.5).add_(1).square_().div_(threshold)


class SlopesBackwards:
    """The slope of each step of a layer, from the last step to the first.

    A step has the slope of the interval that holds it, which the spike at its end tells: so time
    runs backwards, and one slope a neuron is all that is remembered.
    """

    def __init__(self, population: Population) -> None:
        self._threshold, self._reset = population.threshold, population.reset
        u = population.membrane
        n = population.since.to(u.dtype).clamp_(min=1)
        rate = u.clamp(0, self._threshold) / (self._threshold * n)
        self._slope = slope_of_rate(rate, self._threshold, self._reset) * (u > 0)

    def __call__(self, intervals: torch.Tensor) -> torch.Tensor:
        """Slopes of the steps before those that were asked for last.

        Parameters
        ----------
        intervals
            (steps, batch, *shape), as `Population.step` writes them.

        Returns
        -------
        Of the same shape, floating.
        """
        rate = intervals.to(self._slope.dtype).clamp_(min=1).reciprocal_()
        closing = slope_of_rate(rate, self._threshold, self._reset)
        fired = intervals > 0
        for t in range(len(intervals) - 1, -1, -1):
            self._slope = torch.where(fired[t], closing[t], self._slope, out=closing[t])
        self._slope = self._slope.clone()  # what is returned is the caller's to write to
        return closing
