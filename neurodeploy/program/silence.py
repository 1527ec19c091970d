"""Populations that are proved silent at the end of each window, because others inhibit them then.

A population that nothing reaches does the same in every window: it is a clock. Where its spikes
inhibit another at the window's last steps by more than all else can excite it, that one sends
nothing then, as if it were quiet (`docs/semantics.md`, section 6).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from neurodeploy.program.neurons import Neuron
from neurodeploy.program.neurons.worst_case import Drive
from neurodeploy.program.triplets import triplets
from neurodeploy.program.weight_sums import weight_sums

__all__ = ["silent_steps"]

#: Entries of all matrices from clocks, and of what they bring in a window.
_MOST_ENTRIES = 2**24


def silent_steps(program: Any, name: str, clocks: Sequence[Any]) -> int:
    """Steps at the end of each window in which a population certainly sends nothing.

    Parameters
    ----------
    program
        A `Program`.
    clocks
        Its connections from populations that nothing reaches and that arrive at lead 0.
    """
    p = program.population(name)
    neuron, period = p.neuron, program.period
    by = [c for c in program.incoming(name) if c in clocks]
    if neuron.quiet_steps or not by:
        return min(neuron.quiet_steps, period)
    entries = sum(p.size * prod(program.shape_of(c.source)) for c in by)
    if max(entries, p.size * period) > _MOST_ENTRIES:
        return 0
    low = high = np.zeros(p.shape, np.int64)
    for c in program.incoming(name):
        lowest, highest = program.sends(c.source)
        if c in clocks:
            lowest = highest = 0
        negative, positive = weight_sums(c)
        if negative.ndim == 1:
            negative, positive = negative.reshape(p.shape), positive.reshape(p.shape)
        lowest, highest = min(lowest, 0), max(highest, 0)
        low = low + negative * highest + positive * lowest
        high = high + positive * highest + negative * lowest
    least, most = (np.broadcast_to(d, p.shape).reshape(-1) for d in (low, high))
    drive = Drive(least, most)
    inhibition = np.zeros((period, p.size), np.int64)
    for c in by:
        source = program.population(c.source)
        matrix = np.zeros((p.size, source.size), np.int64)
        to, at, weights = triplets(c.synapses, source.shape)
        np.add.at(matrix, (to, at), weights.astype(np.int64))
        inhibition += _raster(source.neuron, source.size, period) @ matrix.T << c.exponent
    silent = 0
    for row in inhibition[::-1]:
        if not neuron.is_silenced(drive, row, period):
            break
        silent += 1
    return silent


def _raster(neuron: Neuron, size: int, period: int) -> np.ndarray:
    """What a population that nothing reaches sends in each window, int64 (period, neurons)."""
    state, nothing = neuron.start(size), np.zeros(size, np.int64)
    return np.array([neuron.step(state, nothing, tau, period).messages for tau in range(period)])
