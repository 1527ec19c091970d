"""A layer of non-leaky integrate-and-fire neurons over the steps of a batch.

``u <- u + I(t)``; a spike where ``u > threshold``; then u is set to zero, or the threshold
subtracted. A spike is kept as the number of steps since the one before it, or since the start: one
byte holds the spike train and its timing.
"""

from __future__ import annotations

from typing import Literal

import torch

from neurodeploy.errors import UsageError

__all__ = ["MAX_STEPS", "Population", "Reset", "interval_type"]

Reset = Literal["zero", "subtract"]
#: Longest interval that is kept.
MAX_STEPS = 2**15 - 1


def interval_type(steps: int) -> torch.dtype:
    """The smallest integers that hold every interval of so many steps.

    Raises
    ------
    UsageError
    """
    if not 1 <= steps <= MAX_STEPS:
        raise UsageError(f"{steps} steps are outside 1..{MAX_STEPS}", place="steps")
    return torch.uint8 if steps < 2**8 else torch.int16


class Population:
    """The neurons of a layer for a batch, all at rest.

    Attributes
    ----------
    membrane
        u, of the shape and dtype of the first current.
    since
        Steps since the last spike, or since the start.
    """

    def __init__(
        self, shape: torch.Size, like: torch.Tensor, steps: int, threshold: float, reset: Reset
    ) -> None:
        self.threshold, self.reset = threshold, reset
        self.membrane = torch.zeros(shape, dtype=like.dtype, device=like.device)
        self.since = torch.zeros(shape, dtype=interval_type(steps), device=like.device)

    def step(self, current: torch.Tensor, interval: torch.Tensor) -> None:
        """One step.

        Parameters
        ----------
        current
            I(t), of the shape of the population.
        interval
            Is written to: 0 where no neuron fires, else the steps since its spike before.
        """
        self.membrane += current
        self.since += 1
        fired = self.membrane > self.threshold
        torch.mul(self.since, fired, out=interval)
        self.since -= interval
        if self.reset == "zero":
            self.membrane.masked_fill_(fired, 0.0)
        else:
            self.membrane.sub_(fired.to(current.dtype), alpha=self.threshold)
