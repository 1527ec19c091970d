"""A trained network as a NIR graph: each level is an LIF node of its own.

NIR has no neuron of several levels. K nodes read the same convolution, and what reads the neuron
has an edge from each: edges into a node add up, so residual sums are edges, too.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from neurodeploy.errors import UsageError
from neurodeploy.files import write_atomically
from neurodeploy.network.nir_export import nir_bytes, nir_library
from neurodeploy.training.multi_level_firing import MultiLevelFiring
from neurodeploy.training.spiking_resnet import BasicBlock, SpikingResNet

__all__ = ["DT", "nir_graph", "save_nir"]

#: Seconds a step: what ``--dt`` has to say when the graph is compiled.
DT = 1e-3

Shape = tuple[int, ...]
#: Names of the nodes whose results add up to a signal, and its shape.
Signal = tuple[tuple[str, ...], Shape]


def nir_graph(network: SpikingResNet, shape: Shape) -> Any:
    """The network as a ``nir.NIRGraph``: Conv2d (batch norm folded), LIF, AvgPool2d, Affine.

    NIR does not say how long a step is, nor what a spike does: compile it with ``--dt 1e-3 --reset
    zero``. Its output at a step is what that step adds to the logits.

    Parameters
    ----------
    shape
        Of an image, (C, H, W).

    Raises
    ------
    UsageError
        The extra ``nir`` is not installed, or a network that reads frames.
    """
    if network.design.coding != "direct":
        raise UsageError("networks that read frames are not written as NIR", place="output")
    return _Writer().graph(network.eval(), shape)


def save_nir(network: SpikingResNet, shape: Shape, path: Path) -> None:
    """Write `nir_graph` to a file, whole or not at all."""
    write_atomically(path, nir_bytes(nir_graph(network, shape)))


class _Writer:
    def __init__(self) -> None:
        self.nir = nir_library()
        self.nodes: dict[str, Any] = {}
        self.edges: list[tuple[str, str]] = []

    def graph(self, network: SpikingResNet, shape: Shape) -> Any:
        self.nodes["input"] = self.nir.Input({"input": np.array(shape)})
        signal = self.fires(
            "stem", self.convolved("stem", (("input",), shape), network.stem), network.fires
        )
        for number, block in enumerate(network.blocks, 1):
            assert isinstance(block, BasicBlock)
            signal = self.block(f"block{number}", signal, block)
        sources, (channels, rows, columns) = signal
        window = np.array([rows, columns])
        self.add("pool", self.nir.AvgPool2d(window, window, np.zeros(2, int)), sources)
        flat = self.nir.Flatten({"input": np.array([channels, 1, 1])}, 0, -1)
        self.add("flat", flat, ("pool",))
        weight, bias = (_array(p) for p in (network.head.weight, network.head.bias))
        self.add("head", self.nir.Affine(weight, bias), ("flat",))
        self.add("output", self.nir.Output({"output": np.array([len(bias)])}), ("head",))
        return self.nir.NIRGraph(nodes=self.nodes, edges=self.edges, type_check=False)

    def block(self, name: str, x: Signal, block: BasicBlock) -> Signal:
        inner = self.fires(
            f"{name}.inner", self.convolved(f"{name}.first", x, block.first), block.inner
        )
        way = self.convolved(f"{name}.second", inner, block.second)
        shortcut = x
        if isinstance(block.shortcut, nn.Sequential):
            conv, neuron = block.shortcut
            shortcut = self.fires(
                f"{name}.shortcut", self.convolved(f"{name}.across", x, conv), neuron
            )
        elif not isinstance(block.shortcut, nn.Identity):
            shortcut = self.convolved(f"{name}.across", x, block.shortcut)
        if block.kind == "ds":
            sent = self.fires(f"{name}.outer", way, block.outer)
            return (*sent[0], *shortcut[0]), sent[1]
        both = (*way[0], *shortcut[0]), way[1]
        return self.fires(f"{name}.outer", both, block.outer)

    def add(self, name: str, node: Any, sources: tuple[str, ...]) -> None:
        self.nodes[name] = node
        self.edges += [(source, name) for source in sources]

    def convolved(self, name: str, x: Signal, layer: nn.Module) -> Signal:
        """A convolution and its batch norm, as inference has it: one node."""
        sources, (_, rows, columns) = x
        conv, norm = layer.conv, layer.norm
        assert isinstance(conv, nn.Conv2d)
        assert isinstance(norm, nn.modules.batchnorm._BatchNorm)
        assert norm.running_mean is not None
        assert norm.running_var is not None
        scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        weight = _array(conv.weight * scale[:, None, None, None])
        bias = _array(norm.bias - norm.running_mean * scale)
        node = self.nir.Conv2d((rows, columns), weight, conv.stride, conv.padding, 1, 1, bias)
        self.add(name, node, sources)
        # as BasicBlock makes them: half the kernel around the map
        side, stride = weight.shape[-1], int(conv.stride[0])
        height, width = ((size + 2 * (side // 2) - side) // stride + 1 for size in (rows, columns))
        return (name,), (len(bias), height, width)

    def fires(self, name: str, x: Signal, neuron: nn.Module) -> Signal:
        """An LIF node a level."""
        assert isinstance(neuron, MultiLevelFiring)
        sources, shape = x
        ones = np.ones(shape)  # in float64, so that the input's gain is 1 to the bit
        names = []
        for level, threshold in enumerate(neuron.thresholds, 1):
            tau = DT / neuron.leak
            node = self.nir.LIF(
                tau * ones, ones / neuron.leak, 0 * ones, threshold * ones, v_reset=0 * ones
            )
            names.append(f"{name}.level{level}")
            self.add(names[-1], node, sources)
        return tuple(names), shape


def _array(tensor: torch.Tensor) -> np.ndarray:
    made: np.ndarray = tensor.detach().cpu().float().numpy()
    return made
