"""A population for an average pooling, where multiplying it into the next layer costs too much."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from neurodeploy.network import Activation, Conv, Dense, Network, Node, Permute, Pool
from neurodeploy.network.compose import compose, is_channel_affine
from neurodeploy.passes.base import fresh
from neurodeploy.passes.nonnegative import never_negative
from neurodeploy.program.choices import Choice

__all__ = ["FireAfterPooling"]

#: Synapses or weights that a fold may add: a twentieth of the most that a chip holds.
_ADDED = 2**22


@dataclass(frozen=True)
class FireAfterPooling:
    """A ReLU that changes nothing between an average pooling and the layer behind it.

    Folded, a pooling repeats every weight of the next layer once a cell of its window: exact, and
    without a population. A head of 1,000 classes behind 7 x 7 maps grows from 2 to 100 million
    synapses that way, and an output neuron reads more sources than a core holds.

    Attributes
    ----------
    largest_fan_in
        Synapses of one neuron that fit a core; None: any number.

    Cases
    -----
    1. A pooling of values that are never negative, and behind it (moves and scales of channels
       aside) a Dense or Conv that would read more than `largest_fan_in` sources a neuron folded,
       and no more apart: it fires.
    2. The fold would add more than `_ADDED` weights or, where it has no form but a list of
       synapses, so many synapses: likewise.
    3. Else it is left to `FoldPooling`: neither neurons, steps nor rounding are added.
    """

    largest_fan_in: int | None = None
    name: str = "fire-after-pooling"

    def apply(self, network: Network) -> Network:
        """The network with the ReLUs."""
        positive = never_negative(network)
        nodes: list[Node] = []
        instead: dict[str, str] = {}
        inputs = {node.name: network.inputs_of(node.name) for node in network}
        for node in network:
            nodes.append(node)
            if (
                isinstance(node, Pool)
                and node.operation == "average"
                and node.name in positive
                and any(
                    self._is_costly(self._fold(network, node, reader))
                    for reader in _readers(network, node)
                )
            ):
                relu = Activation(fresh(f"{node.name}.fired", network.graph))
                nodes.append(relu)
                instead[node.name] = relu.name
                inputs[relu.name] = (node.name,)
        if not instead:
            return network
        fired = set(instead.values())
        rewired = {
            name: sources if name in fired else tuple(instead.get(s, s) for s in sources)
            for name, sources in inputs.items()
        }
        return Network(nodes, rewired)

    def choices(self, network: Network) -> tuple[Choice, ...]:
        """What `apply` decides for each pooling in front of a layer, and what each way costs."""
        positive = never_negative(network)
        found = []
        for node in network:
            if not isinstance(node, Pool) or node.operation != "average":
                continue
            folds = [self._fold(network, node, reader) for reader in _readers(network, node)]
            if not folds:
                continue
            costly = any(self._is_costly(fold) for fold in folds)
            apart = {
                "neurons": prod(network.shapes[node.name]),
                "weights": sum(fold.weights_apart for fold in folds),
                "fan-in": max(fold.apart for fold in folds),
            }
            folded = {
                "neurons": 0,
                "weights": sum(fold.weights_apart + fold.added for fold in folds),
                "fan-in": max(fold.folded for fold in folds),
            }
            names = "a population of its own", "folded into the next layer"
            if costly and node.name in positive:
                why = "folded, it takes too many weights, or a neuron more than a core holds"
                found.append(Choice(node.name, *names, why, apart, folded))
            else:
                why = "folded, it takes neither neurons nor steps"
                if costly:
                    why = "its values may be negative, which a population does not send"
                found.append(Choice(node.name, *names[::-1], why, folded, apart))
        return tuple(found)

    def _is_costly(self, fold: _Fold) -> bool:
        limit = self.largest_fan_in
        return fold.added > _ADDED or (limit is not None and fold.folded > limit >= fold.apart)

    def _fold(self, network: Network, pool: Pool, reader: Conv | Dense) -> _Fold:
        """What folding the pooling into a layer costs."""
        (source,) = network.inputs_of(pool.name)
        cells, shape = prod(pool.kernel), network.shapes[source]
        pooled = prod(network.shapes[pool.name])
        apart = prod(reader.weight.shape[1:])
        if isinstance(reader, Dense):
            folded = apart // pooled * prod(shape)
            added = (folded - apart) * len(reader.weight)
        else:
            folded = apart * cells
            added = (folded - apart) * len(reader.weight)
            if added <= _ADDED:
                merged = compose(pool, reader, shape)
                if merged is None:  # a list of synapses
                    added *= prod(network.shapes[reader.name][1:])
                else:
                    folded = prod(merged.weight.shape[1:])
                    added = (folded - apart) * len(reader.weight)
        return _Fold(apart, folded, added, int(reader.weight.size))


@dataclass(frozen=True)
class _Fold:
    """Sources a neuron apart and folded, weights (or synapses) that the fold adds, and before."""

    apart: int
    folded: int
    added: int
    weights_apart: int


def _readers(network: Network, node: Node) -> list[Conv | Dense]:
    """Layers that would absorb the node: its readers behind moves and scales of channels."""
    found: list[Conv | Dense] = []
    waiting = list(network.consumers_of(node.name))
    while waiting:
        reader = network[waiting.pop()]
        if isinstance(reader, Permute) or is_channel_affine(reader):
            waiting += network.consumers_of(reader.name)
        elif isinstance(reader, Conv | Dense):
            found.append(reader)
    return found
