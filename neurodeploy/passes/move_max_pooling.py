"""Max pooling behind the ReLU, where it is the earliest of the spikes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neurodeploy.network import Activation, Conv, Network, Node, Pool
from neurodeploy.network.compose import is_channel_affine

__all__ = ["MoveMaxPooling"]


@dataclass(frozen=True)
class MoveMaxPooling:
    """Move max pooling towards the output.

    Cases
    -----
    1. Max Pool, ReLU: exchanged, both are monotonic.
    2. Max Pool, batch norm whose scales are all positive: exchanged likewise.

    Left alone: a batch norm with a negative scale between pooling and ReLU (the maximum would
    become a minimum), and a pooling that is used elsewhere too.
    """

    name: str = "move-max-pooling"

    def apply(self, network: Network) -> Network:
        """The network with every max pooling behind its ReLU where the cases allow."""
        changed = True
        while changed:
            changed = False
            for node in network:
                consumers = network.consumers_of(node.name)
                if not (isinstance(node, Pool) and node.operation == "max"):
                    continue
                if len(consumers) == 1 and _commutes(network[consumers[0]]):
                    network = network.swap(node.name, consumers[0])
                    changed = True
                    break
        return network


def _commutes(node: Node) -> bool:
    if isinstance(node, Activation):
        return node.function == "relu"
    return isinstance(node, Conv) and is_channel_affine(node) and bool(np.all(node.weight > 0))
