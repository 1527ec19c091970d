"""Operators on integers with their scales as inputs."""

import numpy as np
import pytest
from onnx import TensorProto, helper

from neurodeploy.importing import load_network

from .test_quantized import SAME, both, quantised

RNG = np.random.default_rng(24)


def qlinear(model, kind, constants, domain="", **attributes):
    """x, quantised, through one operator on integers, and back to floats; `constants` in the
    order of the inputs behind the first three."""
    names = [f"i{index}" for index in range(len(constants))]
    given = [
        name if value is not None else "-" for name, value in zip(names, constants, strict=True)
    ]
    nodes = [
        ("QuantizeLinear", "x xs xz", "q"),
        (kind, " ".join(["q xs xz", *given]), "r", attributes),
        ("DequantizeLinear", "r ys yz", "y"),
    ]
    shape = (2, 6, 6) if "Conv" in kind or "Pool" in kind else (6,)
    values = {
        name: value for name, value in zip(names, constants, strict=True) if value is not None
    }
    values |= {**quantised("x", 0.02, 110, np.uint8), **quantised("y", 0.05, 120, np.uint8)}
    proto = model(nodes, shape, **values)
    if domain:
        proto.graph.node[1].domain = domain
        proto.opset_import.append(helper.make_opsetid(domain, 1))
    return proto


Y = (np.float32(0.05), np.uint8(120))
WQ = RNG.integers(-100, 100, (4, 2, 3, 3)).astype(np.int8)
MQ = RNG.integers(-100, 100, (6, 4)).astype(np.int8)
EACH = RNG.uniform(0.004, 0.01, 4).astype(np.float32)
ONE, NONE, NONES = np.float32(0.006), np.int8(0), np.zeros(4, np.int8)
BIAS = RNG.integers(-3000, 3000, 4).astype(np.int32)
MS = "com.microsoft"
OPERATORS = [
    ("QLinearConv", "", [WQ, ONE, NONE, *Y], {}),
    ("QLinearConv", "", [WQ, ONE, np.int8(-3), *Y, BIAS], SAME),
    ("QLinearConv", "", [WQ, EACH, NONES, *Y, BIAS], {"strides": [2, 2], "pads": [1, 0, 0, 1]}),
    ("QLinearConv", "", [WQ[:, :1], EACH, NONES, *Y], {"group": 2}),
    ("QLinearMatMul", "", [MQ, ONE, NONE, *Y], {}),
    ("QLinearMatMul", "", [MQ, EACH, NONES, *Y], {}),
    ("QGemm", MS, [MQ, ONE, NONE, None, *Y], {}),
    ("QGemm", MS, [MQ, EACH, NONES, BIAS, *Y], {"alpha": 0.5}),
    ("QGemm", MS, [MQ.T.copy(), EACH, NONES, BIAS, *Y], {"transB": 1}),
    ("QLinearAdd", MS, [np.uint8([9, 250, 8, 7, 6, 5]), np.float32(0.01), np.uint8(3), *Y], {}),
    ("QLinearMul", MS, [np.uint8([9, 250, 8, 7, 6, 5]), np.float32(0.01), np.uint8(3), *Y], {}),
    ("QLinearLeakyRelu", MS, [*Y], {"alpha": 0.25}),
    ("QLinearGlobalAveragePool", MS, [*Y], {}),
    ("QLinearAveragePool", MS, [*Y], {"kernel_shape": [2, 2], "strides": [2, 2]}),
]


@pytest.mark.parametrize(("kind", "domain", "constants", "attributes"), OPERATORS)
def test_operators_on_integers(model, save, kind, domain, constants, attributes):
    proto = qlinear(model, kind, constants, domain, **attributes)
    shape = [dim.dim_value for dim in proto.graph.input[0].type.tensor_type.shape.dim[1:]]
    # On the input's grid, so that only the result is rounded; a few leave the output's grid.
    x = (RNG.integers(0, 256, (8, *shape)) - 110) * 0.02
    imported, found, wanted = both(save(proto), x)
    inside = np.clip(found, -120 * 0.05, 135 * 0.05)
    assert np.abs(inside - wanted).max() <= 0.02501 + 1e-4
    assert np.ptp(wanted) > 0.5
    (note,) = (f.reason for f in imported.findings if f.op_type.endswith(kind))
    assert "of real values" in note
    assert "-6 to 6.75 in steps of 0.05" in note


