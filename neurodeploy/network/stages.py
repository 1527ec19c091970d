"""A Network cut at its activations: stages, and the linear operators between them.

A stage becomes a population. What lies between two stages (layers, poolings, additions,
concatenations, moves) is linear, so it is one operator for each pair of stages plus one bias for
each neuron, computed exactly by sending zero through the network.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import reduce
from math import prod
from typing import Literal

import numpy as np
from scipy import sparse

from neurodeploy.errors import UnsupportedError
from neurodeploy.network import (
    Activation,
    Conv,
    Delay,
    Network,
    Node,
    Output,
    Permute,
    Pool,
    Shape,
    Spiking,
)
from neurodeploy.network.between import Between, is_max
from neurodeploy.network.delayed_ways import DelayedWays, Way, depths
from neurodeploy.network.matrix import as_matrix
from neurodeploy.network.operators import (
    Operator,
    apply_operator,
    chain_operator,
    operator_matrix,
    population_shape,
    two_dimensional,
)
from neurodeploy.program import INPUT

__all__ = [
    "READOUT",
    "RELAY",
    "Operator",
    "Path",
    "Stage",
    "apply_operator",
    "operator_matrix",
    "population_shape",
    "stages",
]

#: Name of the population that the decoder reads.
READOUT = "output"
#: How the names of populations end that schemes add to repeat others; no stage's name does.
RELAY = ".relay"


@dataclass(frozen=True, eq=False)
class Path:
    """The linear operator from one stage (or the input) to another.

    Attributes
    ----------
    source
        Name of the stage, or ``"input"``.
    operator
        Conv, Dense, or a sparse matrix (targets, sources); biases in it are void.
    delay
        Steps that the network's own delays on the way add up to.
    """

    source: str
    operator: Operator
    delay: int = 0


@dataclass(frozen=True, eq=False)
class Stage:
    """One population to be.

    Attributes
    ----------
    name
        Of the layer whose result it fires, or `READOUT`.
    kind
        ``relu``; ``spiking``: its neuron is stated; ``max``: a max pooling, its operator a
        convolution with weights of 1; or ``readout``, which the decoder reads.
    activation
        Name of the Network's node with the same values: an Activation, or the max pooling; empty
        for the readout.
    shape
        (C, H, W) or (N,).
    bias
        float64, flat.
    maximum
        Clip of the activation, or None.
    depth
        Longest way from the input, in connections; a step of a delay on the way makes up for one.
    levels
        Of the activation's staircase, or None where it has none.
    neuron
        Of a spiking activation, else None.
    like
        Another stage whose integers stand for the same; empty for none.
    """

    name: str
    kind: Literal["relu", "spiking", "max", "readout"]
    activation: str
    shape: Shape
    paths: tuple[Path, ...]
    bias: np.ndarray
    maximum: float | None
    depth: int
    levels: int | None = None
    neuron: Spiking | None = None
    like: str = ""

    @property
    def is_readout(self) -> bool:
        """Whether the decoder reads it."""
        return self.kind == "readout"


def stages(network: Network, *, max_pooling: bool = False) -> tuple[Stage, ...]:
    """The stages of a network, sources first; the readout last.

    Where the output is what a spiking activation sends, there is no readout: that stage is last.

    Parameters
    ----------
    max_pooling
        Whether the scheme has a neuron that takes the maximum.

    Raises
    ------
    UnsupportedError
        A node that is not linear between two activations (max pooling, unless `max_pooling`);
        ReLUs and spiking activations in one network; a cycle of more layers than steps.
    """
    _check_one_kind(network)
    found: list[Stage] = []
    read: dict[str, tuple[str, list[tuple[str, list[Node]]]]] = {}  # node before a stage, its ways
    names: dict[str, str] = {network.input.name: INPUT}
    linear = Between(network, max_pooling)
    for node in network:
        if isinstance(node, Delay):
            linear.begin(node)
            continue
        is_pool = max_pooling and is_max(node)
        if not (_fires(node) or is_pool or isinstance(node, Output)):
            linear.add(node)
            continue
        (source,) = network.inputs_of(node.name)
        if isinstance(node, Output) and isinstance(network[source], Spiking):
            spikes = next(stage for stage in found if stage.activation == source)
            found.append(found.pop(found.index(spikes)))
            continue
        own = node.name if is_pool else READOUT if isinstance(node, Output) else source
        paths: tuple[Path, ...] = ()
        if is_pool:
            pooled = _pooled(network, node, linear.ways(source))
            paths = (replace(pooled, source=names[pooled.source]),)
        name = _unique(own, names.values(), isinstance(node, Output))
        read[name] = source, linear.ways(source)
        found.append(
            Stage(
                name=name,
                kind=_kind(node),
                activation="" if isinstance(node, Output) else node.name,
                shape=population_shape(network.shapes[node.name]),
                paths=paths,
                bias=np.zeros(prod(network.shapes[node.name]))
                if is_pool
                else linear.response_to_zero(source).reshape(-1),
                maximum=node.maximum if isinstance(node, Activation) else None,
                depth=0,
                levels=node.levels if isinstance(node, Activation) else None,
                neuron=node if isinstance(node, Spiking) else None,
            )
        )
        names[node.name] = name
        linear.begin(node)
    delays = DelayedWays(network, linear)
    complete = []
    for stage in found:
        source, ways = read[stage.name]
        complete.append(
            stage
            if stage.paths
            else replace(stage, paths=_paths(network, delays.through(ways), names, source))
        )
    deep = depths({s.name: [(path.source, path.delay) for path in s.paths] for s in complete})
    return tuple(replace(stage, depth=deep[stage.name]) for stage in complete)


def _paths(
    network: Network, ways: list[Way], names: dict[str, str], source: str
) -> tuple[Path, ...]:
    """One operator for each way back from a node to a stage or the input."""
    result = network.shapes[source]
    return tuple(
        Path(
            names[way.start],
            chain_operator(network.shapes[way.start], way.chain, result),
            way.delay,
        )
        for way in ways
    )


def _pooled(network: Network, node: Node, ways: list[tuple[str, list[Node]]]) -> Path:
    """What a max pooling reads: the start of the way, and the windows over it.

    The start must be a population itself, or the input; on the way its elements may be moved.
    """
    ((start, chain), *others) = ways
    place = f"node {node.name!r} (MaxPool)"
    if others or not all(isinstance(step, Permute) for step in chain):
        raise UnsupportedError(
            "max pooling of sums that may be negative: a spike time has no sign",
            place=place,
            remedy="put a ReLU between the layer and the pooling, without a batch norm of "
            "negative scale between them",
        )
    moves = [step for step in chain if isinstance(step, Permute) and step.indices is not None]
    if any(bool((move.indices < 0).any()) for move in moves if move.indices is not None):
        raise UnsupportedError(
            "max pooling of the input with zeros around it: no spike of the input says 0",
            place=place,
            remedy="pad in the pooling itself (pads), or put a layer with a ReLU before it",
        )
    windows = _ones(network, node, start if not moves else None)
    if moves:
        moved = reduce(
            lambda done, move: as_matrix(move, (done.shape[0],)) @ done,
            moves,
            sparse.identity(prod(network.shapes[start]), format="csr"),
        )
        windows = (windows @ moved).tocsr()
        windows.data[:] = 1.0  # where a window sees an element twice
    return Path(start, windows)


def _ones(network: Network, node: Node, start: str | None) -> Operator:
    """The windows of a max pooling as a convolution channel by channel.

    A matrix on volumes, and where no population of that shape (`start`) is pooled.
    """
    assert isinstance(node, Pool)
    (source,) = network.inputs_of(node.name)
    shape = network.shapes[source]
    channels = shape[0]
    ones = np.ones((channels, 1, *node.kernel), np.float32)
    zeros = np.zeros(channels, np.float32)
    conv = Conv(node.name, ones, zeros, node.stride, node.padding, node.dilation, channels)
    fits = start and population_shape(network.shapes[start]) == population_shape(shape)
    return two_dimensional(conv) if fits and len(shape) <= 3 else as_matrix(conv, shape)


def _fires(node: Node) -> bool:
    relu = isinstance(node, Activation) and node.function == "relu"
    return relu or isinstance(node, Spiking)


def _kind(node: Node) -> Literal["relu", "spiking", "max", "readout"]:
    if isinstance(node, Spiking):
        return "spiking"
    if isinstance(node, Activation):
        return "relu"
    return "readout" if isinstance(node, Output) else "max"


def _check_one_kind(network: Network) -> None:
    """Refuse a network of which a part spikes: an activation's rate is no spike of a neuron."""
    spiking = [node.name for node in network if isinstance(node, Spiking)]
    delays = [node.name for node in network if isinstance(node, Delay)]
    if delays and not spiking:
        raise UnsupportedError(
            "delays a network that does not spike: it has no time",
            place=f"node {delays[0]!r}",
            remedy="remove the delay",
        )
    relus = [node.name for node in network if _fires(node) and not isinstance(node, Spiking)]
    if spiking and relus:
        raise UnsupportedError(
            f"mixes ReLUs ({relus[0]!r}) and spiking activations ({spiking[0]!r})",
            place=f"node {relus[0]!r}",
            remedy="train it with one of them",
        )


def _unique(name: str, taken: Iterable[str], readout: bool) -> str:
    """The name, or the name with a number; `READOUT` and `RELAY` are kept for what they name."""
    used = {*taken, INPUT} | (set() if readout else {READOUT})
    candidate, count = name, 2
    while candidate in used or candidate.endswith(RELAY):
        candidate, count = f"{name}_{count}", count + 1
    return candidate
