"""Ways between stages through delays, and the step of a sample at which each stage begins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import networkx as nx

from neurodeploy.errors import UnsupportedError
from neurodeploy.network.between import Between
from neurodeploy.network.network import Network
from neurodeploy.network.nodes import Node
from neurodeploy.network.spiking_nodes import Delay
from neurodeploy.program import INPUT

__all__ = ["DelayedWays", "Way", "depths"]


@dataclass(frozen=True)
class Way:
    """From a stage or the input: linear nodes passed, in order, and the steps of their delays."""

    start: str
    chain: list[Node]
    delay: int = 0


class DelayedWays:
    """The ways of `Between`, for which a delay is a start, put together through all delays.

    A delay and a linear map without a bias may change places, so a way is one operator and one
    number of steps.

    Parameters
    ----------
    between
        After all nodes of the network were added.

    Raises
    ------
    UnsupportedError
        A bias before a delay.
    """

    def __init__(self, network: Network, between: Between) -> None:
        self.network = network
        self._before: dict[str, list[tuple[str, list[Node]]]] = {}
        for node in network:
            if not isinstance(node, Delay):
                continue
            (source,) = network.inputs_of(node.name)
            self._before[node.name] = between.ways(source)
            if between.response_to_zero(source).any():
                raise UnsupportedError(
                    "delays a bias: at the first steps it would be missing",
                    place=f"node {node.name!r} (Delay)",
                    remedy="put the delay before the layer",
                )

    def through(
        self, ways: list[tuple[str, list[Node]]], passed: tuple[str, ...] = ()
    ) -> list[Way]:
        """Ways back to stages or the input, of ways that may begin at delays.

        Raises
        ------
        UnsupportedError
            Delays in a circle without a neuron.
        """
        found: list[Way] = []
        for start, chain in ways:
            node = self.network[start]
            if not isinstance(node, Delay):
                found.append(Way(start, chain))
                continue
            if start in passed:
                raise UnsupportedError(
                    "is on a cycle without a neuron", place=f"node {start!r} (Delay)"
                )
            found += [
                Way(way.start, way.chain + chain, way.delay + node.steps)
                for way in self.through(self._before[start], (*passed, start))
            ]
        return found


def depths(paths: Mapping[str, Sequence[tuple[str, int]]]) -> dict[str, int]:
    """Steps from the input's first to each stage's: the least with which every spike is in time.

    A spike takes a step from stage to stage, or more; a delay of the network may take it over.

    Parameters
    ----------
    paths
        (source, delay) of all that a stage reads, by its name, sources before targets as far as
        there are no delays.

    Raises
    ------
    UnsupportedError
        A cycle with delays of fewer steps than it has stages.
    """
    found = {INPUT: 0} | dict.fromkeys(paths, 1)
    for _ in range(len(paths) + 1):
        before = dict(found)
        for name, reads in paths.items():
            for source, delay in reads:
                found[name] = max(found[name], found[source] + 1 - delay)
        if found == before:
            return found
    graph = nx.DiGraph((s, name) for name, reads in paths.items() for s, _ in reads)
    loop = max(nx.strongly_connected_components(graph), key=len)
    names = sorted(loop, key=list(paths).index)
    raise UnsupportedError(
        f"the loop through {', '.join(names[:8])} has fewer steps of delay than layers: on the "
        "chip a spike takes a step to each layer",
        place=names[0],
        remedy="delay the loop by as many steps as it has layers",
    )
