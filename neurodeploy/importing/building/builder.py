"""The Network under construction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from math import prod

import numpy as np

from neurodeploy.errors import ModelError, UnsupportedError
from neurodeploy.importing.building.integer_grid import Grid
from neurodeploy.importing.building.value_ranges import Range, value_range
from neurodeploy.importing.limits import MAX_ACTIVATION, MAX_MOVED, MAX_PARAMETERS
from neurodeploy.network import Activation, Input, Linear, Network, Node, Output, Permute, Shape

__all__ = ["Builder", "Signal"]


@dataclass(frozen=True)
class Signal:
    """The result of a Network node.

    Attributes
    ----------
    name
        Of the node.
    shape
        Without the batch axis.
    grid
        None where the ONNX value is a float. Else it holds integers, and the node computes the
        real values that they stand for.
    """

    name: str
    shape: Shape
    grid: Grid | None = None


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
        self._ranges: dict[str, Range] = {}
        self._raw: set[str] = set()
        self._ended: dict[tuple[str, float], str] = {}
        self._reused: set[str] = set()
        self._parameters = 0
        self._moved = 0

    def __len__(self) -> int:
        return len(self._nodes)

    def __getitem__(self, name: str) -> Node:
        return self._nodes[name]

    def range_of(self, signal: Signal) -> Range:
        """Between which values a signal lies; infinite where that is not known."""
        return self._ranges[signal.name]

    def is_raw(self, signal: Signal) -> bool:
        """Whether a signal is the network's input, at most rearranged."""
        return signal.name in self._raw

    def is_reused(self, signal: Signal) -> bool:
        """Whether `end` gave a signal to several."""
        return signal.name in self._reused

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

    def enter(self, node: Input, grid: Grid | None = None) -> Signal:
        """Add an input whose samples are floats, or the integers of `grid`."""
        signal = self.add(node)
        self._raw.add(node.name)
        if grid is not None:
            self._ranges[node.name] = (grid.lowest, grid.highest)
        return Signal(signal.name, signal.shape, grid)

    def add(self, node: Node, *sources: Signal) -> Signal:
        """Add a node that reads `sources`; a ReLU that would change nothing is left out.

        Raises
        ------
        ModelError
            The shapes do not fit, or the result or the weights are beyond the limits.
        """
        self._check_weights(node)
        if isinstance(node, Permute) and node.indices is not None:
            self._moved += node.indices.size + sum(prod(source.shape) for source in sources)
            if self._moved > MAX_MOVED:
                raise UnsupportedError(
                    f"the moves up to here touch more than {MAX_MOVED} elements",
                    remedy="this is far beyond a spiking chip; use smaller maps",
                )
        shape = node.output_shape([source.shape for source in sources])
        if prod(shape) > MAX_ACTIVATION or prod(shape) == 0:
            raise UnsupportedError(
                f"its result of shape {shape} is {'too large' if prod(shape) else 'empty'}"
            )
        found = value_range(node, [self._ranges[source.name] for source in sources])
        if isinstance(node, Activation):
            low, high = self._ranges[sources[0].name]
            if low >= 0 and high <= found[1] and node.levels is None:
                return sources[0]
        self._nodes[node.name] = node
        self._inputs[node.name] = tuple(source.name for source in sources)
        self._ranges[node.name] = found
        if isinstance(node, Permute) and sources[0].name in self._raw:
            self._raw.add(node.name)
        return Signal(node.name, shape)

    def end(self, name: str, x: Signal, maximum: float) -> Signal:
        """A ReLU of `x` up to `maximum`; one that is there already serves again."""
        there = self._ended.get((x.name, maximum), "")
        node = self._nodes.get(there)
        if isinstance(node, Activation) and node.maximum == maximum:
            self._reused.add(there)
            return Signal(there, x.shape)
        relu = self.add(Activation(self.unique(name), maximum=maximum), x)
        self._ended[x.name, maximum] = relu.name
        return relu

    def exchange(self, node: Node) -> None:
        """Put `node` in the place of the node of its name (same inputs, same shape)."""
        self._parameters -= sum(part.size for part in _weights(self._nodes[node.name]))
        self._check_weights(node)
        self._nodes[node.name] = node
        sources = [self._ranges[source] for source in self._inputs[node.name]]
        self._ranges[node.name] = value_range(node, sources)

    def _check_weights(self, node: Node) -> None:
        for part in _weights(node):
            self._parameters += part.size
            if not np.isfinite(part).all():
                raise ModelError("its weights leave the range of float32")
        if self._parameters > MAX_PARAMETERS + MAX_ACTIVATION:
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


def _weights(node: Node) -> tuple[np.ndarray, ...]:
    return (node.weight, node.bias) if isinstance(node, Linear) else ()
