"""Quantised graphs: their scales become weights, ReLUs and units; only the rounding is left out."""

import itertools

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import (
    CalibrationDataReader,
    QuantFormat,
    QuantType,
    quantize_static,
)

from neurodeploy.importing import check, load_network
from neurodeploy.network import Activation, Conv, Dense, Pool
from neurodeploy.network.evaluate import Evaluator
from neurodeploy.pipeline import compile
from neurodeploy.simulating import simulate
from neurodeploy.testing.backend import cases, examine

from .test_models import shared

RNG = np.random.default_rng(21)
SHAPE = (2, 10, 10)


def he(*shape):
    size = np.sqrt(2 / np.prod(shape[1:]))
    return (RNG.standard_normal(shape) * size).astype(np.float32)


def small(n):
    return (0.1 * RNG.standard_normal(n)).astype(np.float32)


SAME = {"pads": [1] * 4}
HALF = {"kernel_shape": [2, 2], "strides": [2, 2]}
#: A residual network with every kind of layer that ONNX Runtime quantises and spikes compute.
NODES = [
    ("Conv", "x w1 b1", "c1", SAME),
    ("Relu", "c1", "r1"),
    ("Conv", "r1 w2 b2", "c2", SAME),
    ("Relu", "c2", "r2"),
    ("Conv", "r2 w3 b3", "c3", SAME),
    ("Add", "c3 r1", "a"),
    ("Relu", "a", "r3"),
    ("MaxPool", "r3", "m", HALF),
    ("Conv", "m w4 b4", "c4"),
    ("Clip", "c4 low high", "r4"),
    ("AveragePool", "r4", "p", {"kernel_shape": [2, 2]}),
    ("Concat", "p p", "j", {"axis": 1}),
    ("GlobalAveragePool", "j", "g"),
    ("Flatten", "g", "f"),
    ("Gemm", "f w5 b5", "d", {"transB": 1}),
    ("Relu", "d", "r5"),
    ("MatMul", "r5 w6", "e"),
    ("Add", "e b6", "y"),
]
CONSTANTS = {
    "w1": he(8, 2, 3, 3),
    "w2": he(8, 8, 3, 3),
    "w3": he(8, 8, 3, 3),
    "w4": he(6, 8, 3, 3),
    "w5": 1.5 * he(16, 12),
    "w6": he(16, 5),
    "b1": small(8),
    "b2": small(8),
    "b3": small(8),
    "b4": small(6),
    "b5": small(16),
    "b6": small(5),
    "low": np.float32(0),
    "high": np.float32(3),
}


X = np.random.default_rng(1).uniform(-2, 2, (48, *SHAPE)).astype(np.float32)


class Samples(CalibrationDataReader):
    def __init__(self):
        self.left = list(X[:, None])

    def get_next(self):
        return {"x": self.left.pop()} if self.left else None


def scales(proto):
    return {
        tensor.name: numpy_helper.to_array(tensor)
        for tensor in proto.graph.initializer
        if tensor.name.endswith("_scale")
    }


def both(path, x, kind=np.float32):
    """The Network's result and ONNX Runtime's."""
    imported = load_network(path)
    assert check(path).ok
    options = ort.SessionOptions()  # as the file says: no fusions that round elsewhere
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    (wanted,) = session.run(None, {"x": x.astype(kind)})
    found = Evaluator(imported.network).run(x.astype(np.float32))["output"]
    assert found.shape == wanted.shape
    return imported, found, wanted.astype(np.float64)


def quantised(name, scale, zero, kind):
    """Initialisers of a scale and a zero point."""
    return {f"{name}s": np.float32(scale), f"{name}z": np.asarray(zero, kind)}


CONTRIB = {"UseQDQContribOps": True}
QUANTISED = [
    *itertools.product(
        [QuantFormat.QDQ, QuantFormat.QOperator],
        [QuantType.QUInt8, QuantType.QInt8],
        [False, True],
        [{}],
    ),
    (QuantFormat.QDQ, QuantType.QInt8, True, {"ActivationSymmetric": True}),
    (QuantFormat.QDQ, QuantType.QInt8, False, {"QDQKeepRemovableActivations": True}),
    (QuantFormat.QDQ, QuantType.QUInt8, True, {"AddQDQPairToWeight": True}),
    (QuantFormat.QDQ, QuantType.QUInt8, False, {"DedicatedQDQPair": True}),
    (QuantFormat.QDQ, QuantType.QUInt16, True, {}),
    (QuantFormat.QDQ, QuantType.QInt16, True, CONTRIB),
    (QuantFormat.QDQ, QuantType.QUInt8, True, CONTRIB),
]


