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
from typing import Literal, TypeAlias

import numpy as np
from scipy import sparse

from neurodeploy.errors import UnsupportedError
from neurodeploy.network import (
    Activation,
    Add,
    Concat,
    Conv,
    Dense,
    Input,
    Linear,
    Network,
    Node,
    Output,
    Permute,
    Pool,
    Shape,
)
from neurodeploy.network.compose import apply_linear, bias_map, compose, is_reshape
from neurodeploy.network.concat_branches import embed, narrowed
from neurodeploy.network.correlate import correlate
from neurodeploy.network.matrix import as_matrix, is_linear
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

Operator: TypeAlias = "Dense | Conv | sparse.csr_matrix"


@dataclass(frozen=True, eq=False)
class Path:
    """The linear operator from one stage (or the input) to another.

    Attributes
    ----------
    source
        Name of the stage, or ``"input"``.
    operator
        Conv, Dense, or a sparse matrix (targets, sources); biases in it are void.
    """

    source: str
    operator: Operator


@dataclass(frozen=True, eq=False)
class Stage:
    """One population to be.

    Attributes
    ----------
    name
        Of the layer whose result it fires, or `READOUT`.
    kind
        ``relu``; ``max``: a max pooling, its operator a convolution with weights of 1; or
        ``readout``, which the decoder reads.
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
        Longest way from the input, in connections.
    """

    name: str
    kind: Literal["relu", "max", "readout"]
    activation: str
    shape: Shape
    paths: tuple[Path, ...]
    bias: np.ndarray
    maximum: float | None
    depth: int

    @property
    def is_readout(self) -> bool:
        """Whether the decoder reads it."""
        return self.kind == "readout"


def operator_matrix(operator: Operator, shape: Shape) -> sparse.csr_matrix:
    """An operator as a matrix (targets, sources); `shape` is that of its source."""
    return as_matrix(operator, shape) if isinstance(operator, Dense | Conv) else operator


def apply_operator(operator: Operator, x: np.ndarray) -> np.ndarray:
    """What an operator makes of one sample, without a matrix where it is a convolution.

    Parameters
    ----------
    x
        In the shape of the operator's source.

    Returns
    -------
    float64 (targets,), flat; biases left out.
    """
    if isinstance(operator, Conv):
        return correlate(operator, x).reshape(-1)
    flat = x.reshape(-1).astype(np.float64)
    if isinstance(operator, Dense):
        return operator.weight.astype(np.float64) @ flat
    return operator @ flat


def population_shape(shape: Shape) -> Shape:
    """(C, H, W) for maps (one-dimensional ones get height 1), (N,) for everything else."""
    if len(shape) == 3:
        return shape
    if len(shape) == 2:
        return (shape[0], 1, shape[1])
    return (prod(shape),)


def stages(network: Network, *, max_pooling: bool = False) -> tuple[Stage, ...]:
    """The stages of a network, sources first; the readout last.

    Parameters
    ----------
    max_pooling
        Whether the scheme has a neuron that takes the maximum.

    Raises
    ------
    UnsupportedError
        A node that is not linear between two activations (max pooling, unless `max_pooling`).
    """
    found: list[Stage] = []
    depth: dict[str, int] = {network.input.name: 0}
    names: dict[str, str] = {network.input.name: INPUT}
    linear = _Linear(network, max_pooling)
    for node in network:
        is_pool = max_pooling and _is_max(node)
        if not (_is_relu(node) or is_pool or isinstance(node, Output)):
            linear.add(node)
            continue
        (source,) = network.inputs_of(node.name)
        ways = linear.ways(source)
        if is_pool:
            own = node.name
            pooled = _pooled(network, node, ways)
            paths: tuple[Path, ...] = (replace(pooled, source=names[pooled.source]),)
        else:
            own = READOUT if isinstance(node, Output) else source
            paths = tuple(
                Path(names[start], _operator(network.shapes[start], chain, network.shapes[source]))
                for start, chain in ways
            )
        stage = Stage(
            name=_unique(own, names.values(), isinstance(node, Output)),
            kind="max" if is_pool else "relu" if isinstance(node, Activation) else "readout",
            activation="" if isinstance(node, Output) else node.name,
            shape=population_shape(network.shapes[node.name]),
            paths=paths,
            bias=np.zeros(prod(network.shapes[node.name]))
            if is_pool
            else linear.response_to_zero(source).reshape(-1),
            maximum=node.maximum if isinstance(node, Activation) else None,
            depth=1 + max(depth[start] for start, _ in ways),
        )
        depth[node.name], names[node.name] = stage.depth, stage.name
        linear.begin(node)
        found.append(stage)
    return tuple(found)


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
    return _two_dimensional(conv) if fits and len(shape) <= 3 else as_matrix(conv, shape)


def _is_max(node: Node) -> bool:
    return isinstance(node, Pool) and node.operation == "max"


def _is_relu(node: Node) -> bool:
    return isinstance(node, Activation) and node.function == "relu"


def _unique(name: str, taken: Iterable[str], readout: bool) -> str:
    """The name, or the name with a number; `READOUT` and `RELAY` are kept for what they name."""
    used = {*taken, INPUT} | (set() if readout else {READOUT})
    candidate, count = name, 2
    while candidate in used or candidate.endswith(RELAY):
        candidate, count = f"{name}_{count}", count + 1
    return candidate


#: Ways from stages to one node; sums of sums of one activation double them each time.
_MAX_WAYS = 1024

#: The nodes of a way, the last one first.
_Chain: TypeAlias = "tuple[_Chain, Node] | None"


