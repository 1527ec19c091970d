"""QuantizeLinear and DequantizeLinear one by one, integers that only move, integer samples."""

import numpy as np
import pytest
from onnx import TensorProto

from neurodeploy.importing import load_network
from neurodeploy.network import Activation

from .test_quantized import HALF, SAME, SHAPE, both, he, quantised, small

RNG = np.random.default_rng(22)


LAYER = [("Conv", "x w b", "c", SAME), ("Relu", "c", "y")]
W1, B1 = he(4, 2, 3, 3), small(4)


@pytest.mark.parametrize(("kind", "zero"), [(np.int8, -128), (np.uint8, 0), (np.int16, -(2**15))])
def test_a_quantiser_from_0_is_a_relu(model, save, kind, zero):
    nodes = [
        LAYER[0],
        ("QuantizeLinear", "c s z", "q"),
        ("DequantizeLinear", "q s z", "y"),
    ]
    steps = np.iinfo(kind).max - zero
    constants = quantised("", 2 / steps, zero, kind)
    path = save(model(nodes, SHAPE, opset=21, w=W1, b=B1, **constants))
    imported, found, wanted = both(path, RNG.standard_normal((4, *SHAPE)) * 2)
    # Half a step off; the ends are exact.
    assert np.abs(found - wanted).max() <= 1 / steps + 1e-6
    assert wanted.max() == pytest.approx(2)
    (relu,) = (node for node in imported.network if isinstance(node, Activation))
    assert relu.maximum == pytest.approx(2)
    assert [finding.verdict for finding in imported.findings] == ["converts", "converts", "folds"]
    assert "a ReLU that ends at 2" in imported.findings[1].reason


@pytest.mark.parametrize("scale", [0.01, 0.1])
def test_a_relu_ends_where_its_grid_ends(model, save, scale):
    nodes = [
        *(("Conv", "x w b", "c", SAME), ("Clip", "c low high", "r")),
        ("QuantizeLinear", "r s z", "q"),
        ("DequantizeLinear", "q s z", "y"),
    ]
    limits = {"low": np.float32(0), "high": np.float32(6)}
    constants = quantised("", scale, 0, np.int8)
    path = save(model(nodes, SHAPE, w=9 * W1, b=B1, **limits, **constants))
    imported, found, wanted = both(path, RNG.standard_normal((4, *SHAPE)))
    assert np.abs(found - wanted).max() <= 0.5001 * scale
    (relu,) = (node for node in imported.network if isinstance(node, Activation))
    assert relu.maximum == pytest.approx(min(6, 127 * scale))


def test_a_relu_that_others_read_keeps_its_end(model, save):
    nodes = [
        *LAYER[:1],
        ("Relu", "c", "r"),
        ("Identity", "r", "i"),
        ("QuantizeLinear", "i s z", "q"),
        ("DequantizeLinear", "q s z", "d"),
        ("Concat", "r d", "y", {"axis": 1}),
    ]
    path = save(model(nodes, SHAPE, w=W1, b=B1, **quantised("", 0.001, 0, np.int8)))
    imported = load_network(path)
    (relu,) = (node for node in imported.network if isinstance(node, Activation))
    assert relu.maximum is None
    (note,) = (f.reason for f in imported.findings if f.op_type == "QuantizeLinear")
    assert "values beyond 0.127 are not cut off" in note


def test_a_relu_behind_a_grid_of_both_signs(model, save):
    nodes = [
        ("Conv", "x w b", "c", SAME),
        ("QuantizeLinear", "c s z", "q"),
        ("DequantizeLinear", "q s z", "d"),
        ("Relu", "d", "y"),
    ]
    constants = quantised("", 0.01, 100, np.uint8)
    path = save(model(nodes, SHAPE, w=W1, b=B1, **constants))
    imported, found, wanted = both(path, RNG.standard_normal((4, *SHAPE)) * 2)
    assert np.abs(found - wanted).max() <= 0.005001
    (relu,) = (node for node in imported.network if isinstance(node, Activation))
    assert relu.maximum == pytest.approx(1.55)
    nodes[3] = ("Neg", "d", "y")
    imported = load_network(save(model(nodes, SHAPE, w=W1, b=B1, **constants)))
    assert not any(isinstance(node, Activation) for node in imported.network)
    assert "-1 to 1.55 in steps of 0.01, is not modelled" in imported.findings[1].reason


