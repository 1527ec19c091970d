"""Max pooling over many cells as several poolings over few."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import gcd, prod
from typing import Any

from neurodeploy.network import Network, Node, Pool
from neurodeploy.passes.base import fresh

__all__ = ["SplitMaxPooling"]


@dataclass(frozen=True)
class SplitMaxPooling:
    """The maximum of maxima, where a neuron tells only so many inputs apart.

    Attributes
    ----------
    most
        Cells that one pooling may have; at least 2.

    Cases
    -----
    1. Several axes: one axis after the other.
    2. One axis of K cells: windows of a cells, and of these b that lie t apart, where t is at most
       a and a + (b - 1) t = K. Windows that overlap change no maximum. Only the windows that are
       read are made.
    3. At most `most` cells, and average poolings: left alone.

    Left alone as well, and refused by the conversion: padding of as many cells as a split window,
    which would then hold nothing.
    """

    most: int
    name: str = "split-max-pooling"

    def apply(self, network: Network) -> Network:
        """The network with no max pooling over more than `most` cells where the cases allow."""
        nodes: list[Node] = []
        inputs = {node.name: network.inputs_of(node.name) for node in network}
        taken = set(inputs)
        for node in network:
            if not isinstance(node, Pool) or node.operation != "max":
                nodes.append(node)
                continue
            parts = self._parts(node, network.shapes[node.name])
            sources = inputs[node.name]
            for k, part in enumerate(parts[:-1], 1):
                made = replace(part, name=fresh(f"{node.name}.part{k}", taken))
                taken.add(made.name)
                nodes.append(made)
                inputs[made.name], sources = sources, (made.name,)
            nodes.append(replace(parts[-1], name=node.name))
            inputs[node.name] = sources
        return Network(nodes, inputs)

    def _parts(self, node: Pool, shape: tuple[int, ...]) -> list[Pool]:
        """Poolings that do the same one after the other; the node itself if it is left alone."""
        if prod(node.kernel) <= self.most:
            return [node]
        parts: list[Pool] = []
        for axis in range(len(node.kernel)):
            along = _along(node, axis)
            if along.kernel[axis] > self.most:
                split = self._windows(along, axis, shape[1 + axis])
                if split is None:
                    return [node]
                parts += split
            elif along.kernel[axis] > 1 or along.stride[axis] > 1:
                parts.append(along)
        return parts or [node]

    def _windows(self, node: Pool, axis: int, size: int) -> list[Pool] | None:
        """Case 2; `size` is that of the result along the axis."""
        kernel, dilation = node.kernel[axis], node.dilation[axis]
        rank = len(node.kernel)
        for count in range(2, self.most + 1):
            for width in range(self.most, 1, -1):
                apart, rest = divmod(kernel - width, count - 1)
                if rest or not 0 < apart <= width:
                    continue
                if max(node.padding[axis], node.padding[rank + axis]) >= width:
                    continue
                # places of the windows that are read: whole numbers of this many cells
                reach = apart * dilation
                stride = node.stride[axis] if size > 1 else reach
                step = gcd(stride, reach)
                first = _with(node, axis, kernel=width, stride=step)
                none = tuple(0 for _ in node.padding)
                second = _with(
                    replace(node, padding=none), axis,
                    kernel=count, stride=stride // step, dilation=reach // step,
                )  # fmt: skip
                return [first, second]
        return None


def _with(node: Pool, axis: int, **changed: int) -> Pool:
    """The pooling with other numbers along one axis."""
    found: dict[str, Any] = {}
    for name, value in changed.items():
        old = getattr(node, name)
        found[name] = (*old[:axis], value, *old[axis + 1 :])
    return replace(node, **found)


def _along(node: Pool, axis: int) -> Pool:
    """The pooling along one axis alone."""
    rank = len(node.kernel)

    def only(values: tuple[int, ...], neutral: int) -> tuple[int, ...]:
        return tuple(v if k % rank == axis else neutral for k, v in enumerate(values))

    return replace(
        node,
        kernel=only(node.kernel, 1),
        stride=only(node.stride, 1),
        padding=only(node.padding, 0),
        dilation=only(node.dilation, 1),
    )
