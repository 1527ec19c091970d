"""Multi-level firing: several thresholds, a membrane each, a count as message; section 14."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from neurodeploy.program.neurons.arithmetic import clip24, decay, wrap24
from neurodeploy.program.neurons.base import Register, State, StateVariable, Stepped
from neurodeploy.program.neurons.fields import integer, per_neuron, rising
from neurodeploy.program.neurons.lif import (
    BIAS_MANTISSA_MAX,
    BIAS_MANTISSA_MIN,
    STOCK_SHIFT,
    THRESHOLD_MAX,
    Lif,
)
from neurodeploy.program.neurons.mantissa_bias import MantissaBias
from neurodeploy.program.neurons.registry import register
from neurodeploy.program.neurons.worst_case import Bounds, Drive

__all__ = ["MOST_LEVELS", "Levels", "membrane_extremes"]

MOST_LEVELS = 8


@register
@dataclass(frozen=True, eq=False)
class Levels(MantissaBias):
    """As many integrate-and-fire neurons as it has thresholds, of one input; it sends their sum.

    The multi-level firing unit of Feng et al. 2022 (arXiv 2210.06386) in integers. Each level has a
    membrane of its own, which its own spikes set to zero.

    Attributes
    ----------
    bias_mantissa, bias_exponent, dv, shift
        As of `Lif`, the same for all levels.
    thresholds
        Rising: level k fires when its membrane exceeds ``thresholds[k] << shift``.
    """

    bias_mantissa: np.ndarray = per_neuron(
        np.int16,
        BIAS_MANTISSA_MIN,
        BIAS_MANTISSA_MAX,
        tensor="bias",
        bits="13 bit signed",
        usual=(-100, 100),
    )
    thresholds: tuple[int, ...] = rising(0, THRESHOLD_MAX, MOST_LEVELS, usual=(0, 3000))
    bias_exponent: int = integer(0, 7, 0)
    dv: int = integer(0, 4095, 0)
    shift: int = integer(0, STOCK_SHIFT, STOCK_SHIFT)

    kind: ClassVar[str] = "levels"
    description: ClassVar[str] = "multi-level firing: how many thresholds are exceeded"
    states: ClassVar[tuple[StateVariable, ...]] = (
        StateVariable("v", 24, "membrane of the first level"),
        StateVariable("higher", 24, "membranes of the other levels, one row a level"),
    )

    @property
    def sends(self) -> tuple[int, int]:
        """How many levels fired."""
        return 0, len(self.thresholds)

    @property
    def input_shift(self) -> int:
        """`shift`."""
        return self.shift

    @property
    def membrane_scale(self) -> tuple[int, str]:
        """First thresholds."""
        return max(1, self.thresholds[0] << self.shift), "thresholds"

    def registers(self) -> tuple[Register, ...]:
        """Those of each level."""
        return self.level(len(self.thresholds) - 1).registers()

    def level(self, k: int) -> Lif:
        """One level as a neuron of its own; with a `shift` of 6 it is a stock neuron."""
        return Lif(
            bias_mantissa=self.bias_mantissa,
            threshold=self.thresholds[k],
            bias_exponent=self.bias_exponent,
            dv=self.dv,
            shift=self.shift,
        )

    def start(self, neurons: int) -> State:
        """All membranes 0."""
        higher = len(self.thresholds) - 1
        return {"v": np.zeros(neurons, np.int64), "higher": np.zeros((higher, neurons), np.int64)}

    def step(self, state: State, a: np.ndarray, tau: int, period: int) -> Stepped:
        """(i) to (iv) of section 14."""
        if tau == 0:
            state.update(self.start(a.size))
        u, wrapped = wrap24(a << self.shift)
        sent, all_clipped, after = np.zeros(a.size, np.int64), 0, []
        membranes = (state["v"], *state["higher"])
        for v, threshold in zip(membranes, self.thresholds, strict=True):
            v, clipped = clip24(decay(v, self.dv) + u + self.bias)
            fired = v > threshold << self.shift
            after.append(np.where(fired, 0, v))
            sent, all_clipped = sent + fired, all_clipped + clipped
        state["v"] = after[0]
        state["higher"] = np.array(after[1:], np.int64).reshape(-1, a.size)
        return Stepped(sent, wrapped, all_clipped)

    def bounds(self, drive: Drive, period: int) -> Bounds:
        """The highest threshold leaves the membrane the most room, up and down."""
        least, most = drive.extremes
        low, high = drive.limited()
        bias = self.bias.astype(np.int64)
        membrane = membrane_extremes(
            int(((low << self.shift) + bias).min(initial=0)),
            int(((high << self.shift) + bias).max(initial=0)),
            self.dv,
            self.thresholds[-1] << self.shift,
            period,
        )
        return Bounds(drive.extremes, (least << self.shift, most << self.shift), membrane)


def membrane_extremes(low: int, high: int, dv: int, threshold: int, steps: int) -> tuple[int, int]:
    """Lowest and highest membrane over a window, before clipping, of a neuron that resets to zero.

    From 0, ``v := after(decay(v, dv) + drive)``, with `after` 0 above the threshold. Decay and sum
    rise with v, so the extremes follow from the smallest and largest v that a step can leave, step
    by step until they settle.

    Parameters
    ----------
    low, high
        Of the sum of current and bias at one step, membrane units; 0 lies between them.
    threshold
        In membrane units, not negative.
    steps
        Length of the window.
    """
    if dv == 0:
        return steps * low, min(steps * high, threshold + high)
    keep = 4096 - dv
    least, most = low, high
    for _ in range(steps - 1):
        lower = low - ((-least * keep) >> 12)
        upper = high + ((min(most, threshold) * keep) >> 12)
        if (lower, upper) == (least, most):
            break
        least, most = lower, upper
    return least, most