@pytest.mark.parametrize(("form", "kind", "per_channel", "options"), QUANTISED)
def test_quantize_static(model, save, tmp_path, form, kind, per_channel, options):
    quantised = tmp_path / "q.onnx"
    quantize_static(
        save(model(NODES, SHAPE, **CONSTANTS)),
        quantised,
        Samples(),
        form,
        activation_type=kind,
        weight_type=QuantType.QInt8,
        per_channel=per_channel,
        extra_options=options,
    )
    found_scales = scales(onnx.load(quantised))
    imported, found, wanted = both(
        quantised, 0.9 * X
    )  # what leaves the calibrated ranges is cut off
    # Half a step of each activation, weighed by layers of gain about 1 behind it.
    step = sum(float(scale) for scale in found_scales.values() if scale.ndim == 0) / 2
    assert np.abs(found - wanted).max() <= step
    assert np.sqrt(((found - wanted) ** 2).mean()) <= step / 3
    assert np.abs(wanted).max() > 8 * step
    nodes = list(imported.network)
    # As many ReLUs as the float network, and each ends where its grid does.
    reluses = [node for node in nodes if isinstance(node, Activation)]
    assert len(reluses) == 5
    assert all(node.maximum is not None and node.maximum > 0 for node in reluses)
    assert sum(isinstance(node, Conv | Dense) for node in nodes) == 6
    assert sum(isinstance(node, Pool) for node in nodes) == 3
    notes = [f.reason for f in imported.findings if "Quantize" in f.op_type or "QL" in f.op_type]
    assert any("the quantiser expects -" in note for note in notes)
    assert any("ReLU" in note and "ends" in note and "in steps of" in note for note in notes)
    assert any("not modelled" in note for note in notes)


# Behind the last layer


def rounded(name, reads, writes):
    return [("QuantizeLinear", f"{reads} {name}s {name}z", f"{name}q"),
            ("DequantizeLinear", f"{name}q {name}s {name}z", writes)]  # fmt: skip


def test_quantised_decoder(model, save):
    nodes = [("MatMul", "x w", "m"), *rounded("a", "m", "d"), ("Softmax", "d", "p")]
    nodes += rounded("b", "p", "y")
    constants = {**quantised("a", 0.05, 0, np.uint8), **quantised("b", 1 / 255, 0, np.uint8)}
    path = save(model(nodes, (6,), w=he(6, 4), **constants))
    imported = load_network(path)
    pair = ("QuantizeLinear", "DequantizeLinear")
    assert imported.decoder == (*pair, "Softmax", *pair)
    assert [type(node).__name__ for node in imported.network] == ["Input", "Dense", "Output"]
    assert [f.verdict for f in imported.findings] == ["converts"] + ["decoder"] * 5


def test_quantised_decoder_that_is_malformed(model, refuses):
    nodes = [("MatMul", "x w", "m"), ("Softmax", "m", "p"), *rounded("a", "p", "y")]
    proto = model(nodes, (6,), w=he(6, 4), **quantised("a", -1, 0, np.uint8))
    refuses(proto, "n-aq", "n-y", match="not a positive number")


# ONNX's own cases, and a trained network


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of the cases' own arithmetic
def test_backend_cases():
    kinds = {"QLinearConv", "QLinearMatMul", "QuantizeLinear", "DequantizeLinear"}
    outcomes = [examine(case) for case in cases("node") if kinds.issuperset(case.operators)]
    equal = {outcome.case.name for outcome in outcomes if outcome.verdict == "equal"}
    assert not [(o.case.name, o.verdict, o.reason) for o in outcomes if o.is_mistake]
    assert {"test_qlinearconv", "test_qlinearmatmul_2D_int8_float32"} <= equal
    refused = [outcome for outcome in outcomes if outcome.verdict == "refused"]
    # Two matrices that both are data; activations with scales by axis or block; vectors.
    assert len(equal) >= 8, [(o.case.name, o.reason) for o in refused]


def test_trained_network():
    twin = load_network(shared("exporters/emx_micro_kws_m_static_fp32.onnx"))
    path = shared("exporters/emx_micro_kws_m_qdq.onnx")
    imported = load_network(path)
    pair = ("QuantizeLinear", "DequantizeLinear")
    assert imported.decoder == (*pair, "Softmax", *pair)
    kinds = [[type(n).__name__ for n in i.network] for i in (imported, twin)]
    assert kinds[0] == kinds[1]
    proto = onnx.load(path)
    logits = "Add__25:0_DequantizeLinear_Output"
    proto.graph.output.append(helper.make_tensor_value_info(logits, TensorProto.FLOAT, None))
    session = ort.InferenceSession(proto.SerializeToString())
    x = np.random.default_rng(0).uniform(-4.9, 4.9, (64, 1960)).astype(np.float32)
    _, wanted = session.run(None, {session.get_inputs()[0].name: x})
    found = Evaluator(imported.network).run(x)["output"]
    step = float(scales(proto)["Add__25:0_scale"])
    assert np.abs(found - wanted).max() <= 4 * step
    assert np.sqrt(((found - wanted) ** 2).mean()) <= step
    assert (found.argmax(axis=1) == wanted.argmax(axis=1)).mean() >= 0.95
    float_results = Evaluator(twin.network).run(x)["output"]
    assert np.sqrt(((found - float_results) ** 2).mean()) <= 3 * step
    programs = [
        compile(shared(f"exporters/emx_micro_kws_m_{form}.onnx"), x[:32], "ttfs", 64)
        for form in ("qdq", "static_fp32")
    ]
    assert len(programs[0].populations) == len(programs[1].populations)
    predictions = simulate(programs[0], x[32:]).predictions
    assert (predictions == wanted[32:].argmax(axis=1)).mean() >= 0.9
