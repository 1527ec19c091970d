"""Operator set 6 (recordings: `test_backend_cases.py`); older and newer ones are refused."""

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from neurodeploy.importing import check, load_network
from neurodeploy.network.evaluate import Evaluator

RNG = np.random.default_rng(13)
W = RNG.standard_normal((6, 4)).astype(np.float32)


def old(nodes, constants, version=6):
    """A graph with attributes of their time, initialisers among the inputs as IR version 3 asks."""
    graph = helper.make_graph(
        nodes,
        "old",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 6])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 4])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    for tensor in graph.initializer:
        value = helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims)
        graph.input.append(value)
    return helper.make_model(graph, ir_version=3, opset_imports=[helper.make_opsetid("", version)])


def test_broadcasts_of_their_time(save):
    """Axes said by attribute, behind a value whose shape the file does not state."""
    shift = RNG.standard_normal(4).astype(np.float32)
    nodes = [
        helper.make_node("Gemm", ["x", "w", "c"], ["g"], "gemm", broadcast=1),
        helper.make_node("Dropout", ["g"], ["d"], "dropout", is_test=1),
        helper.make_node("Relu", ["d"], ["r"]),
        helper.make_node("Add", ["r", "c"], ["y"], "add", broadcast=1, axis=1),
    ]
    path = save(old(nodes, {"w": W, "c": shift}))
    imported = load_network(path)
    assert imported.opset == 6  # as the file says, not what it was brought to
    x = RNG.standard_normal((5, 6)).astype(np.float32)
    wanted = np.maximum(x @ W + shift, 0) + shift
    np.testing.assert_allclose(Evaluator(imported.network).run(x)["output"], wanted, rtol=1e-5)
    found = [(f.node, f.verdict) for f in imported.findings]
    assert found == [
        ("gemm", "converts"),
        ("dropout", "folds"),
        ("Relu_2", "converts"),
        ("add", "converts"),
    ]


def test_refused_nodes_are_named(save):
    nodes = [
        helper.make_node("Softplus", ["x"], ["t"], "squash"),
        helper.make_node("Gemm", ["t", "w", "c"], ["y"], broadcast=1),
    ]
    report = check(save(old(nodes, {"w": W, "c": np.ones(4, np.float32)})))
    assert [f.node for f in report.refused] == ["squash"]


def test_what_the_converter_does_not_take(save, invalid):
    unknown = old([helper.make_node("Gelu", ["x"], ["y"], "late")], {})
    assert (
        "operator set 7" in invalid(unknown, match="Gelu does not exist in operator set 6").remedy
    )
    training = old([helper.make_node("Dropout", ["x"], ["y"], is_test=0)], {})
    invalid(training, match="cannot be brought from operator set 6 to 7")
    malformed = old([helper.make_node("Gemm", ["x"], ["y"], broadcast=1)], {})
    invalid(malformed, match="cannot be brought from operator set 6 to 7")


@pytest.mark.parametrize("version", [1, 5, 10_000])
def test_beyond_reach(invalid, version):
    proto = old([helper.make_node("Relu", ["x"], ["y"])], {}, version)
    invalid(proto, match=f"operator set {version}; 6 to ")
