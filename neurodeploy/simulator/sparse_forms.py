"""Sparse connections that are something simpler: a factor a neuron, or a small convolution.

Skip connections and shortcuts are lists of synapses in a program; as what they are, a library of
dense layers computes them.
"""

from __future__ import annotations

import numpy as np

from neurodeploy.program import Convolution, Dense, Sparse, Synapses

__all__ = ["simpler"]

Shape = tuple[int, ...]


def simpler(
    synapses: Synapses, source: Shape, target: Shape
) -> Dense | Convolution | np.ndarray | None:
    """The same map as a layer; None where a list has no such form.

    1. What is no list: itself.
    2. Each neuron to its counterpart, one weight a channel: a convolution channel by channel.
    3. Each neuron to its counterpart: its weights, int8 (neurons,).
    4. Maps to maps, the same weights at every position, strided or not: a convolution that reads
       one position.
    """
    if not isinstance(synapses, Sparse):
        return synapses
    size = synapses.row_starts.size - 1
    if size == synapses.sources == synapses.weights.size and (
        np.array_equal(synapses.columns, np.arange(size))
        and np.array_equal(synapses.row_starts, np.arange(size + 1))
    ):
        if source == target and len(source) == 3:
            by_channel = synapses.weights.reshape(source[0], -1)
            if (by_channel == by_channel[:, :1]).all():
                kernel = np.ascontiguousarray(by_channel[:, :1, None, None])
                return Convolution(kernel, groups=source[0])
        return synapses.weights
    return _pointwise(synapses, source, target)


def _pointwise(synapses: Sparse, source: Shape, target: Shape) -> Convolution | None:
    if len(source) != 3 or len(target) != 3 or not synapses.weights.size:
        return None
    stride = tuple(-(-source[1 + axis] // target[1 + axis]) for axis in (0, 1))
    rows = np.repeat(np.arange(synapses.row_starts.size - 1), np.diff(synapses.row_starts))
    to, at = np.unravel_index(rows, target), np.unravel_index(synapses.columns, source)
    away = [at[1 + axis] - to[1 + axis] * stride[axis] for axis in (0, 1)]
    if any(one.min() < 0 or one.min() != one.max() or one.max() >= 8 for one in away):
        return None
    offset = int(away[0][0]), int(away[1][0])
    kernel = np.zeros((target[0], source[0], offset[0] + 1, offset[1] + 1), np.int8)
    weights = np.zeros((target[0], source[0]), np.int8)
    weights[to[0], at[0]] = synapses.weights
    count = np.zeros(weights.shape, np.int64)
    np.add.at(count, (to[0], at[0]), 1)
    positions = target[1] * target[2]
    # every pair of channels at every position, once, with one weight
    once = np.unique(rows * np.int64(synapses.sources) + synapses.columns).size == rows.size
    if not (once and (weights[to[0], at[0]] == synapses.weights).all()):
        return None
    if not np.isin(count, (0, positions)).all():
        return None
    kernel[:, :, -1, -1] = weights
    reach = [(target[1 + a] - 1) * stride[a] + offset[a] + 1 for a in (0, 1)]
    padding = [max(0, reach[a] - source[1 + a]) for a in (0, 1)]
    made = Convolution(
        kernel, stride=(stride[0], stride[1]), padding=(0, 0, padding[0], padding[1])
    )
    return made if made.output_shape(source) == target else None
