"""Extremes of the membrane of an integrate-and-fire neuron over a window, in closed form."""

from __future__ import annotations

import numpy as np

from neurodeploy.program.neurons.worst_case import LARGEST_DRIVE, Interval

__all__ = ["leaky_range", "membrane_range"]


def membrane_range(
    drive: Interval,
    threshold: int,
    reset: str,
    v_initial: int,
    steps: int,
    quiet: bool = False,
) -> tuple[int, int]:
    """Extremes of the membrane of a neuron without leak, before clipping.

    In closed form: a window may have 10^6 steps. Drives beyond 2^31 a step count as 2^31, which
    is far outside the register too.

    Parameters
    ----------
    drive
        Lowest and highest sum of current and bias of one step, membrane units.
    threshold
        In membrane units, not negative.
    steps
        Length of the window.
    quiet
        Whether it keeps silent for some of the steps, whatever its membrane.
    """
    low, high = (np.clip(d, -LARGEST_DRIVE, LARGEST_DRIVE) for d in drive)
    if not low.size:
        return (min(v_initial, 0) if reset != "none" else v_initial), v_initial
    # while it is quiet its membrane grows as if it never fired
    growing = "none" if quiet else reset
    # a higher drive never leads to a lower peak: the highest one decides
    highest = _peak(int(high.max()), threshold, growing, v_initial, steps)
    lowest = _bottom(low, growing, v_initial, steps)
    if growing != reset:  # and then a spike may leave it at zero, from where it falls
        lowest = min(lowest, min(v_initial, 0) + steps * min(int(low.min()), 0))
    return lowest, highest


def leaky_range(drive: Interval, rate: int, initial: int, steps: int) -> Interval:
    """Lowest and highest value of ``x := decay(x, rate) + drive`` over a window, int64 arrays.

    Decay rounds towards zero, so no magnitude is above that of the geometric series; a reset only
    takes away from a magnitude. With a = 1 - rate / 4096: ``max(initial, 0) + drive (1 - a^steps)
    / (1 - a)``.

    Parameters
    ----------
    drive
        Lowest and highest of one step.
    rate
        1..4096.
    """
    keep = 1 - rate / 4096
    total = (1 - keep**steps) / (1 - keep)
    low, high = (np.clip(d, -LARGEST_DRIVE, LARGEST_DRIVE) for d in drive)
    least = min(initial, 0) + np.floor(np.minimum(low, 0) * total).astype(np.int64)
    most = max(initial, 0) + np.ceil(np.maximum(high, 0) * total).astype(np.int64)
    return least, most


def _peak(drive: int, threshold: int, reset: str, v_initial: int, steps: int) -> int:
    """The highest value of ``v := after(v + drive)``, looked at before ``after``.

    With `subtract`, ``after(v) = max(threshold, v - threshold)`` above the threshold, and with
    `zero` it is the threshold there: less input may have left the neuron just below it.
    """
    if drive <= 0:
        return v_initial
    if reset == "none":
        return v_initial + steps * drive
    first = max(1, (threshold - v_initial) // drive + 1)  # step of the first crossing
    if first >= steps:
        return v_initial + steps * drive
    crossing = v_initial + first * drive
    if reset == "zero":
        return max(crossing, threshold + drive)
    # from one crossing to the next it moves by drive - threshold, down to the threshold at least
    left = max(threshold, crossing - threshold)
    gain = max(drive - threshold, 0) * (steps - first - 1)
    return max(crossing, left + drive + gain)


def _bottom(drive: np.ndarray, reset: str, v_initial: int, steps: int) -> int:
    """The lowest value if each step brings the least, over all neurons.

    A spike can leave the membrane at zero (or just above), wherever it came from; so where the
    neuron resets, zero is among the values.
    """
    lowest = v_initial if reset == "none" else min(v_initial, 0)
    falling = drive[drive < 0]
    if not falling.size:
        return lowest
    if reset == "none":
        end = v_initial + steps * falling
    else:
        end = np.minimum(v_initial + falling, 0) + (steps - 1) * falling
    return min(lowest, int(end.min()))