class _Linear:
    """What lies between stages, met in topological order.

    For each node the ways back to stages or the input, and what it computes when all of these are
    zero (which is the exact bias of what follows). Both are dropped when no reader is left.
    """

    def __init__(self, network: Network, max_pooling: bool) -> None:
        self.network, self.max_pooling = network, max_pooling
        self._ways: dict[str, list[tuple[str, _Chain]]] = {}
        self._zero: dict[str, np.ndarray] = {}
        self._readers: dict[str, int] = {}

    def begin(self, node: Node) -> None:
        """A stage or the input: ways begin here."""
        self._keep(node, [(node.name, None)], np.zeros(self.network.shapes[node.name]))

    def add(self, node: Node) -> None:
        """A node between stages.

        Raises
        ------
        UnsupportedError
            It is not linear, or stages reach it in too many ways.
        """
        if isinstance(node, Input):
            self.begin(node)
            return
        sources = self.network.inputs_of(node.name)
        moves: list[Node | None] = [None] * len(sources)
        if isinstance(node, Concat):
            moves = list(_parts(self.network, node))
        elif not isinstance(node, Activation | Add):
            _check_linear(node)
            moves = [node]
        ways = [
            (start, chain if move is None else (chain, move))
            for source, move in zip(sources, moves, strict=True)
            for start, chain in self._ways[source]
        ]
        if len(ways) > _MAX_WAYS:
            raise UnsupportedError(
                f"is reached from activations in {len(ways)} ways (limit {_MAX_WAYS})",
                place=f"node {node.name!r}",
                remedy="do not add an activation to itself again and again: scale it",
            )
        self._keep(node, ways, self._response(node, [self._zero[s] for s in sources]))
        for source in set(sources):
            self._read(source)

    def ways(self, name: str) -> list[tuple[str, list[Node]]]:
        """Every way back from a node to a stage or the input: (start, nodes passed)."""
        return [(start, _unrolled(chain)) for start, chain in self._ways[name]]

    def response_to_zero(self, name: str) -> np.ndarray:
        """What a node that a stage reads computes when every activation and the input are zero."""
        found = self._zero[name]
        self._read(name)
        return found

    def _keep(self, node: Node, ways: list[tuple[str, _Chain]], zero: np.ndarray) -> None:
        self._ways[node.name], self._zero[node.name] = ways, zero
        self._readers[node.name] = len(self.network.consumers_of(node.name))

    def _read(self, name: str) -> None:
        self._readers[name] -= 1
        if self._readers[name] == 0:
            del self._ways[name], self._zero[name]

    def _response(self, node: Node, parts: list[np.ndarray]) -> np.ndarray:
        if isinstance(node, Add):
            return np.sum(parts, axis=0)
        if isinstance(node, Concat):
            return np.concatenate(parts, axis=node.axis)
        if isinstance(node, Activation):
            return parts[0]
        if not parts[0].any():
            return bias_map(node, parts[0].shape)
        return apply_linear(node, parts[0])


def _unrolled(chain: _Chain) -> list[Node]:
    nodes: list[Node] = []
    while chain is not None:
        chain, node = chain
        nodes.append(node)
    return nodes[::-1]


def _check_linear(node: Node) -> None:
    if _is_max(node):
        raise UnsupportedError(
            "max pooling is not linear",
            place=f"node {node.name!r} (MaxPool)",
            remedy="write it as ReLUs first (passes.MaxPoolingAsReLUs)",
        )
    if not is_linear(node):
        raise UnsupportedError(
            f"a {type(node).__name__} node cannot become synapses", place=f"node {node.name!r}"
        )


def _parts(network: Network, node: Concat) -> list[Permute]:
    """For each input of a Concat the move that puts it into the joined result, zero elsewhere."""
    shape = network.shapes[node.name]
    moves: list[Permute] = []
    offset = 0
    for source in network.inputs_of(node.name):
        part = network.shapes[source]
        moves.append(embed(f"{node.name}.{source}", part, shape, node.axis, offset))
        offset += part[node.axis]
    return moves


def _operator(shape: Shape, chain: list[Node], result: Shape) -> Operator:
    """One operator for a chain of linear nodes: Conv or Dense where possible, else a matrix."""
    start = shape
    merged: list[tuple[Node, Shape]] = []  # with the shape each one reads
    for node in narrowed(chain, shape):
        if merged and (both := compose(merged[-1][0], node, merged[-1][1])) is not None:
            merged[-1] = (both, merged[-1][1])
        else:
            merged.append((node, shape))
        shape = node.output_shape([shape])
    real = [(node, reads) for node, reads in merged if not is_reshape(node)]
    if len(real) == 1 and isinstance(real[0][0], Linear):
        node, reads = real[0]
        if isinstance(node, Dense):
            return node
        assert isinstance(node, Conv)
        fits = population_shape(start) == population_shape(reads)
        lands = population_shape(node.output_shape([reads])) == population_shape(result)
        if fits and lands and len(reads) in (2, 3):
            return _two_dimensional(node)
    if not real:
        return sparse.identity(prod(start), format="csr")
    return reduce(lambda done, step: as_matrix(*step) @ done, real[1:], as_matrix(*real[0]))


def _two_dimensional(conv: Conv) -> Conv:
    """A one-dimensional convolution as a two-dimensional one of height 1."""
    if conv.weight.ndim == 4:
        return conv
    before, after = conv.padding
    return Conv(
        conv.name,
        conv.weight[:, :, None, :],
        conv.bias[..., None, :] if conv.bias.ndim > 1 else conv.bias,
        (1, *conv.stride),
        (0, before, 0, after),
        (1, *conv.dilation),
        conv.groups,
    )
