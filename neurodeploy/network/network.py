"""The Network: a float graph of few node kinds, every one of them understood."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property

import networkx as nx

from neurodeploy.errors import ModelError
from neurodeploy.network.nodes import Input, Node, Output, Shape
from neurodeploy.network.spiking_nodes import Delay

__all__ = ["Network"]


class Network:
    """A directed graph of `Node`s with one `Input` and one `Output`; cycles go through a `Delay`.

    Treated as immutable: passes build a new one (`replace`, `rebuild`).

    Parameters
    ----------
    nodes
        The nodes; names are unique.
    inputs
        For each node its inputs, in order: ``{"add": ("conv1", "conv2")}``.

    Raises
    ------
    ModelError
        Duplicate or unknown names, a cycle without a `Delay`, not exactly one input and one
        output, or shapes that do not fit.
    """

    def __init__(self, nodes: Iterable[Node], inputs: dict[str, tuple[str, ...]]) -> None:
        self.graph = nx.DiGraph()
        for node in nodes:
            if node.name in self.graph:
                raise ModelError("two nodes share this name", place=node.name)
            self.graph.add_node(node.name, node=node)
        self._inputs = {name: tuple(inputs.get(name, ())) for name in self.graph}
        for name, sources in self._inputs.items():
            for source in sources:
                if source not in self.graph:
                    raise ModelError(f"reads {source!r}, which is missing", place=name)
                self.graph.add_edge(source, name)
        self._within_step = self.graph.edge_subgraph(
            [e for e in self.graph.edges if not isinstance(self[e[1]], Delay)]
        ).copy()
        self._within_step.add_nodes_from(self.graph)
        if not nx.is_directed_acyclic_graph(self._within_step):
            raise ModelError("the nodes form a cycle")
        for kind in (Input, Output):
            count = sum(isinstance(node, kind) for node in self)
            if count != 1:
                raise ModelError(f"the network has {count} {kind.__name__} nodes, not one")
        self.shapes  # noqa: B018 - computed now, so that a bad shape is refused here

    def __iter__(self) -> Iterator[Node]:
        """Nodes, sources first, in the order they were given where that leaves a choice.

        What a `Delay` reads may come after it.
        """
        rank = {name: i for i, name in enumerate(self.graph)}
        for name in nx.lexicographical_topological_sort(self._within_step, key=rank.__getitem__):
            yield self.graph.nodes[name]["node"]

    def __len__(self) -> int:
        return len(self.graph)

    def __getitem__(self, name: str) -> Node:
        return self.graph.nodes[name]["node"]

    def inputs_of(self, name: str) -> tuple[str, ...]:
        """Names of the nodes that a node reads.

        Parameters
        ----------
        name
            Of the node.

        Returns
        -------
        tuple of str
            In the order of its inputs.
        """
        return self._inputs[name]

    def consumers_of(self, name: str) -> tuple[str, ...]:
        """Names of the nodes that read a node.

        Parameters
        ----------
        name
            Of the node.

        Returns
        -------
        tuple of str
        """
        return tuple(self.graph.successors(name))

    @cached_property
    def shapes(self) -> dict[str, Shape]:
        """Shape of each node's result, by name, without the axis of samples.

        Raises
        ------
        ModelError
            Shapes that do not fit.
        """
        shapes: dict[str, Shape] = {}
        late = []
        for node in self:
            known = [shapes[s] for s in self._inputs[node.name] if s in shapes]
            if isinstance(node, Delay):
                late.append(node)
            shapes[node.name] = node.output_shape(known)
        for node in late:
            if len(self._inputs[node.name]) != 1:
                raise ModelError("a delay has one input", place=node.name)
            node.output_shape([shapes[s] for s in self._inputs[node.name]])
        return shapes

    @property
    def input(self) -> Input:
        """The entrance."""
        return next(node for node in self if isinstance(node, Input))

    @property
    def output(self) -> Output:
        """The exit."""
        return next(node for node in self if isinstance(node, Output))

    def replace(self, *changed: Node) -> Network:
        """The same graph with nodes of the same names exchanged.

        Parameters
        ----------
        changed
            Nodes that take the places of those of their names.

        Returns
        -------
        Network
        """
        new = {node.name: node for node in changed}
        return Network([new.get(node.name, node) for node in self], self._inputs)

    def fuse(self, first: str, merged: Node) -> Network:
        """The graph with a node and its only consumer exchanged for one node.

        Parameters
        ----------
        first
            Name of a node of one input.
        merged
            Takes the consumer's name and place, and reads what `first` read.

        Returns
        -------
        Network
        """
        (source,) = self._inputs[first]
        inputs = {
            name: tuple(source if s == first else s for s in sources)
            for name, sources in self._inputs.items()
            if name != first
        }
        nodes = [merged if node.name == merged.name else node for node in self]
        return Network([node for node in nodes if node.name != first], inputs)

    def swap(self, first: str, second: str) -> Network:
        """The graph with a node and its only consumer in the other order.

        Both have one input and one consumer chain between them; names are kept.

        Parameters
        ----------
        first
            Name of the node.
        second
            Name of its only consumer.

        Returns
        -------
        Network
        """
        (source,) = self._inputs[first]
        inputs: dict[str, tuple[str, ...]] = {}
        for name, sources in self._inputs.items():
            if name == first:
                inputs[name] = (second,)
            elif name == second:
                inputs[name] = (source,)
            else:
                inputs[name] = tuple(first if s == second else s for s in sources)
        return Network(list(self), inputs)
