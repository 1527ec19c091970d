"""Messages of small integers as spikes, so that all that is fast for spikes serves them too.

A message of value m is so many spikes at once, and one below 0 spikes whose weights are negated:
its entry lies a table's length behind, where the same table stands with the other sign.
"""

from __future__ import annotations

import numpy as np

from neurodeploy.simulator import kernels
from neurodeploy.simulator.buffers import Take
from neurodeploy.simulator.events import Events

__all__ = ["SPIKES", "Range", "as_units", "can_spread"]

#: Least and most that a source sends.
Range = tuple[int, int]
#: What sources of spikes send.
SPIKES: Range = (0, 1)


def can_spread(sends: Range, weights: np.ndarray) -> bool:
    """Whether messages of a source are few spikes each, through weights that can be negated."""
    low, high = sends
    return (
        low >= -kernels.MOST_UNITS
        and high <= kernels.MOST_UNITS
        and (low >= 0 or weights.min(initial=0) > -128)
    )


def as_units(events: Events, sends: Range, behind: int, take: Take, source: str) -> Events:
    """Entries of a table of weights, one for each spike that a message stands for.

    Parameters
    ----------
    behind
        How far behind the entries of weights those of negated weights are.
    take
        Buffers of the thread.
    source
        Whose messages they are.
    """
    room, key = events.index.size, f" {behind}"
    value = events.value[: events.start[-1]]
    most = max(1, -sends[0], sends[1])
    # kernels read and write some entries beyond the last
    index = take(source, "units" + key, (most * room + kernels.MOST_UNITS,), np.int32)
    if most == 1:
        kernels.turn_units(events.index, value, np.int32(behind), index)
        return Events(index, events.start, events.place)
    start = take(source, "units start" + key, events.start.shape, np.int64)
    place = take(source, "units place" + key, events.place.shape, np.int64)
    kernels.spread_units(
        events.index, events.start, events.place, value, np.int32(behind),
        take("", "units before", (room,), np.int64), index, start, place,
    )  # fmt: skip
    return Events(index, start, place)
