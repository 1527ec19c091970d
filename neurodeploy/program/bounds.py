"""Worst cases of every accumulator, proved from the integer weights (interval arithmetic).

A bound holds for every input the encoder can send and every spike pattern, so a program
whose bounds stay inside the registers can neither wrap nor clip.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from neurodeploy.program.neuron import (
    CURRENT_LIMIT,
    MEMBRANE_LIMIT,
    NO_CURRENT_MEMORY,
    Earliest,
    Lif,
    Neuron,
    Ttfs,
)
from neurodeploy.program.program import INPUT, Connection, Program
from neurodeploy.program.synapse import Convolution, Dense

__all__ = [
    "Bounds",
    "Interval",
    "bounds",
    "input_interval",
    "membrane_range",
    "message_range",
    "neuron_bounds",
    "synaptic_range",
    "weight_sums",
]

#: Lowest and highest value, int64 arrays of equal shape.
Interval = tuple[np.ndarray, np.ndarray]
#: Sums beyond these count as these: far outside 24 bit, and no product of them leaves 64 bit.
_LARGEST_SUM, _LARGEST, _LARGEST_DRIVE = 2**38, 2**61, 2**31


@dataclass(frozen=True)
class Bounds:
    """Worst cases of one population.

    Attributes
    ----------
    synaptic
        Lowest and highest input a of one step, over all neurons.
    current
        Of u, before wrapping; None when the current has memory (no bound computed).
    membrane
        Of v, before clipping; None when no bound is computed (leak, current memory).
    """

    synaptic: tuple[int, int]
    current: tuple[int, int] | None
    membrane: tuple[int, int] | None

    @property
    def cannot_wrap(self) -> bool:
        """Proved: u never leaves 24 bit."""
        return (
            self.current is not None
            and self.current[0] > -CURRENT_LIMIT
            and self.current[1] <= CURRENT_LIMIT
        )

    @property
    def cannot_clip(self) -> bool:
        """Proved: v never reaches its limits."""
        return (
            self.membrane is not None
            and self.membrane[0] >= -MEMBRANE_LIMIT
            and self.membrane[1] <= MEMBRANE_LIMIT
        )


def weight_sums(connection: Connection) -> Interval:
    """Sum of negative and of positive weights a target (int64; a channel for convolutions).

    Shapes (targets,), or (channels, 1, 1) for a convolution: borders are covered by it.
    """
    synapses = connection.synapses
    w = synapses.weights.astype(np.int64) << connection.exponent
    negative, positive = np.minimum(w, 0), np.maximum(w, 0)
    if isinstance(synapses, Dense):
        return negative.sum(1), positive.sum(1)
    if isinstance(synapses, Convolution):
        return (
            negative.sum((1, 2, 3)).reshape(-1, 1, 1),
            positive.sum((1, 2, 3)).reshape(-1, 1, 1),
        )
    rows = np.repeat(np.arange(synapses.row_starts.size - 1), np.diff(synapses.row_starts))
    low = np.zeros(synapses.row_starts.size - 1, np.int64)
    high = np.zeros_like(low)
    np.add.at(low, rows, negative)
    np.add.at(high, rows, positive)
    return low, high


def message_range(program: Program, connection: Connection) -> tuple[int, int]:
    """Lowest and highest payload that a connection can carry."""
    if connection.source == INPUT and connection.graded:
        return program.encoder.message_range
    return 0, 1


def input_interval(
    shape: tuple[int, ...], arriving: Iterable[tuple[Connection, tuple[int, int]]]
) -> Interval:
    """Lowest and highest input of one step for each neuron, int64 (neurons,).

    Parameters
    ----------
    shape
        Of the population.
    arriving
        Its incoming connections, each with the range of its payload.
    """
    low, high = _interval(shape, arriving)
    return np.broadcast_to(low, shape).reshape(-1), np.broadcast_to(high, shape).reshape(-1)


def _interval(
    shape: tuple[int, ...], arriving: Iterable[tuple[Connection, tuple[int, int]]]
) -> Interval:
    """`input_interval` in the smallest arrays that broadcast to `shape`.

    A convolution has one sum a channel, however large its map: a file of a few kB may state a
    map of 10^8 positions.
    """
    low = high = np.zeros((1,) * len(shape), np.int64)
    for connection, (least, most) in arriving:
        negative, positive = (
            np.clip(w, -_LARGEST_SUM, _LARGEST_SUM) for w in weight_sums(connection)
        )
        if negative.ndim == 1:
            negative, positive = negative.reshape(shape), positive.reshape(shape)
        low = np.clip(low + negative * most + positive * least, -_LARGEST, _LARGEST)
        high = np.clip(high + positive * most + negative * least, -_LARGEST, _LARGEST)
    return low, high


def synaptic_range(program: Program, name: str) -> Interval:
    """`input_interval` of a population of a program."""
    return input_interval(program.population(name).shape, _arriving(program, name))


def _arriving(program: Program, name: str) -> list[tuple[Connection, tuple[int, int]]]:
    return [(c, message_range(program, c)) for c in program.incoming(name)]


def membrane_range(
    drive: Interval, threshold: int, reset: str, v_initial: int, steps: int
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
    """
    low, high = (np.clip(d, -_LARGEST_DRIVE, _LARGEST_DRIVE) for d in drive)
    if not low.size:
        return (min(v_initial, 0) if reset != "none" else v_initial), v_initial
    # a higher drive never leads to a lower peak: the highest one decides
    highest = _peak(int(high.max()), threshold, reset, v_initial, steps)
    return _bottom(low, threshold, reset, v_initial, steps), highest


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


