"""What some samples did."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

__all__ = ["Run"]


@dataclass
class Run:
    """What some samples did, by population.

    Attributes
    ----------
    spikes
        int64 (samples,).
    operations
        int64 (connections, samples): synaptic operations, connections in program order.
    membranes
        int32 (samples, steps kept, neurons), C order, of the populations recorded.
    fired
        int64 (samples, neurons), C order: how often each neuron fired; empty unless asked for.
    rasters
        Step (from 0) and neuron (C order) of each spike, by step, of the samples in a row; empty
        unless asked for.
    wrapped, clipped
        Overflows that really happened.
    unsettled
        Neurons times samples whose integer is not that of the closed form (`Neuron.unsettled`), of
        the populations that it may happen to.
    messages
        int32 (samples, period, neurons), C order: what was sent at each step of the window, of the
        populations asked for.
    """

    spikes: dict[str, np.ndarray]
    operations: np.ndarray
    membranes: dict[str, np.ndarray]
    wrapped: dict[str, int]
    clipped: dict[str, int]
    fired: dict[str, np.ndarray] = field(default_factory=dict)
    rasters: dict[str, list[tuple[np.ndarray, np.ndarray]]] = field(default_factory=dict)
    messages: dict[str, np.ndarray] = field(default_factory=dict)
    unsettled: dict[str, int] = field(default_factory=dict)