def test_a_grid_that_ends_at_0(model, refuses):
    nodes = [
        ("Relu", "x", "r"),
        ("QuantizeLinear", "r s z", "q"),
        ("DequantizeLinear", "q s z", "y"),
    ]
    constants = quantised("", 0.1, 127, np.int8)
    refuses(model(nodes, (3,), **constants), "n-q", match="leaves nothing")


def test_other_scale_than_that_of_the_quantiser(model, save):
    nodes = [("QuantizeLinear", "x s z", "q"), ("DequantizeLinear", "q ts tz", "y")]
    constants = {**quantised("", 0.02, 10, np.uint8), **quantised("t", 0.05, 30, np.uint8)}
    path = save(model(nodes, (3,), **constants))
    _, found, wanted = both(path, RNG.uniform(-0.2, 4, (50, 3)))
    assert np.abs(found - wanted).max() <= 0.02501


def test_quantised_output(model, save):
    nodes = [("MatMul", "x w", "m"), ("QuantizeLinear", "m s z", "y")]
    proto = model(nodes, (3,), w=he(3, 4), **quantised("", 0.05, 3, np.int8))
    proto.graph.output[0].type.tensor_type.elem_type = TensorProto.INT8
    _, found, wanted = both(save(proto), RNG.standard_normal((50, 3)))
    assert np.abs(found - (wanted - 3) * 0.05).max() <= 0.0251


MOVES = [
    (("Reshape", "q t", "m"), {"t": np.array([0, -1])}),
    (("Flatten", "q", "m"), {}),
    (("Unsqueeze", "q t", "m"), {"t": np.array([1])}),
    (("Transpose", "q", "m", {"perm": [0, 2, 3, 1]}), {}),
    (("Slice", "q a e", "m"), {"a": np.array([0, 1]), "e": np.array([99, 2])}),
    (("Gather", "q t", "m", {"axis": 1}), {"t": np.array([1, 0, 1])}),
    (("MaxPool", "q", "m", HALF), {}),
    (("Concat", "q q", "m", {"axis": 1}), {}),
    (("Identity", "q", "m"), {}),
    (("Pad", "q t v", "m"), {"t": np.array([0, 0, 1, 0, 0, 0, 0, 2]), "v": np.uint8(7)}),
    (("Pad", "q t", "m"), {"t": np.array([0, 0, 1, 0, 0, 0, 0, 2])}),
]


@pytest.mark.parametrize(("move", "constants"), MOVES)
def test_integers_that_only_move(model, save, move, constants):
    nodes = [("QuantizeLinear", "x s z", "q"), move, ("DequantizeLinear", "m s z", "y")]
    constants = {**constants, **quantised("", 0.02, 7, np.uint8)}
    path = save(model(nodes, (2, 4, 4), **constants))
    _, found, wanted = both(path, RNG.uniform(0, 4, (3, 2, 4, 4)))
    assert np.abs(found - wanted).max() <= 0.01001


def test_split_integers(model, save):
    nodes = [
        ("QuantizeLinear", "x s z", "q"),
        ("Split", "q", "a b", {"axis": 1}),
        ("Concat", "b a", "c", {"axis": 1}),
        ("DequantizeLinear", "c s z", "y"),
    ]
    path = save(model(nodes, (4, 3), **quantised("", 0.02, 0, np.uint8)))
    _, found, wanted = both(path, RNG.uniform(0, 4, (3, 4, 3)))
    assert np.abs(found - wanted).max() <= 0.01001


