"""What lies between the stages of a network: ways back to them, and the response to zero."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from neurodeploy.errors import UnsupportedError
from neurodeploy.network import Activation, Add, Concat, Input, Network, Node, Permute, Pool
from neurodeploy.network.compose import apply_linear, bias_map
from neurodeploy.network.concat_branches import embed
from neurodeploy.network.matrix import is_linear

__all__ = ["Between", "is_max"]

#: Ways from stages to one node; sums of sums of one activation double them each time.
_MAX_WAYS = 1024

#: The nodes of a way, the last one first.
_Chain: TypeAlias = "tuple[_Chain, Node] | None"


class Between:
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
    if is_max(node):
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


def is_max(node: Node) -> bool:
    """Whether a node is a max pooling."""
    return isinstance(node, Pool) and node.operation == "max"
