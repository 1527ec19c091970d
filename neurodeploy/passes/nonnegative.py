"""Which values of a network are never negative."""

from __future__ import annotations

from neurodeploy.network import Activation, Add, Concat, Network, Permute, Pool

__all__ = ["never_negative"]


def never_negative(network: Network) -> frozenset[str]:
    """Nodes whose results are at least 0, whatever the input: ReLUs, and what only adds, joins,
    moves or pools them."""
    found: set[str] = set()
    for node in network:
        sources = network.inputs_of(node.name)
        passes = isinstance(node, Add | Concat | Permute | Pool)
        relu = isinstance(node, Activation) and node.function == "relu"
        if relu or (passes and sources and all(source in found for source in sources)):
            found.add(node.name)
    return frozenset(found)
