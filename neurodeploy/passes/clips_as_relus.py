"""Clipped ReLUs by ReLUs: ``min(relu(x), m) = relu(relu(x) - relu(x - m))``."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from neurodeploy.network import Activation, Add, Conv, Dense, Network, Node, Shape
from neurodeploy.passes.base import fresh

__all__ = ["ClipsAsReLUs"]


@dataclass(frozen=True)
class ClipsAsReLUs:
    """Write clips (ReLU6) as differences, for neurons that cannot clip.

    Cases
    -----
    1. A ReLU with a maximum: three times as many neurons, and a step more.
    2. With levels (a staircase that was trained): left alone, no neuron without it says the same.
    """

    name: str = "clips-as-relus"

    def apply(self, network: Network) -> Network:
        """The network without clips."""
        nodes: list[Node] = []
        inputs: dict[str, tuple[str, ...]] = {}

        def add(node: Node, *sources: str) -> str:
            nodes.append(node)
            inputs[node.name] = sources
            return node.name

        for node in network:
            sources = network.inputs_of(node.name)
            if not (isinstance(node, Activation) and node.maximum is not None and not node.levels):
                add(node, *sources)
                continue
            shape = network.shapes[sources[0]]
            name = {
                part: fresh(f"{node.name}/{part}", network.graph)
                for part in ("below", "beyond", "above", "less", "joined")
            }
            below = add(replace(node, name=name["below"], maximum=None), sources[0])
            beyond = add(_affine(name["beyond"], shape, 1.0, -node.maximum), sources[0])
            above = add(Activation(name["above"]), beyond)
            less = add(_affine(name["less"], shape, -1.0, 0.0), above)
            # one population again, a step later: what reads it has one path, not two
            joined = add(Add(name["joined"]), below, less)
            add(replace(node, maximum=None), joined)
        return Network(nodes, inputs)


def _affine(name: str, shape: Shape, scale: float, shift: float) -> Node:
    """``scale * x + shift`` for all neurons."""
    channels, rank = shape[0], len(shape) - 1
    bias = np.full(channels, shift, np.float32)
    if rank == 0:
        return Dense(name, np.eye(channels, dtype=np.float32) * np.float32(scale), bias)
    weight = np.full((channels, 1, *(1,) * rank), scale, np.float32)
    return Conv(name, weight, bias, (1,) * rank, (0,) * (2 * rank), (1,) * rank, channels)
