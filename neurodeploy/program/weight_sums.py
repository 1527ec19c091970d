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
    low, high = (
        _sums(connection.synapses, cut(connection.synapses.weights, 0)) << connection.exponent
        for cut in (np.minimum, np.maximum)
    )
    return low, high


def _sums(synapses: Synapses, weights: np.ndarray) -> np.ndarray:
    """Sums a target of weights that are laid out as those of the synapses."""
    if isinstance(synapses, Dense):
        return weights.sum(1, dtype=np.int64)
    if isinstance(synapses, Convolution):
        return weights.sum((1, 2, 3), dtype=np.int64).reshape(-1, 1, 1)
    starts = synapses.row_starts
    some = np.diff(starts) > 0
    total = np.zeros(some.size, np.int64)
    if some.any():
        total[some] = np.add.reduceat(weights, starts[:-1][some], dtype=np.int64)
    return total
