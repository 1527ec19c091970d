"""What a report adds up to."""

import numpy as np
from onnx import helper

import neurodeploy as nd
from neurodeploy.importing import check

W = np.ones((4, 3), np.float32)
B = np.ones(3, np.float32)


def test_counts(model, save):
    nodes = [
        ("Shape", "x", "s"),
        ("Reshape", "x s", "q"),
        ("Gemm", "q w b", "g"),
        ("Relu", "g", "r"),
        ("Gemm", "r v", "h"),
        ("Softmax", "h", "y"),
    ]
    path = save(model(nodes, (4,), w=W, b=B, v=np.ones((3, 2), np.float32), idle=np.arange(9)))
    summary = nd.check(path).summary
    assert summary.nodes == 6
    assert summary.verdicts["converts"] + summary.verdicts["folds"] == 5
    assert summary.verdicts["decoder"] == 1
    assert summary.coverage == 1
    assert sum(o.nodes for o in summary.operators) == 6
    gemm = next(o for o in summary.operators if o.op_type == "Gemm")
    assert (gemm.nodes, gemm.verdicts["converts"]) == (2, 2)
    assert summary.file_parameters == 12 + 3 + 6  # not the nine integers
    assert (summary.layers, summary.weights, summary.biases) == (2, 18, 5)
    assert (summary.input, summary.input_shape) == ("x", (4,))
    assert (summary.output, summary.output_shape) == ("y", (2,))
    assert (summary.neurons, summary.relays) == (5, 0)
    assert summary.opset == 17


def test_relays_are_counted_apart(model, save):
    """A skip past a layer that is longer than a synapse's delay needs relays in the time code."""
    nodes = [
        ("Gemm", "x w", "g"),
        ("Relu", "g", "r"),
        ("Gemm", "r w", "h"),
        ("Relu", "h", "q"),
        ("Add", "q r", "y"),
    ]
    path = save(model(nodes, (4,), w=np.eye(4, dtype=np.float32)))
    for scheme, steps, relays in (("rate", 32, 0), ("ttfs", 32, 0), ("ttfs", 100, 4)):
        summary = nd.check(path, scheme, steps=steps).summary
        assert (summary.neurons, summary.relays) == (12, relays)


def test_nothing_is_guessed_of_a_refused_model(model, save):
    nodes = [
        ("Gemm", "x w", "g"),
        ("Nonsense", "g", "n"),
        ("Relu", "n", "r"),
        ("Relu", "r", "q"),
        ("Softplus", "q", "y"),
    ]
    report = nd.check(save(model(nodes, (4,), w=W)))
    assert not report.ok
    summary = report.summary
    assert summary.verdicts == {
        "converts": 1,
        "folds": 0,
        "decoder": 0,
        "refused": 2,
        "unknown": 2,
    }
    assert [f.verdict for f in report.findings][2:4] == ["unknown"] * 2
    assert summary.coverage == 1 / 3  # of those examined
    assert summary.file_parameters == 12
    for count in ("layers", "weights", "biases", "neurons", "relays", "output_shape"):
        assert getattr(summary, count) is None


def test_a_file_that_is_no_model(tmp_path):
    report = nd.check(tmp_path / "missing.onnx")
    assert not report.ok
    assert (report.nodes, report.summary.nodes, report.summary.coverage) == (0, 0, None)
    assert report.summary.file_parameters is None


def test_constants_and_functions_count(model, save):
    proto = model([("Block", "x", "y")], (3,))
    proto.graph.node[0].domain = "local"
    constant = helper.make_tensor("c", 1, [3], [1.0, 2.0, 3.0])
    body = [
        helper.make_node("Constant", [], ["c"], value=constant),
        helper.make_node("Mul", ["i", "c"], ["o"], name="inner"),
    ]
    opsets = [helper.make_opsetid("", 17)]
    proto.functions.append(helper.make_function("local", "Block", ["i"], ["o"], body, opsets))
    proto.opset_import.append(helper.make_opsetid("local", 1))
    report = check(save(proto))
    assert report.nodes == 1
    assert report.summary.file_parameters == 3
