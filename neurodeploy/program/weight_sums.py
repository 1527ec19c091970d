"""Sums of the weights of a connection, a target each: what its sources can bring at most."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from neurodeploy.program.neurons.worst_case import Interval
from neurodeploy.program.synapse import Convolution, Dense, Synapses

__all__ = ["HasWeights", "weight_sums"]


class HasWeights(Protocol):
    """What is read of a connection."""

    @property
    def synapses(self) -> Synapses:
        """Its integers."""

    @property
    def exponent(self) -> int:
        """Their left shift."""


def weight_sums(connection: HasWeights) -> Interval:
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
