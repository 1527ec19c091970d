"""Max pooling by ReLUs: ``max(a, b) = b + relu(a - b)``, a tree of them for each window."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

from neurodeploy.network import Activation, Add, Conv, Input, Network, Node, Permute, Pool, Shape
from neurodeploy.network.compose import is_reshape
from neurodeploy.passes.nonnegative import never_negative

__all__ = ["MaxPoolingAsReLUs"]


@dataclass(frozen=True)
class MaxPoolingAsReLUs:
    """Write max pooling as differences, ReLUs and sums, for codes that know no maximum.

    Axis by axis: a window of a x b cells costs (a - 1) ReLUs for each row that it meets and
    (b - 1) for each result, a window of 2 x 2 three, one of 3 x 3 at stride 2 six. Windows are
    halved until they hold one cell, so the ReLUs lie log2(a) + log2(b) deep.

    Cases
    -----
    1. Values that are never negative, and windows without padding: cells are picked by
       convolutions with one weight a channel, zeros outside the map among them, and differences
       of two cells by convolutions with two.
    2. Padding around values that may be negative: a cell outside the map is exchanged for the
       nearest in the same window, which leaves the maximum what it was.
    3. Any stride, dilation and overlap, one to three axes. A window of one cell: picked.

    Attributes
    ----------
    only_sums
        Leave max pooling alone that reads one population (or the input): a scheme that takes the
        maximum of spikes needs no ReLUs there. Sums that may be negative have no spikes.
    of_input
        With `only_sums`: whether its neuron can read the input.
    """

    only_sums: bool = False
    of_input: bool = True
    name: str = "max-pooling-as-relus"

    def apply(self, network: Network) -> Network:
        """The network without max poolings."""
        pools = {
            node.name
            for node in network
            if isinstance(node, Pool) and _is_max(node) and not self._left(network, node)
        }
        if not pools:
            return network
        positive = never_negative(network)
        nodes: list[Node] = []
        inputs: dict[str, tuple[str, ...]] = {}
        for node in network:
            sources = network.inputs_of(node.name)
            if isinstance(node, Pool) and node.name in pools:
                shape = network.shapes[sources[0]]
                _Tree(nodes, inputs, node, shape, sources[0] in positive).write(sources[0])
            else:
                nodes.append(node)
                inputs[node.name] = sources
        return Network(nodes, inputs)

    def _left(self, network: Network, pool: Pool) -> bool:
        """Whether a neuron of the scheme takes this maximum."""
        if not self.only_sums:
            return False
        read = _read(network, pool.name)
        return (
            isinstance(read, Activation)
            or (isinstance(read, Pool) and _is_max(read) and self._left(network, read))
            or (self.of_input and isinstance(read, Input))
        )


def _read(network: Network, name: str) -> Node:
    """What a node reads, before reshapes."""
    (source,) = network.inputs_of(name)
    node = network[source]
    return _read(network, source) if is_reshape(node) else node


def _is_max(node: Node) -> bool:
    return isinstance(node, Pool) and node.operation == "max"


class _Tree:
    """The nodes of one pooling."""

    def __init__(
        self,
        nodes: list[Node],
        inputs: dict[str, tuple[str, ...]],
        pool: Pool,
        shape: Shape,
        positive: bool,
    ) -> None:
        self.nodes, self.inputs, self.pool, self.positive = nodes, inputs, pool, positive
        self.shape = shape

    def write(self, source: str) -> None:
        """Axis by axis, the last one first; the result has the pooling's name."""
        rank = len(self.pool.kernel)
        axes = [axis for axis in reversed(range(rank)) if not self._idle(axis)]
        for axis in axes:
            last = axis == axes[-1]
            source = self._along(axis, source, self.pool.name if last else "")
        if not axes:
            self._add(Permute(self.pool.name, self.shape), source)

    def _idle(self, axis: int) -> bool:
        """Whether the pooling does nothing along an axis."""
        pool, rank = self.pool, len(self.pool.kernel)
        pads = pool.padding[axis], pool.padding[rank + axis]
        return (pool.kernel[axis], pool.stride[axis], *pads) == (1, 1, 0, 0)

    def _along(self, axis: int, source: str, name: str) -> str:
        """The maximum along one axis; axes before it are still whole."""
        pool, rank = self.pool, len(self.pool.kernel)
        size = self.shape[1 + axis]
        before, after = pool.padding[axis], pool.padding[rank + axis]
        reach = pool.dilation[axis] * (pool.kernel[axis] - 1) + 1
        count = (size + before + after - reach) // pool.stride[axis] + 1
        cells = (
            np.arange(count)[:, None] * pool.stride[axis]
            + np.arange(pool.kernel[axis]) * pool.dilation[axis]
            - before
        )
        outside = bool((cells < 0).any() or (cells >= size).any())
        if outside and not self.positive:
            cells = _nearest(cells, size)
            made = self._by_moves(axis, source, cells, name)
        else:
            made = self._by_convolutions(axis, source, cells[0], count, name)
        self.shape = (*self.shape[: 1 + axis], count, *self.shape[2 + axis :])
        return made

    # cells picked by convolutions

    def _by_convolutions(
        self, axis: int, source: str, first: np.ndarray, count: int, name: str
    ) -> str:
        """`first` are the cells of the first window; the others follow at the pooling's stride."""
        size, stride = self.shape[1 + axis], self.pool.stride[axis]

        def window(cells: dict[int, float], name: str = "") -> Conv:
            start, stop = min(0, *cells), 1 + max(cells)
            # zeros at the end keep the stride from finding one window more
            stop = max(stop, size + 1 - count * stride)
            kernel = np.zeros(stop - start)
            for cell, weight in cells.items():
                kernel[cell - start] = weight
            end = max((count - 1) * stride + stop - size, 0)
            return self._depthwise(name, axis, kernel, stride, -start, end)

        def largest(part: np.ndarray, name: str) -> str:
            if part.size == 1:
                return self._add(window({int(part[0]): 1.0}, name), source)
            half = -(-part.size // 2)
            left, right = part[:half], part[half:]
            b = largest(left, "")
            if half == 1 and right.size == 1:
                cells = {int(right[0]): 1.0, int(left[0]): -1.0}
                difference = self._add(window(cells), source)
            else:
                difference = self._difference(largest(right, ""), b)
            more = self._add(Activation(self._name("more")), difference)
            return self._add(Add(name or self._name("largest")), b, more)

        return largest(first, name)

    def _depthwise(
        self,
        name: str,
        axis: int,
        kernel: np.ndarray,
        stride: int,
        begin: int,
        end: int,
    ) -> Conv:
        """A convolution of each channel along one axis."""
        channels, rank = self.shape[0], len(self.shape) - 1

        def along(value: int, otherwise: int) -> Shape:
            return tuple(value if a == axis else otherwise for a in range(rank))

        weight = np.tile(
            kernel.astype(np.float32).reshape((1, 1, *along(kernel.size, 1))),
            (channels, 1, *(1,) * rank),
        )
        return Conv(
            name or self._name("cells"),
            weight,
            np.zeros(channels, np.float32),
            along(stride, 1),
            (*along(begin, 0), *along(end, 0)),
            (1,) * rank,
            channels,
        )

    # cells picked one by one

    def _by_moves(self, axis: int, source: str, cells: np.ndarray, name: str) -> str:
        count = len(cells)
        result = (*self.shape[: 1 + axis], count, *self.shape[2 + axis :])
        numbers = np.arange(prod(self.shape)).reshape(self.shape)

        def largest(part: np.ndarray, name: str) -> str:
            if part.shape[1] == 1:
                picked = np.take(numbers, part[:, 0], 1 + axis).reshape(-1)
                return self._add(Permute(name or self._name("cells"), result, picked), source)
            half = -(-part.shape[1] // 2)
            b = largest(part[:, :half], "")
            difference = self._difference(largest(part[:, half:], ""), b)
            more = self._add(Activation(self._name("more")), difference)
            return self._add(Add(name or self._name("largest")), b, more)

        return largest(cells, name)

    # what both share

    def _difference(self, a: str, b: str) -> str:
        channels, rank = self.shape[0], len(self.shape) - 1
        turned = Conv(
            self._name("turned"),
            np.full((channels, 1, *(1,) * rank), -1, np.float32),
            np.zeros(channels, np.float32),
            (1,) * rank,
            (0,) * (2 * rank),
            (1,) * rank,
            channels,
        )
        return self._add(Add(self._name("difference")), a, self._add(turned, b))

    def _name(self, what: str) -> str:
        wish = f"{self.pool.name}/{what}"
        name, number = wish, 1
        while name in self.inputs:
            number += 1
            name = f"{wish}_{number}"
        return name

    def _add(self, node: Node, *sources: str) -> str:
        self.nodes.append(node)
        self.inputs[node.name] = sources
        return node.name


def _nearest(cells: np.ndarray, size: int) -> np.ndarray:
    """Cells outside 0..size - 1 exchanged for the nearest inside among those of their window."""
    inside = (cells >= 0) & (cells < size)
    first, last = inside.argmax(1), cells.shape[1] - 1 - inside[:, ::-1].argmax(1)
    place = np.clip(np.arange(cells.shape[1])[None], first[:, None], last[:, None])
    return np.take_along_axis(cells, place, 1)
