"""What may stand behind the last layer, and what the same operators are in the middle."""

import numpy as np
import pytest

from neurodeploy.importing import check, load_network

RNG = np.random.default_rng(4)
W = RNG.standard_normal((6, 4)).astype(np.float32)


@pytest.mark.parametrize(
    ("tail", "dropped"),
    [
        ([("Softmax", "g", "y")], ("Softmax",)),
        ([("Softmax", "g", "y", {"axis": 1})], ("Softmax",)),
        ([("LogSoftmax", "g", "y")], ("LogSoftmax",)),
        ([("Sigmoid", "g", "y")], ("Sigmoid",)),
        ([("ArgMax", "g", "y", {"axis": 1})], ("ArgMax",)),
        ([("Softmax", "g", "s"), ("ArgMax", "s", "y", {"axis": -1})], ("Softmax", "ArgMax")),
        ([("Softmax", "g", "s"), ("Log", "s", "y")], ("Softmax", "Log")),
        (
            [("ArgMax", "g", "s", {"axis": 1, "keepdims": 0}), ("Cast", "s", "y", {"to": 1})],
            ("ArgMax", "Cast"),
        ),
    ],
)
def test_dropped(model, save, agree, tail, dropped):
    path = save(model([("Gemm", "x w", "g"), *tail], (6,), w=W))
    imported = load_network(path)
    assert imported.decoder == dropped
    assert [f.verdict for f in imported.findings] == ["converts"] + ["decoder"] * len(dropped)
    assert check(path).ok
    bare = agree(model([("Gemm", "x w", "y")], (6,), w=W)).network
    assert np.array_equal(imported.network["n-g"].weight, bare["n-y"].weight)
    assert len(imported.network) == len(bare)


def test_a_reshape_alone_is_no_decoder(model, agree):
    imported = agree(model([("Unsqueeze", "x a", "y")], (6,), a=np.array([1])))
    assert imported.decoder == ()
    assert imported.network.shapes["output"] == (1, 6)


def test_along_the_batch(model, refuses):
    for tail in (("Softmax", "g", "y", {"axis": 0}), ("ArgMax", "g", "y"),
                 ("Softmax", "g", "y", {"axis": -2})):  # fmt: skip
        refuses(model([("Gemm", "x w", "g"), tail], (6,), w=W), "n-y", match="along the batch")


@pytest.mark.parametrize("kind", ["Sigmoid", "Tanh", "Softmax"])
def test_in_the_middle(model, refuses, kind):
    proto = model([("Gemm", "x w", "g"), (kind, "g", "s"), ("Relu", "s", "y")], (6,), w=W)
    report = refuses(proto, "n-s", match="is not a ReLU")
    assert "ReLU" in report.refused[0].remedy
    assert [finding.verdict for finding in report.findings] == ["converts", "refused", "converts"]


def test_read_twice_is_in_the_middle(model, refuses):
    nodes = [("Sigmoid", "x", "s"), ("Mul", "s s", "m"), ("Softmax", "m", "y")]
    refuses(model(nodes, (6,)), "n-s", "n-m")
