"""The Network under construction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from math import prod
from typing import TypeVar

import numpy as np

from neurodeploy.errors import ModelError, UnsupportedError
from neurodeploy.importing.limits import MAX_ACTIVATION, MAX_PARAMETERS
from neurodeploy.network import Network, Node, Output, Shape

__all__ = ["Builder", "Signal"]

AnyNode = TypeVar("AnyNode", bound=Node)


@dataclass(frozen=True)
class Signal:
    """The result of a Network node.

    Attributes
    ----------
    name
        Of the node.
    shape
        Without the batch axis.
    """

    name: str
    shape: Shape


class Builder:
    """Nodes added so far, their inputs and shapes.

    Parameters
    ----------
    batch
        Size of the batch axis in the ONNX graph.
    """

    def __init__(self, batch: int) -> None:
        self.batch = batch
        self._nodes: dict[str, Node] = {}
        self._inputs: dict[str, tuple[str, ...]] = {}
        self._parameters = 0

    def __len__(self) -> int:
        return len(self._nodes)

    def __getitem__(self, name: str) -> Node:
        return self._nodes[name]

    def kinds_since(self, count: int) -> str:
        """Kinds of the nodes added after the first `count`."""
        added = list(islice(reversed(self._nodes.values()), len(self._nodes) - count))
        return ", ".join(type(node).__name__ for node in reversed(added))

    def unique(self, wish: str) -> str:
        """A node name that is not taken; ``output`` is kept for the exit."""
        name, count = wish, 1
        while name in self._nodes or name in ("", "output"):
            count += 1
            name = f"{wish or 'node'}_{count}"
        return name

    def add(self, node: Node, *sources: Signal) -> Signal:
        """Add a node that reads `sources`.

        Raises
        ------
        ModelError
            The shapes do not fit, or the result or the weights are beyond the limits.
        """
        self._check_weights(node)
        shape = node.output_shape([source.shape for source in sources])
        if prod(shape) > MAX_ACTIVATION or prod(shape) == 0:
            raise UnsupportedError(
                f"its result of shape {shape} is {'too large' if prod(shape) else 'empty'}"
            )
        self._nodes[node.name] = node
        self._inputs[node.name] = tuple(source.name for source in sources)
        return Signal(node.name, shape)

    def exchange(self, node: Node) -> None:
        """Put `node` in the place of the node of its name (same inputs, same shape)."""
        self._check_weights(node)
        self._nodes[node.name] = node

    def _check_weights(self, node: Node) -> None:
        for part in (getattr(node, "weight", None), getattr(node, "bias", None)):
            if part is None:
                continue
            self._parameters += part.size
            if not np.isfinite(part).all():
                raise ModelError("its weights leave the range of float32")
        if self._parameters > 2 * MAX_PARAMETERS:
            raise ModelError("the weights of the network take too much memory")

    def build(self, result: Signal) -> Network:
        """The network that ends at `result`, without the nodes that do not lead there."""
        needed: set[str] = set()
        stack = [result.name]
        while stack:
            name = stack.pop()
            if name not in needed:
                needed.add(name)
                stack.extend(self._inputs[name])
        nodes: Sequence[Node] = [node for name, node in self._nodes.items() if name in needed]
        inputs = {name: sources for name, sources in self._inputs.items() if name in needed}
        return Network([*nodes, Output("output")], {**inputs, "output": (result.name,)})