def _bottom(drive: np.ndarray, threshold: int, reset: str, v_initial: int, steps: int) -> int:
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
    elif reset == "zero":
        end = np.minimum(v_initial + falling, 0) + (steps - 1) * falling
    else:
        # it fires at step t while v_initial + t * drive > t * threshold
        spikes = np.clip(-(-v_initial // (threshold - falling)) - 1, 0, steps)
        end = v_initial + steps * falling - spikes * threshold
    return min(lowest, int(end.min()))


def neuron_bounds(neuron: Neuron, synaptic: Interval, steps: int) -> Bounds:
    """Worst cases of a population whose input range is known."""
    low, high = synaptic
    extremes = (int(low.min(initial=0)), int(high.max(initial=0)))
    if isinstance(neuron, Earliest):
        return Bounds(extremes, (0, 0), (0, 0))
    if isinstance(neuron, Ttfs):
        return _ttfs_bounds(neuron, low, high, extremes, steps)
    return _lif_bounds(neuron, low, high, extremes, steps)


def _ttfs_bounds(
    neuron: Ttfs, low: np.ndarray, high: np.ndarray, extremes: tuple[int, int], steps: int
) -> Bounds:
    """Each source fires once a window: u is a sum of weights, v at most `steps` times that.

    v grows with u at every step, so what it reaches if all come at the first step, or only
    the positive or only the negative ones do, bounds it at every step.
    """
    bias = neuron.bias.astype(np.int64)
    low, high = (np.clip(d, -_LARGEST_DRIVE, _LARGEST_DRIVE) for d in (low, high))
    least = np.minimum(bias, bias + low * steps)
    most = np.maximum(bias, bias + high * steps)
    membrane = (int(least.min(initial=0)), int(most.max(initial=0)))
    return Bounds(extremes, extremes, membrane)


def _lif_bounds(
    neuron: Lif, low: np.ndarray, high: np.ndarray, extremes: tuple[int, int], steps: int
) -> Bounds:
    if neuron.du != NO_CURRENT_MEMORY:
        return Bounds(extremes, None, None)
    current = (extremes[0] << neuron.shift, extremes[1] << neuron.shift)
    if neuron.dv != 0:
        return Bounds(extremes, current, None)
    bias = neuron.bias.astype(np.int64)
    low, high = (np.clip(d, -_LARGEST_DRIVE, _LARGEST_DRIVE) for d in (low, high))
    drive = ((low << neuron.shift) + bias, (high << neuron.shift) + bias)
    membrane = membrane_range(
        drive, neuron.threshold << neuron.shift, neuron.reset, neuron.v_initial, steps
    )
    return Bounds(extremes, current, membrane)


def bounds(program: Program) -> dict[str, Bounds]:
    """Worst cases of every population of an aligned program over one period, by name."""
    found = {}
    for p in program.populations:
        low, high = _interval(p.shape, _arriving(program, p.name))
        if p.neuron.size is not None:  # it has biases, so the file is as large as the population
            low, high = (np.broadcast_to(d, p.shape).reshape(-1) for d in (low, high))
        proof = neuron_bounds(p.neuron, (low, high), program.period)
        if isinstance(p.neuron, Ttfs) and not _fires_once(program, p.name):
            proof = Bounds(proof.synaptic, None, None)
        found[p.name] = proof
    return found


def _fires_once(program: Program, name: str) -> bool:
    """Whether everything that reaches a population fires at most once a window."""
    for connection in program.incoming(name):
        if connection.source == INPUT:
            if program.encoder.encoding != "ttfs":
                return False
        elif isinstance(program.population(connection.source).neuron, Lif):
            return False
    return program.is_aligned
