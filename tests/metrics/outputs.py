"""Small ONNX networks, one for each kind of output."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def write(
    path: Path,
    shape: tuple[int, ...],
    layers: list[tuple[str, dict, list[np.ndarray]]],
    opset: int = 17,
) -> Path:
    """A chain of nodes: (operator, attributes, constants behind its first input)."""
    nodes, constants, before = [], [], "x"
    for i, (kind, attributes, values) in enumerate(layers):
        names = [f"c{i}_{k}" for k in range(len(values))]
        constants += [numpy_helper.from_array(v, n) for v, n in zip(values, names, strict=True)]
        after = "y" if i + 1 == len(layers) else f"t{i}"
        nodes.append(helper.make_node(kind, [before, *names], [after], f"n{i}", **attributes))
        before = after
    graph = helper.make_graph(
        nodes,
        "outputs",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", *shape])],
        [onnx.ValueInfoProto(name="y")],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    kind = TensorProto.INT64 if layers[-1][0] == "ArgMax" else TensorProto.FLOAT
    model.graph.output[0].type.tensor_type.elem_type = kind
    onnx.save(onnx.shape_inference.infer_shapes(model), path)
    return path


def dense(rng: np.random.Generator, inputs: int, outputs: int) -> tuple:
    weight = rng.normal(0, inputs**-0.5, (inputs, outputs)).astype(np.float32)
    return ("Gemm", {}, [weight, rng.normal(0, 0.1, outputs).astype(np.float32)])


def conv(rng: np.random.Generator, inputs: int, outputs: int, kernel: tuple[int, ...]) -> tuple:
    weight = rng.normal(0, (inputs * np.prod(kernel)) ** -0.5, (outputs, inputs, *kernel))
    pads = [n // 2 for n in kernel] * 2
    bias = rng.normal(0, 0.1, outputs)
    return ("Conv", {"pads": pads}, [weight.astype(np.float32), bias.astype(np.float32)])


RELU = ("Relu", {}, [])
