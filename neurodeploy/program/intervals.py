"""What can arrive at a population at one step, from the weights and the ranges of messages."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from neurodeploy.program.neurons.worst_case import Interval
from neurodeploy.program.program import Connection, Program
from neurodeploy.program.weight_sums import weight_sums

__all__ = ["input_interval", "interval", "message_range"]

#: Sums beyond these count as these: far outside 24 bit, and no product of them leaves 64 bit.
_LARGEST_SUM, _LARGEST = 2**38, 2**61


def message_range(program: Program, connection: Connection) -> tuple[int, int]:
    """Lowest and highest payload that a connection can carry, 0 included: no message."""
    low, high = program.sends(connection.source)
    if not connection.graded:
        return 0, int(low < 0 or high > 0)
    return min(low, 0), max(high, 0)


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
    low, high = interval(shape, arriving)
    return np.broadcast_to(low, shape).reshape(-1), np.broadcast_to(high, shape).reshape(-1)


def interval(
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
