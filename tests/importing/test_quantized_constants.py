"""Weights that the file holds as integers with their scales."""

import numpy as np
import pytest
from onnx import TensorProto

from neurodeploy.network import Dense

from .test_quantized import both, quantised

RNG = np.random.default_rng(23)


def dequantised(model, save, values, scale, zero=None, opset=21, **attributes):
    """A layer whose weight is dequantised agrees, with the weight transposed behind that."""
    names = "w s z" if zero is not None else "w s"
    nodes = [
        ("DequantizeLinear", names, "d", attributes),
        ("Transpose", "d", "t", {"perm": [1, 0]}),
        ("MatMul", "x t", "y"),
    ]
    constants = {"w": values, "s": np.asarray(scale, np.float32)}
    if zero is not None:
        constants["z"] = np.asarray(zero)
    proto = model(nodes, (values.shape[1],), opset=opset, **constants)
    _, found, wanted = both(save(proto), RNG.standard_normal((5, values.shape[1])))
    assert np.abs(found - wanted).max() <= 1e-5 * np.abs(wanted).max()


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.int16, np.uint16])
@pytest.mark.parametrize("opset", [10, 13, 19, 21])
def test_dequantised_weights(model, save, kind, opset):
    if opset < 21 and np.dtype(kind).itemsize == 2:
        pytest.skip("16 bits came with operator set 21")
    ends = np.iinfo(kind)
    values = RNG.integers(ends.min, ends.max, (4, 6), endpoint=True).astype(kind)
    dequantised(model, save, values, 0.03, kind(3), opset)
    dequantised(model, save, values, 0.03, None, opset)
    if opset >= 13:
        zeros = np.arange(6).astype(kind)
        dequantised(model, save, values, RNG.uniform(0.1, 1, 6), zeros, opset)
        each = RNG.uniform(0.1, 1, 4)
        dequantised(model, save, values, each, np.zeros(4, kind), opset, axis=0)
        dequantised(model, save, values, each, None, opset, axis=-2)


def test_dequantised_blocks(model, save):
    values = RNG.integers(-128, 128, (4, 6)).astype(np.int8)
    for axis, block, shape in ((1, 2, (4, 3)), (0, 2, (2, 6)), (1, 6, (4, 1))):
        blocks = RNG.uniform(0.1, 1, shape)
        zeros = RNG.integers(-9, 9, shape).astype(np.int8)
        dequantised(model, save, values, blocks, zeros, axis=axis, block_size=block)


def test_quantised_and_dequantised_weights(model, agree):
    """Quantisation-aware training leaves the float weight and both nodes."""
    nodes = [
        ("QuantizeLinear", "w s z", "q", {"axis": 0}),
        ("DequantizeLinear", "q s z", "d", {"axis": 0}),
        ("Gemm", "x d", "y", {"transB": 1}),
    ]
    weight = np.array([[0.05, 0.15, -0.25, 9], [0.3, -9, 0.1, 0.2]], np.float32)
    scale, zero = np.array([0.1, 0.05], np.float32), np.zeros(2, np.int8)
    imported = agree(model(nodes, (4,), w=weight, s=scale, z=zero), tolerance=1e-6)
    (layer,) = (node for node in imported.network if isinstance(node, Dense))
    assert layer.weight[0].max() == pytest.approx(9)
    assert layer.weight[1].min() == pytest.approx(-6.4)  # the end of the type
    assert [f.verdict for f in imported.findings] == ["folds", "folds", "converts"]


