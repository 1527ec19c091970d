"""Which values of a network can only be scaled together: channels, across sums and moves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from neurodeploy.network import (
    Activation,
    Add,
    Concat,
    Conv,
    Dense,
    Input,
    Linear,
    Network,
    Output,
    Permute,
    Pool,
)

__all__ = ["Channels", "columns", "rows", "spread_columns", "trace"]

#: The channel that cannot be scaled.
_FIXED = 0
#: A zero, which every scale leaves a zero.
_ANY = -1


@dataclass(frozen=True, eq=False)
class Channels:
    """Channels of a network, by number.

    Attributes
    ----------
    count
        How many.
    fixed
        bool (count,): those that must stay as they are.
    """

    count: int
    fixed: np.ndarray
    _written: Mapping[str, np.ndarray]
    _read: Mapping[str, np.ndarray]

    def written_by(self, name: str) -> np.ndarray:
        """The channel of each row of a layer: output channels, or outputs of a Dense."""
        return self._written[name]

    def read_by(self, name: str) -> np.ndarray:
        """The channel of each column of a layer: input channels, or inputs of a Dense."""
        return self._read[name]


def trace(network: Network) -> Channels:
    """Follow every value from where a layer writes it to where layers read it.

    1. Input and output are fixed, and clipped ReLUs.
    2. A layer's output channels are new ones.
    3. ReLU, Permute and Concat pass them on, element by element; poolings and convolutions make
       all that they read of one input channel one.
    4. What a sum adds becomes one.
    """
    made: dict[str, np.ndarray] = {}  # arrays that broadcast to the shape of the result
    written: dict[str, np.ndarray] = {}
    read: dict[str, np.ndarray] = {}
    pairs: list[tuple[np.ndarray, np.ndarray]] = []
    count = 1

    def join(a: np.ndarray, b: np.ndarray) -> None:
        a, b = np.broadcast_arrays(a, b)
        known = (a != _ANY) & (b != _ANY)
        both = np.unique(a[known] * count + b[known])
        pairs.append((both // count, both % count))

    def by_channel(of: np.ndarray, channels: int) -> np.ndarray:
        """One number a channel; all in it are joined."""
        flat = np.broadcast_to(of, (channels, *of.shape[1:])).reshape(channels, -1)
        first = flat.max(1)
        join(flat, first[:, None])
        return first

    for node in network:
        shape = network.shapes[node.name]
        inputs = network.inputs_of(node.name)
        shapes = [network.shapes[source] for source in inputs]
        sources = [made[source] for source in inputs]
        if isinstance(node, Input):
            made[node.name] = np.zeros((1,) * len(shape), np.int64)
        elif isinstance(node, Linear):
            source = sources[0]
            read[node.name] = (
                by_channel(source, shapes[0][0])
                if isinstance(node, Conv)
                else np.broadcast_to(source, shapes[0]).reshape(-1)
            )
            own = np.arange(count, count + node.weight.shape[0])
            count += own.size
            written[node.name] = own
            made[node.name] = _by_channel(own, shape)
        elif isinstance(node, Pool):
            made[node.name] = _by_channel(by_channel(sources[0], shapes[0][0]), shape)
        elif isinstance(node, Add):
            total = sources[0]
            for other in sources[1:]:
                join(total, other)
                total = np.maximum(total, other)
            made[node.name] = total
        elif isinstance(node, Concat):
            made[node.name] = _joined(sources, shapes, node.axis)
        elif isinstance(node, Permute):
            made[node.name] = _moved(node, np.broadcast_to(sources[0], shapes[0]))
        else:
            clipped = isinstance(node, Activation) and node.maximum is not None
            if clipped or isinstance(node, Output):
                join(sources[0], np.zeros_like(sources[0]))
            made[node.name] = sources[0]
    merged = _merged(count, pairs)
    fixed = np.zeros(int(merged.max()) + 1, bool)
    fixed[merged[_FIXED]] = True
    # what is always zero may be scaled by anything: by the factor of the fixed ones, 1
    lookup = np.append(merged, merged[_FIXED])
    return Channels(
        fixed.size,
        fixed,
        {name: lookup[own] for name, own in written.items()},
        {name: lookup[own] for name, own in read.items()},
    )


def _by_channel(channel: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Numbers of channels, to be broadcast over their maps."""
    return channel.reshape((-1,) + (1,) * (len(shape) - 1))


def _joined(sources: list[np.ndarray], shapes: list[tuple[int, ...]], axis: int) -> np.ndarray:
    """A concatenation; on other axes the arrays stay as small as they are all."""
    common = np.max([source.shape for source in sources], axis=0)
    parts = []
    for source, shape in zip(sources, shapes, strict=True):
        common[axis] = shape[axis]
        parts.append(np.broadcast_to(source, tuple(int(n) for n in common)))
    return np.concatenate(parts, axis)


def _moved(node: Permute, source: np.ndarray) -> np.ndarray:
    flat = source.reshape(-1)
    if node.indices is None:
        return flat.reshape(node.shape)
    return np.where(node.indices < 0, _ANY, flat[node.indices]).reshape(node.shape)


def _merged(count: int, pairs: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """The number of the component of each."""
    a = np.concatenate([pair[0] for pair in pairs] or [np.zeros(0, np.int64)])
    b = np.concatenate([pair[1] for pair in pairs] or [np.zeros(0, np.int64)])
    graph = sparse.coo_matrix((np.ones(a.size, bool), (a, b)), shape=(count, count))
    return connected_components(graph, directed=False)[1]


def rows(array: np.ndarray) -> np.ndarray:
    """Largest magnitude in each row, float64."""
    return np.abs(array.reshape(array.shape[0], prod(array.shape[1:]))).max(1).astype(np.float64)


def columns(network: Network, node: Linear) -> np.ndarray:
    """Largest magnitude among the weights that read each input channel, or input of a Dense.

    Of inputs of a Dense that belong to one channel each has its own number here.
    """
    if isinstance(node, Dense):
        return np.abs(node.weight).max(0, initial=0).astype(np.float64)
    (source,) = network.inputs_of(node.name)
    inputs = network.shapes[source][0]
    split = node.weight.reshape(node.groups, -1, node.weight.shape[1], prod(node.kernel))
    return np.abs(split).max((1, 3)).reshape(inputs).astype(np.float64)


def spread_columns(node: Linear, of: np.ndarray) -> np.ndarray:
    """One number a column, against the layer's weights."""
    if isinstance(node, Dense):
        return of[None]
    out, per_group = node.weight.shape[:2]
    grouped = np.repeat(of.reshape(node.groups, per_group), out // node.groups, axis=0)
    return grouped.reshape((out, per_group) + (1,) * len(node.kernel))
