"""Where Lava puts things: tensors are (x, y, channel), connections flat lists of synapses."""

from __future__ import annotations

from math import prod

import numpy as np

from neurodeploy.program import Sparse, Synapses
from neurodeploy.program.triplets import Triplets, triplets

__all__ = ["lava_order", "lava_shape", "row_bound", "triplets", "unique_layers"]

Shape = tuple[int, ...]


def lava_shape(shape: Shape) -> Shape:
    """(W, H, C) for (C, H, W), flat for everything else."""
    return (shape[2], shape[1], shape[0]) if len(shape) == 3 else (prod(shape),)


def lava_order(shape: Shape) -> np.ndarray:
    """Index in C order of each neuron in Lava's order: ``lava = flat[lava_order(shape)]``.

    Returns
    -------
    int64 (neurons,), a permutation.
    """
    index = np.arange(prod(shape))
    return index.reshape(shape).transpose(2, 1, 0).reshape(-1) if len(shape) == 3 else index


def row_bound(synapses: Synapses) -> int:
    """Largest sum of absolute weights over the synapses of one target."""
    weights = np.abs(synapses.weights.astype(np.int64))
    if isinstance(synapses, Sparse):
        sums = np.concatenate([[0], np.cumsum(weights)])
        return int(np.diff(sums[synapses.row_starts]).max(initial=0))
    return int(weights.reshape(weights.shape[0], -1).sum(1).max(initial=0))


def unique_layers(synapses: Triplets) -> list[Triplets]:
    """Split a list with repeated (target, source) pairs into lists without.

    A matrix would add the repeated weights up, and their sum may leave 8 bit.
    """
    rows, columns, weights = synapses
    order = np.lexsort((columns, rows))
    rows, columns, weights = rows[order], columns[order], weights[order]
    same = np.zeros(rows.size, bool)
    same[1:] = (rows[1:] == rows[:-1]) & (columns[1:] == columns[:-1])
    position = np.arange(rows.size)
    first = np.maximum.accumulate(np.where(same, 0, position)) if rows.size else position
    repeat = position - first
    return [
        (rows[repeat == k], columns[repeat == k], weights[repeat == k])
        for k in range(int(repeat.max(initial=0)) + 1)
    ]
