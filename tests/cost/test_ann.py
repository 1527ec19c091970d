"""Multiply-accumulates of the ONNX model, and of a program alone."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from costed import pairs, small_program
from onnx import TensorProto, helper, numpy_helper

import neurodeploy as nd
from neurodeploy.cost import ann_cost
from neurodeploy.errors import ModelError, NeuroDeployError


def convolutional(path):
    """Conv (padded), batch norm, ReLU, average pooling, grouped Conv, ReLU, Gemm."""
    rng = np.random.default_rng(0)

    def tensor(name, *shape):
        values = rng.random(shape).astype(np.float32) + 0.1
        return numpy_helper.from_array(values - (0.5 if len(shape) > 1 else 0), name)

    nodes = [
        helper.make_node("Conv", ["x", "w1"], ["a"], "first", pads=[1, 1, 1, 1]),
        helper.make_node("BatchNormalization", ["a", "s", "b", "m", "v"], ["c"], "norm"),
        helper.make_node("Relu", ["c"], ["d"]),
        helper.make_node("AveragePool", ["d"], ["e"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Conv", ["e", "w2"], ["f"], "second", group=2),
        helper.make_node("Relu", ["f"], ["g"]),
        helper.make_node("Flatten", ["g"], ["h"]),
        helper.make_node("Gemm", ["h", "w3"], ["y"], "head", transB=1),
    ]
    weights = [tensor("w1", 4, 2, 3, 3), tensor("w2", 6, 2, 2, 2), tensor("w3", 5, 24)]
    statistics = [tensor(name, 4) for name in "sbmv"]
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 2, 6, 6])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 5])],
        [*weights, *statistics],
    )
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path
    )
    return path


def test_of_the_model(tmp_path):
    """Every tap of every position, padding too; pooling and batch norm none."""
    path = convolutional(tmp_path / "m.onnx")
    program = nd.compile(path, calibration=np.random.default_rng(1).random((9, 2, 6, 6)))
    found = ann_cost(program, path)
    assert found.basis == "model"
    assert sorted(found.layers.values()) == [24 * 5, 6 * 2 * 2 * 2 * 4, 4 * 2 * 9 * 36]
    assert found.multiply_accumulates == sum(found.layers.values())
    # the pooling is folded into the second convolution, padding has no synapses
    alone = ann_cost(program)
    assert alone.basis == "program"
    assert list(alone.layers) == [c.name for c in program.connections]
    assert alone.layers[program.connections[0].name] == 4 * 2 * 16 * 16
    assert alone.layers[program.connections[1].name] == 4 * 6 * 2 * 2 * 2 * 4


def test_of_a_program():
    program = small_program()
    found = ann_cost(program)
    assert found.layers == {c.name: len(pairs(program, c)) for c in program.connections}
    assert found.multiply_accumulates == sum(found.layers.values())


def test_another_model_is_refused(tmp_path, fashion):
    path = convolutional(tmp_path / "m.onnx")
    program = nd.compile(path, calibration=np.random.default_rng(1).random((9, 2, 6, 6)))
    with pytest.raises(ModelError, match="sha-256"):
        ann_cost(program, fashion / "model.onnx")
    with pytest.raises(NeuroDeployError):
        ann_cost(program, tmp_path / "nowhere.onnx")


def test_the_reference_network(fashion, fashion_program):
    """3x3 convolutions on 28x28 and 14x14, two dense layers."""
    found = ann_cost(fashion_program, fashion / "model.onnx")
    assert list(found.layers.values()) == [
        32 * 9 * 784,
        32 * 32 * 9 * 784,
        64 * 32 * 9 * 196,
        64 * 64 * 9 * 196,
        3136 * 256,
        2560,
    ]
