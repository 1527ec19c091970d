"""Every node of the file gets a verdict; the report and the import agree."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import helper

from neurodeploy.errors import UnsupportedError
from neurodeploy.importing import check, load_network

RNG = np.random.default_rng(5)
UNSUPPORTED = """
    Sigmoid Tanh Elu Selu Softplus Softsign Exp Sqrt Erf Sign Floor Round
    InstanceNormalization LSTM QuantizeLinear TopK Nonsense
"""


def test_all_refused_nodes_at_once(model, refuses):
    nodes = [("Relu", "x", "a")]
    nodes += [("Tanh", "a", "b"), ("Relu", "b", "c"), ("Nonsense", "c", "d"), ("Elu", "d", "e")]
    nodes += [("Mul", "e x", "y")]
    report = refuses(model(nodes, (4,)), "n-b", "n-d", "n-e")
    assert [f.node for f in report.findings] == ["n-a", "n-b", "n-c", "n-d", "n-e", "n-y"]
    last = report.findings[-1]  # Nonsense has no shape to go on with
    assert (last.verdict, last.reason) == ("unknown", "not examined: reads a refused node")


def test_examined_behind_a_refused_node_of_known_shape(model, refuses):
    refuses(model([("Tanh", "x", "t"), ("Mul", "t x", "y")], (4,)), "n-t", "n-y")


@pytest.mark.parametrize("kind", UNSUPPORTED.split())
def test_unsupported_operators_are_named(model, refuses, kind):
    report = refuses(model([(kind, "x", "a"), ("Relu", "a", "y")], (4,)), "n-a", match=kind)
    assert report.refused[0].remedy


def test_unsupported_domain(model, refuses):
    proto = model([("Relu", "x", "y")], (4,))
    proto.graph.node[0].domain = "com.example"
    proto.opset_import.append(helper.make_opsetid("com.example", 1))
    assert refuses(proto, "n-y").refused[0].op_type == "com.example::Relu"


def test_unnamed_and_equally_named_nodes(model, save):
    proto = model([("Tanh", "x", "a"), ("Tanh", "a", "b"), ("Relu", "b", "y")], (4,))
    proto.graph.node[0].name = proto.graph.node[1].name = "same"
    proto.graph.node[2].name = ""
    report = check(save(proto))
    assert len({finding.node for finding in report.findings}) == 3
    assert [f.verdict for f in report.findings] == ["refused", "refused", "converts"]


def test_names_that_the_network_needs(model, agree):
    proto = model([("Relu", "x", "output"), ("Relu", "output", "y")], (4,))
    proto.graph.node[0].name = "output"
    proto.graph.node[1].name = "x"
    names = [node.name for node in agree(proto).network]
    assert len(set(names)) == len(names)
    assert names[-1] == "output"


def test_folded_and_unused_nodes_are_listed(model, agree):
    nodes = [
        ("Shape", "x", "s"),
        ("Gather", "s zero", "n"),
        ("Concat", "n rest", "t", {"axis": 0}),
        ("Reshape", "x t", "r"),
        ("Relu", "r", "y"),
        ("Sigmoid", "x", "unused"),
    ]
    constants = {"zero": np.array([0]), "rest": np.array([-1])}
    imported = agree(model(nodes, (2, 3), **constants))
    verdicts = {finding.node: finding.verdict for finding in imported.findings}
    assert verdicts == {
        "n-s": "folds",
        "n-n": "folds",
        "n-t": "folds",
        "n-r": "converts",
        "n-y": "converts",
        "n-unused": "folds",
    }


def test_functions_are_written_out(model, agree):
    proto = model([("Block", "x w", "h"), ("Block", "h w", "y")], (4,), w=np.eye(4, dtype="f4"))
    for node in proto.graph.node:
        node.domain = "local"
    body = [
        helper.make_node("MatMul", ["i", "w"], ["m"], name="inner"),
        helper.make_node("Relu", ["m"], ["o"]),
    ]
    opsets = [helper.make_opsetid("", 17)]
    proto.functions.append(helper.make_function("local", "Block", ["i", "w"], ["o"], body, opsets))
    proto.opset_import.append(helper.make_opsetid("local", 1))
    imported = agree(proto)
    assert len(imported.network) == 6
    assert "function" in imported.findings[0].reason


def test_provenance(model, save):
    import hashlib

    proto = model([("Relu", "x", "y")], (4,), opset=13)
    proto.producer_name, proto.producer_version = "tool", "1.2"
    path = save(proto)
    imported = load_network(path)
    assert imported.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (imported.opset, imported.producer) == (13, "tool 1.2")
    assert (imported.input_name, imported.output_name) == ("x", "y")


CHAIN = """
    Relu Neg Tanh Flatten Identity Sigmoid Softmax Abs Dropout Transpose Nonsense
"""


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(CHAIN.split()), min_size=1, max_size=6))
def test_report_agrees_with_import(model, save, kinds):
    names = ["x", *(f"v{i}" for i in range(len(kinds) - 1)), "y"]
    nodes = [(kind, names[i], names[i + 1]) for i, kind in enumerate(kinds)]
    path = save(model(nodes, (2, 3)))
    report = check(path)
    assert len(report.findings) == len(kinds)
    if report.ok:
        assert load_network(path).findings == report.findings
        return
    with pytest.raises(UnsupportedError) as caught:
        load_network(path)
    assert all(repr(finding.node) in str(caught.value) for finding in report.refused)
