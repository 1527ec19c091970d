"""A Network computed in plain NumPy, node by node: nothing of the compiler's own way to do it.

`ways` gives what lies between populations as dense matrices, found by sending unit vectors
through the nodes. Everything is float64 (n, *shape); networks must be tiny.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

import numpy as np

from neurodeploy.network import (
    Activation,
    Add,
    Concat,
    Conv,
    Dense,
    Input,
    Network,
    Node,
    Output,
    Permute,
    Pool,
)

__all__ = ["Way", "fires", "linear", "maximum", "run", "ways"]


@dataclass(frozen=True, eq=False)
class Way:
    """One way from a population: its node, and the matrix (targets, sources) without biases."""

    source: str
    matrix: np.ndarray


def fires(node: Node) -> bool:
    """Whether a node is a population, or the readout."""
    return (
        isinstance(node, Output)
        or (isinstance(node, Activation) and node.function == "relu")
        or (isinstance(node, Pool) and node.operation == "max")
    )


def _taps(node: Conv | Pool, x: np.ndarray, fill: float) -> Iterator[tuple[int, np.ndarray]]:
    """For each tap of a sliding window, what it sees at every position: (n, C, *out)."""
    rank = x.ndim - 2
    pads = [(0, 0), (0, 0)]
    pads += [(node.padding[a], node.padding[rank + a]) for a in range(rank)]
    padded = np.pad(x, pads, constant_values=fill)
    out = node.output_shape([x.shape[1:]])[1:]
    for number, tap in enumerate(np.ndindex(*node.kernel)):
        first = [tap[a] * node.dilation[a] for a in range(rank)]
        at = [slice(b, b + (out[a] - 1) * node.stride[a] + 1, node.stride[a])
              for a, b in enumerate(first)]  # fmt: skip
        yield number, padded[(slice(None), slice(None), *at)]


def linear(node: Node, x: np.ndarray) -> np.ndarray:
    """A node of one input without its bias: (n, *shape) to (n, *result)."""
    if isinstance(node, Dense):
        return x.reshape(len(x), -1) @ node.weight.astype(np.float64).T
    if isinstance(node, Permute):
        flat = np.pad(x.reshape(len(x), -1), ((0, 0), (0, 1)))  # index -1 reads the zero
        indices = np.arange(prod(node.shape)) if node.indices is None else node.indices
        return flat[:, indices].reshape(len(x), *node.shape)
    if isinstance(node, Pool):
        mean = np.mean([seen for _, seen in _taps(node, x, 0.0)], axis=0)
        if node.count_include_pad:
            return mean
        inside = [seen for _, seen in _taps(node, np.ones((1, *x.shape[1:])), 0.0)]
        return mean / np.mean(inside, axis=0)
    if isinstance(node, Conv):
        weight = node.weight.astype(np.float64).reshape(*node.weight.shape[:2], -1)
        outputs, inputs = weight.shape[0] // node.groups, weight.shape[1]
        total = np.zeros((len(x), *node.output_shape([x.shape[1:]])))
        for tap, seen in _taps(node, x, 0.0):
            for g in range(node.groups):
                to = slice(g * outputs, (g + 1) * outputs)
                part = seen[:, g * inputs : (g + 1) * inputs]
                total[:, to] += np.einsum("oi,ni...->no...", weight[to, :, tap], part)
        return total
    return x  # an identity, or the output


def maximum(node: Pool, x: np.ndarray, nothing: float = -np.inf) -> np.ndarray:
    """Max pooling; padding says `nothing`."""
    return np.max([seen for _, seen in _taps(node, x, nothing)], axis=0)


def _bias(node: Node, shape: tuple[int, ...]) -> np.ndarray:
    if not isinstance(node, Dense | Conv):
        return np.zeros(shape)
    bias = node.bias.astype(np.float64)
    if bias.shape != shape:  # one a channel
        bias = bias.reshape(-1, *(1,) * (len(shape) - 1))
    return np.broadcast_to(bias, shape)


def run(network: Network, x: np.ndarray) -> dict[str, np.ndarray]:
    """The result of every node, float64 (n, *shape)."""
    values: dict[str, np.ndarray] = {}
    for node in network:
        parts = [values[source] for source in network.inputs_of(node.name)]
        if isinstance(node, Input):
            made = x.astype(np.float64)
        elif isinstance(node, Add):
            made = np.sum(parts, axis=0)
        elif isinstance(node, Concat):
            made = np.concatenate(parts, axis=node.axis + 1)
        elif isinstance(node, Activation) and node.function == "relu":
            made = np.clip(parts[0], 0, node.maximum)
            if node.levels is not None and node.maximum is not None:
                step = node.maximum / node.levels
                made = np.floor(made / step + 0.5) * step
        elif isinstance(node, Pool) and node.operation == "max":
            made = maximum(node, parts[0])
        else:
            made = linear(node, parts[0]) + _bias(node, network.shapes[node.name])
        values[node.name] = made
    return values


def ways(network: Network) -> dict[str, tuple[list[Way], np.ndarray]]:
    """For each population the ways to it, in the order of the graph, and its bias, flat.

    The bias is what reaches it when all populations and the input are zero. A way to a max pooling
    has the matrix of what it pools, before the maximum.
    """
    reached: dict[str, tuple[list[tuple[str, np.ndarray]], np.ndarray]] = {}
    found: dict[str, tuple[list[Way], np.ndarray]] = {}
    for node in network:
        shape = network.shapes[node.name]
        parts = [reached[source] for source in network.inputs_of(node.name)]
        if isinstance(node, Concat):
            joined: list[tuple[str, np.ndarray]] = []
            begin = 0
            for lines, zero in parts:
                at = [slice(None)] * (1 + len(shape))
                at[node.axis + 1] = slice(begin, begin := begin + zero.shape[node.axis])
                for source, image in lines:
                    whole = np.zeros((len(image), *shape))
                    whole[tuple(at)] = image
                    joined.append((source, whole))
            made = joined, np.concatenate([zero for _, zero in parts], axis=node.axis)
        elif isinstance(node, Add):
            made = (
                [line for lines, _ in parts for line in lines],
                np.sum([zero for _, zero in parts], axis=0),
            )
        elif isinstance(node, Input) or fires(node):
            if parts:
                lines, zero = parts[0]
                found[node.name] = (
                    [Way(source, image.reshape(len(image), -1).T) for source, image in lines],
                    zero.reshape(-1),
                )
            unit = np.eye(prod(shape)).reshape(prod(shape), *shape)
            made = [(node.name, unit)], np.zeros(shape)
        else:
            lines, zero = parts[0]
            made = (
                [(source, linear(node, image)) for source, image in lines],
                linear(node, zero[None])[0] + _bias(node, shape),
            )
        reached[node.name] = made
    return found
