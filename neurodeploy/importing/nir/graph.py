"""The graph of a NIR file made ready for the walk: graphs within it spread out, cycles opened."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import networkx as nx
import numpy as np

from neurodeploy.errors import ModelError, UnsupportedError, shown
from neurodeploy.importing.nir.hdf5 import RawGraph, RawNode
from neurodeploy.importing.nir.neurons import NEURONS
from neurodeploy.network import Shape

__all__ = ["Ordered", "ordered", "spread_out", "stated_shape"]


def spread_out(graph: RawGraph) -> RawGraph:
    """The same without graphs within it: their nodes are named ``outer.inner``.

    Raises
    ------
    ModelError, UnsupportedError
        Edges that name no node, edges that are there twice, an inner graph without one input and
        one output.
    """
    _check_edges(graph)
    inner = {raw.name: raw.graph for raw in graph.nodes.values() if raw.graph is not None}
    if not inner:
        return graph
    nodes: dict[str, RawNode] = {}
    edges: list[tuple[str, str]] = []
    entrance: dict[str, list[str]] = {}  # where what reaches or leaves an inner graph ends
    leaves: dict[str, list[str]] = {}
    for name, raw in graph.nodes.items():
        if name not in inner:
            nodes[name], entrance[name], leaves[name] = raw, [name], [name]
            continue
        part = spread_out(inner[name])
        ends = {}
        for kind in ("Input", "Output"):
            found = [n.name for n in part.nodes.values() if n.kind == kind]
            if len(found) != 1:
                raise UnsupportedError(
                    f"the graph within it has {len(found)} nodes of type {kind}, not one",
                    place=f"node {name!r}",
                )
            ends[kind] = found[0]
        own = {n: f"{name}.{n}" for n in part.nodes}
        for raw_inner in part.nodes.values():
            if raw_inner.name in ends.values():
                continue
            called = own[raw_inner.name]
            if called in graph.nodes:
                raise ModelError(f"two nodes are called {shown(called)}")
            nodes[called] = RawNode(called, raw_inner.kind, raw_inner.fields)
        first, last = ends["Input"], ends["Output"]
        entrance[name] = [own[b] for a, b in part.edges if a == first]
        leaves[name] = [own[a] for a, b in part.edges if b == last]
        if own[last] in entrance[name]:
            raise UnsupportedError(
                "the graph within it passes its input on", place=f"node {name!r}"
            )
        edges += [(own[a], own[b]) for a, b in part.edges if a != first and b != last]
    for a, b in graph.edges:
        edges += [(start, end) for start in leaves[a] for end in entrance[b]]
    made = RawGraph(nodes, tuple(edges), graph.place, graph.file, graph.sha256, graph.version)
    _check_edges(made)
    return made


def _check_edges(graph: RawGraph) -> None:
    for edge in graph.edges:
        for end in edge:
            if end not in graph.nodes:
                raise ModelError(f"an edge names {shown(end)}, which is no node")
    twice, count = (Counter(graph.edges).most_common(1) or [(("", ""), 0)])[0]
    if count > 1:
        raise UnsupportedError(
            f"the edge {shown(twice)} is there more than once; whether it counts twice is not "
            "defined",
            remedy="scale the weights instead",
        )


@dataclass(frozen=True)
class Ordered:
    """An order in which every node comes after what it reads within a step.

    Attributes
    ----------
    order
        Names of all nodes.
    sources
        For each node what it reads, sorted.
    late
        Edges that take a step: from a neuron back into the loop that it is on.
    loops
        Names of the nodes of each loop of several neurons.
    """

    order: tuple[str, ...]
    sources: Mapping[str, tuple[str, ...]]
    late: frozenset[tuple[str, str]]
    loops: tuple[tuple[str, ...], ...]


def ordered(graph: RawGraph) -> Ordered:
    """Open all cycles.

    1. A loop through Delay nodes is opened there; these say how long it takes.
    2. Any other: what a neuron on it sends reaches the nodes of the loop at the next step.

    Raises
    ------
    UnsupportedError
        A loop without a neuron or a Delay.
    """
    whole = nx.DiGraph()
    whole.add_nodes_from(graph.nodes)
    whole.add_edges_from(graph.edges)
    open_graph = whole.copy()
    open_graph.remove_edges_from([(a, b) for a, b in whole.edges if graph.nodes[b].kind == "Delay"])
    late, loops = [], []
    for part in list(nx.strongly_connected_components(open_graph)):
        edges = [e for e in open_graph.edges if part.issuperset(e)]
        if not edges:
            continue
        neurons = sorted(name for name in part if graph.nodes[name].kind in NEURONS)
        late += [e for e in edges if e[0] in neurons]
        if len(neurons) > 1:
            loops.append(tuple(neurons))
    open_graph.remove_edges_from(late)
    try:
        order = tuple(nx.lexicographical_topological_sort(open_graph))
    except nx.NetworkXUnfeasible:
        loop = [a for a, _ in nx.find_cycle(open_graph)]
        raise UnsupportedError(
            f"the loop through {', '.join(loop[:8])} holds neither a neuron nor a delay",
            place=f"node {loop[0]!r}",
        ) from None
    sources = {name: tuple(sorted(whole.predecessors(name))) for name in graph.nodes}
    return Ordered(order, sources, frozenset(late), tuple(loops))


def stated_shape(graph: RawGraph, name: str) -> Shape:
    """Shape of what a neuron or a Delay sends, from its own numbers, before it is built.

    Raises
    ------
    UnsupportedError
        All of them are single numbers, and no matrix reads it either.
    """
    raw = graph.nodes[name]
    shapes = {
        value.shape
        for key, value in raw.fields.items()
        if isinstance(value, np.ndarray) and value.size > 1 and key not in ("input_shape",)
    }
    if len(shapes) == 1:
        return next(iter(shapes))
    for a, b in graph.edges:
        weight = graph.nodes[b].fields.get("weight")
        if a == name and isinstance(weight, np.ndarray) and weight.ndim == 2:
            return (int(weight.shape[1]),)
    raise UnsupportedError(
        "lies on a loop, and its numbers do not say its shape",
        remedy="write its parameters as arrays, one a neuron",
    )
