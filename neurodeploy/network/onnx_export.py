"""A Network back to ONNX, so that ONNX Runtime can compute it: the float reference."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from neurodeploy.errors import ModelError, UsageError
from neurodeploy.network.network import Network
from neurodeploy.network.nodes import (
    Activation,
    Add,
    Concat,
    Conv,
    Dense,
    Input,
    Node,
    Output,
    Permute,
    Pool,
)
from neurodeploy.onnx_tensors import named_tensor

__all__ = ["to_onnx"]

#: The first operator set with dilated average pooling; every supported ONNX Runtime reads it.
OPSET = 19
IR_VERSION = 9
#: Values of a tensor from which on it may be kept apart.
_FEW = 2**16


class _Writer:
    """Collects ONNX nodes and initialisers under names that do not collide."""

    def __init__(self, taken: set[str], apart: dict[str, np.ndarray] | None) -> None:
        self._taken, self._apart = taken, apart
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []

    def fresh(self, wish: str) -> str:
        name, count = wish, 1
        while name in self._taken:
            count += 1
            name = f"{wish}:{count}"
        self._taken.add(name)
        return name

    def constant(self, wish: str, values: np.ndarray) -> str:
        name = self.fresh(wish)
        if self._apart is not None and values.size > _FEW:
            self._apart[name] = np.ascontiguousarray(values)
            self.initializers.append(named_tensor(name, values))
        else:
            self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def node(self, kind: str, inputs: Sequence[str], output: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(kind, list(inputs), [output], output, **attributes))
        return output

    def ints(self, wish: str, values: Sequence[int]) -> str:
        return self.constant(wish, np.asarray(values, np.int64))


def _permute(writer: _Writer, node: Permute, source: str, size: int) -> None:
    name = node.name
    target = writer.ints(f"{name}.shape", [-1, *node.shape])
    if node.indices is None:
        writer.node("Reshape", [source, target], name)
        return
    flat = writer.ints(f"{name}.flat", [-1, size])
    current = writer.node("Reshape", [source, flat], writer.fresh(f"{name}.flattened"))
    indices = node.indices
    if bool((indices < 0).any()):
        # A zero behind the last element; -1 reads it.
        ends = writer.ints(f"{name}.ends", [0, 0, 0, 1])
        current = writer.node("Pad", [current, ends], writer.fresh(f"{name}.padded"))
        indices = np.where(indices < 0, size, indices)
    chosen = writer.constant(f"{name}.indices", indices.astype(np.int64))
    gathered = writer.fresh(f"{name}.gathered")
    writer.node("Gather", [current, chosen], gathered, axis=1)
    writer.node("Reshape", [gathered, target], name)


def _pool(writer: _Writer, node: Pool, source: str) -> None:
    window = {
        "kernel_shape": node.kernel,
        "strides": node.stride,
        "pads": node.padding,
        "dilations": node.dilation,
    }
    if node.operation == "max":
        writer.node("MaxPool", [source], node.name, **window)
    else:
        include = int(node.count_include_pad)
        writer.node("AveragePool", [source], node.name, count_include_pad=include, **window)


def _staircase(writer: _Writer, node: Activation, source: str, low: str, high: str) -> None:
    """``floor(clip(x) L / maximum + 1/2) maximum / L``."""
    assert node.levels is not None
    assert node.maximum is not None
    name, step = node.name, node.maximum / node.levels
    current = writer.node("Clip", [source, low, high], writer.fresh(f"{name}.clipped"))
    for kind, value in (("Div", step), ("Add", 0.5)):
        constant = writer.constant(f"{name}.constant", np.asarray(value, np.float32))
        current = writer.node(kind, [current, constant], writer.fresh(f"{name}.{kind}"))
    current = writer.node("Floor", [current], writer.fresh(f"{name}.level"))
    unit = writer.constant(f"{name}.step", np.asarray(step, np.float32))
    writer.node("Mul", [current, unit], name)


def _write(writer: _Writer, node: Node, sources: tuple[str, ...], size: int, rank: int) -> None:
    """Append the ONNX form of one node; its result carries the node's name."""
    name = node.name
    if isinstance(node, Dense):
        if rank != 1:
            flat = writer.fresh(f"{name}.flattened")
            sources = (writer.node("Flatten", sources, flat),)
        weight = writer.constant(f"{name}.weight", node.weight)
        bias = writer.constant(f"{name}.bias", node.bias)
        writer.node("Gemm", [*sources, weight, bias], name, transB=1)
    elif isinstance(node, Conv):
        weight = writer.constant(f"{name}.weight", node.weight)
        bias = writer.constant(f"{name}.bias", node.bias)
        own = node.bias.ndim > 1  # one bias a neuron: ONNX's Conv has no place for it
        writer.node(
            "Conv",
            [*sources, weight] if own else [*sources, weight, bias],
            writer.fresh(f"{name}.unbiased") if own else name,
            strides=node.stride,
            pads=node.padding,
            dilations=node.dilation,
            group=node.groups,
            kernel_shape=node.kernel,
        )
        if own:
            writer.node("Add", [writer.nodes[-1].output[0], bias], name)
    elif isinstance(node, Pool):
        _pool(writer, node, sources[0])
    elif isinstance(node, Activation):
        if node.function == "identity":
            writer.node("Identity", sources, name)
        elif node.maximum is None:
            writer.node("Relu", sources, name)
        else:
            low = writer.constant(f"{name}.minimum", np.zeros((), np.float32))
            high = writer.constant(f"{name}.maximum", np.asarray(node.maximum, np.float32))
            if node.levels is None:
                writer.node("Clip", [*sources, low, high], name)
            else:
                _staircase(writer, node, sources[0], low, high)
    elif isinstance(node, Add):
        writer.node("Sum", sources, name)
    elif isinstance(node, Concat):
        writer.node("Concat", sources, name, axis=node.axis + 1)
    elif isinstance(node, Permute):
        _permute(writer, node, sources[0], size)
    elif isinstance(node, Output):
        writer.node("Identity", sources, name)
    else:
        raise ModelError(f"a {type(node).__name__} node has no ONNX form", place=name)