def test_integers_of_two_grids_do_not_join(model, refuses):
    nodes = [
        ("QuantizeLinear", "x s z", "p"),
        ("QuantizeLinear", "x ts tz", "q"),
        ("Concat", "p q", "c", {"axis": 1}),
        ("DequantizeLinear", "c s z", "y"),
    ]
    constants = {**quantised("", 0.02, 0, np.int8), **quantised("t", 0.03, 0, np.int8)}
    refuses(model(nodes, (3,), **constants), "n-c", match="different scales")


# Integer samples


@pytest.mark.parametrize(
    ("dtype", "kind", "nodes"),
    [
        (TensorProto.UINT8, np.uint8, [("Cast", "x", "f", {"to": 1}), ("Div", "f k", "y")]),
        (TensorProto.UINT8, np.uint8, [("DequantizeLinear", "x s z", "y")]),
        (TensorProto.INT64, np.int64, [("Cast", "x", "y", {"to": 1})]),
        (
            TensorProto.UINT8,
            np.uint8,
            [("Reshape", "x t", "r"), ("Cast", "r", "y", {"to": 1})],
        ),
        (TensorProto.BOOL, np.bool_, [("Cast", "x", "y", {"to": 1})]),
    ],
)
def test_integer_samples(model, save, dtype, kind, nodes):
    constants = {
        "k": np.float32(255),
        "t": np.array([0, 3, 2]),
        **quantised("", 0.1, 128, np.uint8),
    }
    proto = model(nodes, (2, 3), dtype=dtype, **constants)
    proto.graph.output[0].type.tensor_type.elem_type = TensorProto.FLOAT
    x = RNG.integers(0, 2 if kind == np.bool_ else 256, (4, 2, 3))
    _, found, wanted = both(save(proto), x, kind)
    assert np.abs(found - wanted).max() <= 1e-5 * np.abs(wanted).max()


@pytest.mark.parametrize("dtype", [TensorProto.INT32, TensorProto.UINT8, TensorProto.BOOL])
@pytest.mark.parametrize("kind", ["Add", "Relu", "Abs", "ReduceMean"])
def test_integer_arithmetic(model, refuses, dtype, kind):
    reads = "x x" if kind == "Add" else "x"
    proto = model([(kind, reads, "a"), ("Cast", "a", "f", {"to": 1}), ("Relu", "f", "y")],
                  (3,), dtype=dtype)  # fmt: skip
    words = "computes on quantised integers"
    report = refuses(proto, "n-a", match=words)
    assert report.refused[0].remedy


def test_arithmetic_on_quantised_integers(model, refuses):
    nodes = [
        ("QuantizeLinear", "x s z", "q"),
        ("Relu", "q", "r"),
        ("DequantizeLinear", "r s z", "y"),
    ]
    refuses(model(nodes, (3,), **quantised("", 1, 0, np.int8)), "n-r", match="on quantised integ")


def test_input_within_its_range_needs_no_relu(model, save):
    """Bytes divided by 255 and quantised again lie from 0 to 1 for sure."""
    nodes = [
        ("Cast", "x", "f", {"to": 1}),
        ("Div", "f k", "u"),
        ("QuantizeLinear", "u s z", "q"),
        ("DequantizeLinear", "q s z", "d"),
        ("MatMul", "d w", "y"),
    ]
    constants = quantised("", 1 / 255, 0, np.uint8)
    proto = model(nodes, (3,), dtype=TensorProto.UINT8, k=np.float32(255), w=he(3, 2), **constants)
    proto.graph.output[0].type.tensor_type.elem_type = TensorProto.FLOAT
    imported, found, wanted = both(save(proto), RNG.integers(0, 256, (9, 3)), np.uint8)
    assert np.abs(found - wanted).max() <= 1e-5
    assert not any(isinstance(node, Activation) for node in imported.network)


@pytest.mark.parametrize("dtype", [TensorProto.STRING, TensorProto.COMPLEX64])
def test_samples_that_are_no_numbers(model, invalid, dtype):
    invalid(model([("Relu", "x", "y")], (3,), dtype=dtype), match="samples of type")