BAD_CONSTANTS = [
    ({"s": np.float32(0)}, {}, "not a positive number"),
    ({"s": np.float32(-1)}, {}, "not a positive number"),
    ({"s": np.float32(np.nan)}, {}, "not a positive number"),
    ({"s": np.zeros(0, np.float32)}, {}, "not a positive number"),
    ({"s": np.int32(1)}, {}, "holds int32"),
    ({"z": np.uint8(0)}, {}, "zero point"),
    ({"z": np.zeros(0, np.int8)}, {}, "zero point"),
    ({"s": np.ones(5, np.float32)}, {"axis": 0}, "do not fit axis 0"),
    ({"s": np.ones(4, np.float32)}, {"axis": 7}, "axis 7"),
    ({"s": np.ones((2, 6), np.float32)}, {"axis": 0}, "do not fit"),
    ({"s": np.ones((2, 6), np.float32)}, {"axis": 1, "block_size": 2}, "do not fit"),
    ({"w": np.ones((4, 6), np.int64)}, {}, "holds int64|zero point"),
    ({"w": np.ones((4, 6), np.float32)}, {}, "holds float32|zero point"),
]


@pytest.mark.parametrize(("changed", "attributes", "words"), BAD_CONSTANTS)
def test_malformed_constants(model, refuses, changed, attributes, words):
    nodes = [("DequantizeLinear", "w s z", "d", attributes), ("Gemm", "x d", "y", {"transB": 1})]
    constants = {"w": np.ones((4, 6), np.int8), "s": np.float32(1), "z": np.int8(0)}
    report = refuses(model(nodes, (6,), opset=21, **{**constants, **changed}), "n-d", match=words)
    assert report.refused[0].remedy


BAD_QUANTISERS = [
    ("x s z", {"s": np.float32(0)}, {}, "not a positive number"),
    ("x s z", {"s": np.float32(-1)}, {}, "not a positive number"),
    ("x s z", {"s": np.float32(np.nan)}, {}, "not a positive number"),
    ("x s z", {"s": np.float32(np.inf)}, {}, "not a positive number"),
    ("x s z", {"s": np.float32(1e37)}, {}, "range"),
    ("x s z", {"s": np.int8(1)}, {}, "holds int8"),
    ("x s z", {"z": np.zeros(0, np.int8)}, {}, "zero point"),
    ("x s z", {"z": np.int32(0)}, {}, "to int32"),
    ("x s z", {"z": np.float32(0)}, {}, "to float32"),
    ("x s z", {"s": np.ones(3, np.float32), "z": np.zeros(3, np.int8)}, {}, "per tensor|one unit"),
    ("x s z", {"s": np.ones((1, 3), np.float32)}, {"block_size": 1}, "in blocks"),
    ("x s z", {}, {"output_dtype": int(TensorProto.UINT8)}, "zero point"),
    ("x s", {}, {"output_dtype": int(TensorProto.INT4)}, "to int4"),
    ("x s", {}, {"output_dtype": int(TensorProto.FLOAT8E4M3FN)}, "to float8"),
    ("x s", {}, {"output_dtype": 999}, "no type"),
    ("x", {}, {}, "has 1 inputs"),
    ("x x z", {}, {}, "not a constant"),
    ("x s x", {}, {}, "not a constant"),
]


@pytest.mark.parametrize(("reads", "changed", "attributes", "words"), BAD_QUANTISERS)
def test_malformed_quantisers(model, refuses, reads, changed, attributes, words):
    nodes = [("QuantizeLinear", reads, "q", attributes), ("DequantizeLinear", "q t", "y")]
    constants = {"s": np.float32(1), "z": np.int8(0), "t": np.float32(1)}
    report = refuses(model(nodes, (3,), opset=21, **{**constants, **changed}), "n-q", match=words)
    assert report.refused[0].remedy


def test_dequantised_with_a_zero_point_of_another_type(model, refuses):
    nodes = [("QuantizeLinear", "x s z", "q"), ("DequantizeLinear", "q s t", "y")]
    constants = {**quantised("", 1, 0, np.int8), "t": np.uint8(0)}
    refuses(model(nodes, (3,), **constants), "n-y", match="zero point")


def test_dequantised_floats(model, refuses):
    refuses(model([("DequantizeLinear", "x s", "y")], (3,), s=np.float32(1)), "n-y", match="floats")