def to_onnx(
    network: Network, taps: Sequence[str] = (), apart: dict[str, np.ndarray] | None = None
) -> onnx.ModelProto:
    """The float network as an ONNX model with a dynamic batch axis.

    1. Every node's result is an ONNX value of the node's name.
    2. The first output is the network's `Output`; the taps follow, each once, in the order given.
    3. `Permute` becomes Reshape, or Reshape, Gather, Reshape (with a zero appended for -1).

    Parameters
    ----------
    network
        The network to write.
    taps
        Names of nodes whose results become further outputs.
    apart
        Takes the large tensors by name, which the model then only names: a protobuf is copied
        several times before ONNX Runtime has it.

    Returns
    -------
    onnx.ModelProto
        Input float32 (batch, *input shape); outputs float32 (batch, *node shape).

    Raises
    ------
    UsageError
        A tap that is not in the network, or is its input (which is known already).
    """
    output = network.output.name
    wanted = [output, *dict.fromkeys(name for name in taps if name != output)]
    for name in wanted:
        if name not in network.graph or isinstance(network[name], Input):
            raise UsageError("is no node whose result can be tapped", place=name)
    writer = _Writer({node.name for node in network}, apart)
    shapes = network.shapes
    for node in network:
        sources = network.inputs_of(node.name)
        if not isinstance(node, Input):
            first = shapes[sources[0]]
            _write(writer, node, sources, prod(first), len(first))

    def info(name: str) -> onnx.ValueInfoProto:
        shape: list[str | int | None] = ["batch", *shapes[name]]
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

    graph = helper.make_graph(
        writer.nodes,
        "network",
        [info(network.input.name)],
        [info(name) for name in wanted],
        writer.initializers,
    )
    opset = helper.make_opsetid("", OPSET)
    return helper.make_model(
        graph, ir_version=IR_VERSION, opset_imports=[opset], producer_name="neurodeploy"
    )
