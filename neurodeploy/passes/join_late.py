"""Concatenations behind the ReLU, so that each branch becomes a population of its own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from neurodeploy.network import Activation, Concat, Conv, Network, Node
from neurodeploy.network.compose import is_channel_affine
from neurodeploy.passes.base import fresh

__all__ = ["JoinLate"]


@dataclass(frozen=True)
class JoinLate:
    """Fire the branches of a concatenation one by one, and join the spikes.

    A population that reads several branches has synapses that are no convolution any more; a
    population a branch keeps its convolution, and has a lambda of its own.

    Cases
    -----
    1. Concat of channels, ReLU: a ReLU behind each branch that is none, then the Concat.
    2. Concat of channels, batch norm read by ReLUs alone, ReLU: likewise, the batch norm divided.
    3. A concatenation of concatenations: its branches are those of all.

    Left alone: other axes; a batch norm that somebody else reads.
    """

    name: str = "join-late"

    def apply(self, network: Network) -> Network:
        """The network with every ReLU before the concatenation where the cases allow."""
        branches: dict[str, tuple[str, ...]] = {}
        nodes: dict[str, Node] = {}
        inputs: dict[str, tuple[str, ...]] = {}
        shapes = dict(network.shapes)

        def add(node: Node, *sources: str) -> str:
            nodes[node.name], inputs[node.name] = node, sources
            shapes[node.name] = node.output_shape([shapes[source] for source in sources])
            return node.name

        def free(wish: str) -> str:
            return fresh(wish, {*network.graph, *nodes})

        for node in network:
            sources = network.inputs_of(node.name)
            parts = branches.get(sources[0], ()) if len(sources) == 1 else ()
            if isinstance(node, Concat) and node.axis == 0:
                branches[node.name] = tuple(
                    part for source in sources for part in branches.get(source, (source,))
                )
            elif parts and _is_relu(node):
                branches[node.name] = tuple(
                    part
                    if _fires(nodes[part], node)
                    else add(replace(node, name=free(f"{node.name}.{k}")), part)
                    for k, part in enumerate(parts)
                )
                add(Concat(node.name, axis=0), *branches[node.name])
                continue
            elif parts and isinstance(node, Conv) and self._divides(network, node):
                slices = _slices(node, [shapes[part][0] for part in parts])
                branches[node.name] = tuple(
                    add(replace(own, name=free(own.name)), part)
                    for own, part in zip(slices, parts, strict=True)
                )
            add(node, *sources)
        return _reached(network.output.name, nodes, inputs)

    @staticmethod
    def _divides(network: Network, node: Conv) -> bool:
        readers = network.consumers_of(node.name)
        return is_channel_affine(node) and all(_is_relu(network[reader]) for reader in readers)


def _is_relu(node: Node) -> bool:
    return isinstance(node, Activation) and node.function == "relu"


def _fires(part: Node, relu: Node) -> bool:
    """Whether a branch is a ReLU already, of which the next one changes nothing."""
    if not (isinstance(part, Activation) and isinstance(relu, Activation) and _is_relu(part)):
        return False
    if relu.levels is not None:
        return (part.maximum, part.levels) == (relu.maximum, relu.levels)
    return relu.maximum is None or (part.maximum is not None and part.maximum <= relu.maximum)


def _slices(node: Conv, channels: Iterable[int]) -> list[Conv]:
    """A scale and shift of each channel, divided."""
    found, begin = [], 0
    for k, count in enumerate(channels):
        part = slice(begin, begin + count)
        name = f"{node.name}.{k}"
        weight, bias = node.weight[part], node.bias[part]
        found.append(replace(node, name=name, weight=weight, bias=bias, groups=count))
        begin += count
    return found


def _reached(output: str, nodes: dict[str, Node], inputs: dict[str, tuple[str, ...]]) -> Network:
    """The network of those nodes that lead to the output, the input among them."""
    needed: set[str] = set()
    stack = [output]
    while stack:
        name = stack.pop()
        if name not in needed:
            needed.add(name)
            stack.extend(inputs[name])
    kept = [node for name, node in nodes.items() if name in needed]
    return Network(kept, {name: inputs[name] for name in needed})
