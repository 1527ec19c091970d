"""A trained network as ONNX: one time step of it, its neurons as `LeakyIntegrateAndFire`."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from neurodeploy.files import write_atomically
from neurodeploy.training.fostdgd.network import IntegrateAndFireNetwork
from neurodeploy.training.fostdgd.synapses import ConvolutionalSynapses

__all__ = ["onnx_model", "save_onnx"]

#: Domain of the spiking operators.
_DOMAIN = "ai.neurodeploy"
_OPSET = 20


def onnx_model(network: IntegrateAndFireNetwork) -> onnx.ModelProto:
    """The graph of one step: samples in, what the step adds to the read-out out.

    Reset and threshold stand in the graph; ``--steps`` says how many steps there are.
    """
    nodes: list[onnx.NodeProto] = []
    weights: list[onnx.TensorProto] = []
    value, shape = "input", network.input_shape

    def add(kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        domain = _DOMAIN if kind == "LeakyIntegrateAndFire" else ""
        nodes.append(helper.make_node(kind, inputs, [output], output, domain=domain, **attributes))
        return output

    for number, synapses in enumerate(network.synapses, 1):
        weight = synapses.weight.detach().to("cpu").float().numpy()
        last = number == len(network.synapses)
        name = f"weight{number}"
        if isinstance(synapses, ConvolutionalSynapses):
            value = add(
                "Conv", [value, name], f"conv{number}",
                strides=[synapses.stride] * 2, pads=[synapses.padding] * 4,
            )  # fmt: skip
        else:
            if len(shape) > 1:
                value = add("Flatten", [value], f"flatten{number}", axis=1)
            weight = np.ascontiguousarray(weight.T)
            value = add("MatMul", [value, name], "logits" if last else f"fc{number}")
        weights.append(numpy_helper.from_array(weight, name))
        if not last:
            value = add(
                "LeakyIntegrateAndFire", [value], f"neurons{number}",
                leak=0.0, threshold=float(network.threshold), reset=network.reset,
            )  # fmt: skip
        shape = synapses.shape
    graph = helper.make_graph(
        nodes,
        "step",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["n", *network.input_shape])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", *shape])],
        weights,
    )
    opsets = [helper.make_opsetid("", _OPSET), helper.make_opsetid(_DOMAIN, 1)]
    model = helper.make_model(graph, opset_imports=opsets, producer_name="neurodeploy.training")
    model.ir_version = 10  # what all runtimes of the opset read
    return model


def save_onnx(network: IntegrateAndFireNetwork, path: str | os.PathLike[str]) -> None:
    """Write `onnx_model` to a file, whole or not at all.

    Raises
    ------
    StorageError
    """
    write_atomically(os.fsdecode(path), onnx_model(network).SerializeToString())
