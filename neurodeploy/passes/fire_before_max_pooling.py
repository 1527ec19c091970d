"""A population for what a max pooling reads, where that is none by itself."""

from __future__ import annotations

from dataclasses import dataclass

from neurodeploy.network import Activation, Add, Concat, Network, Node, Permute, Pool
from neurodeploy.network.compose import is_reshape
from neurodeploy.passes.base import fresh

__all__ = ["FireBeforeMaxPooling"]


@dataclass(frozen=True)
class FireBeforeMaxPooling:
    """A ReLU that changes nothing between a value that is never negative and a max pooling.

    The earliest spike is the largest value only among the spikes of one population.

    Cases
    -----
    1. Sums, average poolings, paddings, enlargements and concatenations of ReLUs: a ReLU is put
       behind them.
    2. A ReLU itself, or a reshape of one: left alone, it is a population already.
    3. What may be negative: left alone; the conversion refuses it by name.
    """

    name: str = "fire-before-max-pooling"

    def apply(self, network: Network) -> Network:
        """The network with the ReLUs."""
        never_negative: set[str] = set()
        fires: set[str] = set()
        nodes: list[Node] = []
        inputs = {node.name: network.inputs_of(node.name) for node in network}
        for node in network:
            sources = network.inputs_of(node.name)
            positive = all(source in never_negative for source in sources)
            if isinstance(node, Activation) and node.function == "relu":
                never_negative.add(node.name)
                fires.add(node.name)
            elif sources and positive and isinstance(node, Add | Concat | Permute | Pool):
                never_negative.add(node.name)
                if _is_max(node) or (is_reshape(node) and sources[0] in fires):
                    fires.add(node.name)
            if _is_max(node) and positive and sources[0] not in fires:
                relu = Activation(fresh(f"{node.name}.fired", network.graph))
                nodes.append(relu)
                inputs[relu.name], inputs[node.name] = sources, (relu.name,)
            nodes.append(node)
        return Network(nodes, inputs)


def _is_max(node: Node) -> bool:
    return isinstance(node, Pool) and node.operation == "max"