def test_qgemm_with_a_float_result(model, save):
    proto = qlinear(model, "QGemm", [MQ, EACH, NONES, BIAS], MS)
    del proto.graph.node[2]
    proto.graph.node[1].output[0] = "y"
    _, found, wanted = both(save(proto), (RNG.integers(0, 256, (8, 6)) - 110) * 0.02)
    assert np.abs(found - wanted).max() <= 1e-4 * np.abs(wanted).max()


def test_integer_samples_into_an_operator_on_integers(model, save):
    nodes = [("QLinearConv", "x xs xz w ws wz ys yz b", "r", SAME)]
    nodes.append(("DequantizeLinear", "r ys yz", "y"))
    constants = {"w": WQ, "ws": EACH, "wz": NONES, "b": BIAS}
    constants |= {**quantised("x", 0.02, 110, np.uint8), **quantised("y", 0.2, 120, np.uint8)}
    proto = model(nodes, (2, 6, 6), dtype=TensorProto.UINT8, **constants)
    proto.graph.output[0].type.tensor_type.elem_type = TensorProto.FLOAT
    _, found, wanted = both(save(proto), RNG.integers(0, 256, (4, 2, 6, 6)), np.uint8)
    assert np.abs(found - wanted).max() <= 0.1001


BAD_OPERATORS = [
    ("QLinearConv", "", [WQ, np.float32(0), NONE, *Y], "not a positive number"),
    ("QLinearConv", "", [WQ, EACH[:3], NONES[:3], *Y], "do not fit axis 0"),
    ("QLinearConv", "", [WQ, ONE, np.uint8(0), *Y], "zero point"),
    ("QLinearConv", "", [WQ, ONE, NONE, np.float32(-1), Y[1]], "not a positive number"),
    ("QLinearConv", "", [WQ, ONE, NONE, np.float32(1e30), Y[1]], "all would be zero"),
    ("QLinearConv", "", [WQ, ONE, NONE, *Y, BIAS[:3]], "bias"),
    ("QLinearConv", "", [WQ, EACH, NONES, *Y, BIAS[:3]], "bias"),
    ("QLinearConv", "", [WQ, ONE, NONE, *Y, BIAS.astype(np.float32)], "bias"),
    ("QLinearConv", "", [WQ.astype(np.float32), ONE, NONE, *Y], "holds float32"),
    ("QLinearConv", "", [WQ], "has 4 inputs"),
    ("QLinearMatMul", "", [MQ, EACH[:3], NONES[:3], *Y], "do not fit axis 1"),
    ("QGemm", MS, [MQ, ONE, NONE, BIAS[:2], *Y], "does not fit|do not fit"),
    ("QLinearAveragePool", MS, [*Y], "kernel_shape"),
    ("ConvInteger", "", [WQ], "scale is not part"),
    ("DynamicQuantizeMatMul", MS, [WQ], "from each sample"),
]


@pytest.mark.parametrize(("kind", "domain", "constants", "words"), BAD_OPERATORS)
def test_refused_operators_on_integers(model, refuses, kind, domain, constants, words):
    proto = qlinear(model, kind, constants, domain)
    refuses(proto, "n-r", match=words)


def test_sigmoid_on_integers(model, refuses):
    proto = qlinear(model, "QLinearSigmoid", [*Y], MS)
    proto.graph.node[2].output[0] = "d"
    proto.graph.node.append(helper.make_node("Relu", ["d"], ["y"], "n-y"))
    refuses(proto, "n-r", match="ReLU")


def test_channels_last(model, refuses):
    refuses(qlinear(model, "QLinearGlobalAveragePool", [*Y], MS, channels_last=1), "n-r",
            match="channels last")  # fmt: skip


def test_scales_from_the_data(model, refuses):
    nodes = [
        ("DynamicQuantizeLinear", "x", "q s z"),
        ("DequantizeLinear", "q s z", "y"),
    ]
    report = refuses(model(nodes, (3,)), "n-q", match="from each sample")
    assert "quantize_static" in report.refused[0].remedy


@pytest.mark.parametrize("kind", ["QLinearSoftmax", "QLinearSigmoid"])
def test_decoder_on_integers(model, save, kind):
    attributes = {"opset": 17, "axis": -1} if kind == "QLinearSoftmax" else {}
    proto = qlinear(model, kind, [*Y], MS, **attributes)
    imported = load_network(save(proto))
    assert imported.decoder == ("QuantizeLinear", kind, "DequantizeLinear")
    assert len(imported.network) == 2
