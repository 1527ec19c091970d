"""Max pooling to where it is the earliest of one population's spikes."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from neurodeploy.network import Activation, Concat, Conv, Network, Node, Pool
from neurodeploy.network.compose import is_channel_affine
from neurodeploy.passes.base import fresh

__all__ = ["MoveMaxPooling"]


@dataclass(frozen=True)
class MoveMaxPooling:
    """Move max pooling behind the ReLU and before concatenations.

    Cases
    -----
    1. Max Pool, ReLU: exchanged, both are monotonic.
    2. Max Pool, batch norm whose scales are all positive, ReLU: exchanged likewise.
    3. Concat of channels, Max Pool: each branch is pooled by itself, whoever else reads the Concat.

    Left alone: a batch norm with a negative scale between pooling and ReLU (the maximum would
    become a minimum), one that no ReLU follows (the pooling would lose its population), and
    a pooling that is used elsewhere too.
    """

    name: str = "move-max-pooling"

    def apply(self, network: Network) -> Network:
        """The network with every max pooling behind its ReLU where the cases allow."""
        changed = True
        while changed:
            changed = False
            for node in network:
                if not (isinstance(node, Pool) and node.operation == "max"):
                    continue
                consumers = network.consumers_of(node.name)
                (source,) = network.inputs_of(node.name)
                joined = network[source]
                if isinstance(joined, Concat) and joined.axis == 0:
                    network = _pool_branches(network, joined, node)
                    changed = True
                    break
                if len(consumers) == 1 and _commutes(network, network[consumers[0]]):
                    network = network.swap(node.name, consumers[0])
                    changed = True
                    break
        return network


def _commutes(network: Network, node: Node) -> bool:
    """Whether a node is monotonic, and a ReLU or followed by nothing else on the way to one."""
    if isinstance(node, Activation):
        return node.function == "relu"
    rising = isinstance(node, Conv) and is_channel_affine(node) and bool(np.all(node.weight > 0))
    consumers = network.consumers_of(node.name)
    return rising and len(consumers) == 1 and _commutes(network, network[consumers[0]])


def _pool_branches(network: Network, joined: Concat, pool: Pool) -> Network:
    """The pooling before the concatenation, which takes the pooling's name and place.

    The concatenation itself stays where others read it, too.
    """
    nodes: list[Node] = []
    inputs = {node.name: network.inputs_of(node.name) for node in network}
    branches = inputs[joined.name]
    shared = len(network.consumers_of(joined.name)) > 1
    parts = tuple(fresh(f"{pool.name}.{k}", network.graph) for k in range(len(branches)))
    for node in network:
        if node.name == pool.name:
            nodes += [replace(pool, name=part) for part in parts]
            nodes.append(Concat(pool.name, joined.axis))
        elif node.name != joined.name or shared:
            nodes.append(node)
    if not shared:
        del inputs[joined.name]
    inputs[pool.name] = parts
    inputs |= {part: (branch,) for part, branch in zip(parts, branches, strict=True)}
    return Network(nodes, inputs)
