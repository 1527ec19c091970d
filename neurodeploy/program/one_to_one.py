"""Synapses from each neuron to its counterpart: relays, identity shortcuts."""

from __future__ import annotations

from math import prod

import numpy as np

from neurodeploy.program.synapse import Convolution, Shape, Sparse, Synapses

__all__ = ["one_to_one", "one_to_one_weights"]


def one_to_one(shape: Shape) -> Convolution | Sparse:
    """Synapses of weight 1 between populations of one shape.

    Of maps a convolution channel by channel, which is told by a weight a channel; else a list.
    """
    if len(shape) == 3:
        return Convolution(np.ones((shape[0], 1, 1, 1), np.int8), groups=shape[0])
    size = prod(shape)
    return Sparse(
        np.ones(size, np.int8),
        np.arange(size, dtype=np.int32),
        np.arange(size + 1, dtype=np.int64),
        size,
    )


def one_to_one_weights(synapses: Synapses, source: Shape, target: Shape) -> np.ndarray | None:
    """The weight of each neuron's only synapse, to its counterpart: int8 (neurons,); else None."""
    size = prod(target)
    if source != target:
        return None
    if isinstance(synapses, Convolution):
        one_cell = synapses.weights.shape[1:] == (1, 1, 1) and not any(synapses.padding)
        if not one_cell or synapses.groups != source[0] or synapses.stride != (1, 1):
            return None
        return np.repeat(synapses.weights.reshape(-1), size // source[0])
    if not isinstance(synapses, Sparse):
        return None
    there = np.array_equal(synapses.row_starts, np.arange(size + 1))
    return synapses.weights if there and np.array_equal(synapses.columns, np.arange(size)) else None
