"""Max pooling over many cells as poolings over few: the same maxima."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

import neurodeploy as nd
from neurodeploy.network import Activation, Input, Network, Output, Pool
from neurodeploy.network.evaluate import Evaluator
from neurodeploy.passes import SplitMaxPooling


def pooling(shape, **options):
    nodes = [Input("x", shape), Activation("a"), Pool("p", "max", **options)]
    inputs = {"x": (), "a": ("x",), "p": ("a",), "y": ("p",)}
    return Network([*nodes, Output("y")], inputs)


@given(st.data())
@settings(max_examples=80, deadline=None, derandomize=True)
def test_maxima_stay_the_same(data):
    size = [data.draw(st.integers(1, 30)) for _ in range(2)]
    kernel = [data.draw(st.integers(1, s)) for s in size]
    stride = tuple(data.draw(st.integers(1, 4)) for _ in range(2))
    dilation = tuple(data.draw(st.integers(1, 2)) for _ in range(2))
    pads = [data.draw(st.integers(0, max(0, k - 1))) for k in kernel * 2]
    for axis in range(2):
        span = (kernel[axis] - 1) * dilation[axis] + 1
        assume(span <= size[axis] + pads[axis] + pads[axis + 2])
    network = pooling(
        (2, *size), kernel=tuple(kernel), stride=stride, padding=tuple(pads), dilation=dilation
    )
    most = data.draw(st.integers(8, 14))
    split = SplitMaxPooling(most).apply(network)
    x = np.random.default_rng(0).normal(size=(3, 2, *size)).astype(np.float32)
    assert split.shapes["y"] == network.shapes["y"]
    assert (Evaluator(split).run(x)["y"] == Evaluator(network).run(x)["y"]).all()
    if not any(pads):
        assert all(np.prod(n.kernel) <= most for n in split if isinstance(n, Pool))


def test_few_cells_and_averages_are_left_alone():
    network = pooling((2, 6, 6), kernel=(3, 3), stride=(2, 2))
    assert [n.name for n in SplitMaxPooling(14).apply(network)] == ["x", "a", "p", "y"]


@pytest.mark.parametrize("size", [5, 17, 28])
def test_a_global_max_pooling_compiles_in_radix(size, tmp_path):
    """28 x 28 cells, and a prime number of them, which no equal parts make up."""
    rng = np.random.default_rng(size)
    weights = {"w": rng.normal(size=(3, 1, 3, 3)), "f": rng.normal(size=(3, 2))}
    made = helper.make_model(
        helper.make_graph(
            [
                helper.make_node("Conv", ["x", "w"], ["c"], pads=[1, 1, 1, 1]),
                helper.make_node("Relu", ["c"], ["r"]),
                helper.make_node("GlobalMaxPool", ["r"], ["g"]),
                helper.make_node("Flatten", ["g"], ["v"]),
                helper.make_node("MatMul", ["v", "f"], ["y"]),
            ],
            "pooled",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 1, size, size])],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 2])],
            [numpy_helper.from_array(w.astype(np.float32), n) for n, w in weights.items()],
        ),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=9,
    )
    onnx.save(made, tmp_path / "m.onnx")
    x = rng.random((6, 1, size, size)).astype(np.float32)
    program = nd.compile(tmp_path / "m.onnx", calibration=x, scheme="radix", bits=8, scale=1)
    found = nd.simulate(program, x)
    maps = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(maps[:, 0], (3, 3), axis=(1, 2))
    sums = np.einsum("nhwij,cij->nchw", windows, weights["w"][:, 0])
    expected = np.maximum(sums, 0).max((2, 3)) @ weights["f"]
    assert np.abs(found.outputs - expected).max() < 0.02 * np.abs(expected).max()
