"""Vectors whose features have very different sizes: each is told apart, in every code."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

import neurodeploy as nd

RNG = np.random.default_rng(5)
SIZES = np.array([1e3, 1.0, 1e-2, 30.0, 300.0, 5.0])
STARTS = np.array([-500.0, 3.0, 0.0, 100.0, 0.0, -2.5])


def features(n):
    return (STARTS + SIZES * RNG.random((n, 6))).astype(np.float32)


def scaled_mlp():
    """A StandardScaler before a small network, as exporters write it: subtract, divide, layers."""
    weights = {
        "mean": (STARTS + SIZES / 2).astype(np.float32),
        "std": (SIZES / 3.5).astype(np.float32),
        "w": RNG.normal(0, 0.6, (6, 16)).astype(np.float32),
        "v": RNG.normal(0, 0.4, (16, 3)).astype(np.float32),
    }
    nodes = ["Sub x mean a", "Div a std b", "MatMul b w c", "Relu c d", "MatMul d v y"]
    graph = helper.make_graph(
        [helper.make_node((p := line.split())[0], p[1:-1], p[-1:]) for line in nodes],
        "scaled",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 6])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 3])],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    opsets = [helper.make_opsetid("", 17)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString()


@pytest.mark.parametrize("scheme", ["rate", "ttfs", "radix", "online", "graded"])
def test_every_feature_counts(scheme):
    model, x = scaled_mlp(), features(120)
    exact = onnxruntime.InferenceSession(model).run(None, {"x": x})[0]
    program = nd.compile(model, x[:60], scheme=scheme, try_samples=0, warn=lambda line: None)
    found = nd.simulate(program, x[60:], warn=lambda line: None)
    error = np.sqrt(np.mean((found.outputs - exact[60:]) ** 2)) / exact.std()
    assert len(program.encoder.channel_units) == 6
    assert error < 0.12


def test_what_leaves_a_features_own_range_is_told():
    """300 is nothing for the first feature, and far from what the third one knows."""
    x = features(80)
    said: list[str] = []
    program = nd.compile(scaled_mlp(), x, scheme="graded", warn=lambda line: None)
    near = x[:40].copy()
    near[:, 2] += SIZES[2] / 10  # an eighth of each range is left on both sides
    nd.simulate(program, near, warn=said.append)
    assert not said
    x[7, 2] = 300.0
    nd.simulate(program, x, warn=said.append)
    (line,) = said
    assert "1 of 80 samples" in line
    assert "feature 2 with 300" in line


def test_maps_of_several_sizes_are_told_by_channel():
    kernel = numpy_helper.from_array(RNG.normal(0, 1, (4, 2, 3, 3)).astype(np.float32), "w")
    graph = helper.make_graph(
        [
            helper.make_node("Conv", ["x", "w"], ["a"]),
            helper.make_node("Relu", ["a"], ["y"]),
        ],
        "maps",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 2, 5, 5])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 4, 3, 3])],
        [kernel],
    )
    opsets = [helper.make_opsetid("", 17)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    x = (RNG.random((40, 2, 5, 5)) * [[[[1.0]], [[8.0]]]]).astype(np.float32)
    program = nd.compile(model, x, scheme="graded", warn=lambda line: None)
    said: list[str] = []
    nd.simulate(program, x, warn=said.append)
    assert not said
    nd.simulate(program, np.where(x < 1, 7 * x, x), warn=said.append)
    assert "channel 0 with" in said[0]


def test_flattened_images_keep_one_grid():
    """Pixels at the border hardly vary, and nothing weighs them up."""
    x = RNG.random((60, 64)).astype(np.float32)
    x[:, :9] *= 0.004
    weight = numpy_helper.from_array(RNG.normal(0, 0.3, (64, 3)).astype(np.float32), "w")
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        "flat",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 64])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 3])],
        [weight],
    )
    opsets = [helper.make_opsetid("", 17)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    program = nd.compile(model, x, scheme="graded", warn=lambda line: None)
    assert program.encoder.channel_units == ()
