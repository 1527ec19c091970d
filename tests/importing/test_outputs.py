"""Several outputs: one is taken, the others and their branches are left out and named."""

import numpy as np
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper

from neurodeploy.errors import UsageError
from neurodeploy.importing import check, load_network
from neurodeploy.network.evaluate import Evaluator

RNG = np.random.default_rng(12)
W = RNG.standard_normal((4, 4)).astype(np.float32)
#: A trunk, and two heads of which one cannot become spikes.
HEADS = [
    ("Gemm", "x w", "t"),
    ("Relu", "t", "r"),
    ("Gemm", "r w", "a"),
    ("Gemm", "r v", "h"),
    ("Softplus", "h", "b"),
]


@pytest.mark.parametrize("output", ["a", "r", "t", "h"])
def test_any_output_equals_runtime(model, save, output):
    path = save(model(HEADS, (4,), output="a b r t h", w=W, v=W.T.copy()))
    imported = load_network(path, output)
    assert imported.output_name == output
    assert set(imported.other_outputs) == set("abrth") - {output}
    x = RNG.standard_normal((3, 4)).astype(np.float32)
    (wanted,) = ort.InferenceSession(str(path)).run([output], {"x": x})
    np.testing.assert_allclose(Evaluator(imported.network).run(x)["output"], wanted, rtol=1e-5)


def test_the_first_is_taken(model, save):
    path = save(model(HEADS, (4,), output="a b", w=W, v=W))
    imported = load_network(path)
    assert (imported.output_name, imported.other_outputs) == ("a", ("b",))
    left = {f.node: f.reason for f in imported.findings if f.verdict == "folds"}
    words = "leads only to output 'b', which is not taken"
    assert left == {"n-h": words, "n-b": words}
    report = check(path)
    assert report.ok
    assert (report.summary.output, report.summary.other_outputs) == ("a", ("b",))
    refused = check(path, "b")
    assert [f.node for f in refused.refused] == ["n-b"]
    assert refused.summary.output == "b"


def test_what_several_outputs_share(model, save):
    nodes = [("Neg", "x", "s"), ("Relu", "s", "b"), ("Relu", "s", "c"), ("Relu", "x", "a")]
    nodes.append(("Neg", "x", "unused"))
    report = check(save(model(nodes, (4,), output="a b c")))
    reasons = {f.node: f.reason for f in report.findings}
    assert reasons["n-s"] == "leads only to outputs that are not taken"
    assert "'b'" in reasons["n-b"]
    assert "'c'" in reasons["n-c"]
    assert "unused" in reasons["n-unused"]
    assert reasons["n-a"] == "becomes Activation"


def test_an_output_within_the_network_that_is_taken(model, save):
    """A tap does not stop the merging of the nodes around it."""
    nodes = [("Gemm", "x w", "g"), ("Mul", "g two", "m"), ("Relu", "m", "y")]
    two = np.float32(2)
    tapped = load_network(save(model(nodes, (4,), output="y g m", w=W, two=two))).network
    plain = load_network(save(model(nodes, (4,), output="y", w=W, two=two))).network
    assert [type(n) for n in tapped] == [type(n) for n in plain]


def test_named_twice_is_one_output(model, save):
    imported = load_network(save(model([("Relu", "x", "y")], (4,), output="y y")))
    assert imported.other_outputs == ()


def test_an_output_that_a_branch_reads(model, save):
    """What a subgraph reads from outside leads to where its node leads."""
    branch = helper.make_graph(
        [helper.make_node("Neg", ["s"], ["o"])],
        "then",
        [],
        [helper.make_tensor_value_info("o", TensorProto.FLOAT, ["batch", 4])],
    )
    proto = model([("Neg", "x", "s"), ("Relu", "x", "y")], (4,), output="y z", c=np.array(True))
    proto.graph.node.append(
        helper.make_node("If", ["c"], ["z"], "n-z", then_branch=branch, else_branch=branch)
    )
    report = check(save(proto))
    reasons = {f.node: f.reason for f in report.findings}
    assert report.ok
    assert "output 'z'" in reasons["n-s"]
    assert "output 'z'" in reasons["n-z"]


def test_unknown_names(model, save):
    path = save(model([("Relu", "x", "y")], (4,)))
    for ask in (load_network, check):
        with pytest.raises(UsageError, match="no output 'z'; its outputs are: 'y'"):
            ask(path, "z")


def test_many_outputs_in_time(model, save):
    """Each node is met at most twice, whatever the number of outputs."""
    count = 4000
    nodes = [("Relu", "x" if i == 0 else f"v{i - 1}", f"v{i}") for i in range(count)]
    path = save(model(nodes, (4,), output=" ".join(f"v{i}" for i in range(count))))
    report = check(path)
    assert report.ok
    assert report.summary.nodes == count
