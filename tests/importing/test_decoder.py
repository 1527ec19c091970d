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


PROBABILITIES = ("Softmax", "g", "s", {"axis": 1})
#: Tails that do not say what the outputs before them say: the node at fault, and why.
MISREAD = {
    "cast of a sigmoid": ([("Sigmoid", "g", "s"), ("Cast", "s", "y", {"to": 7})], "whole numbers"),
    "truth of a sigmoid": ([("Sigmoid", "g", "s"), ("Cast", "s", "y", {"to": 9})], "whole numbers"),
    "cast of a softmax": ([PROBABILITIES, ("Cast", "s", "y", {"to": 6})], "whole numbers"),
    "two sigmoids": ([("Sigmoid", "g", "s"), ("Sigmoid", "s", "y")], "behind Sigmoid"),
    "sigmoid of shares": ([PROBABILITIES, ("Sigmoid", "s", "y")], "behind Softmax"),
    "tanh of a sigmoid": ([("Sigmoid", "g", "s"), ("Tanh", "s", "y")], "behind Sigmoid"),
    "across lines": (
        [
            ("Reshape", "g form", "r"),
            ("Softmax", "r", "s", {"axis": 1}),
            ("ArgMax", "s", "y", {"axis": 2}),
        ],
        "different lines",
    ),
    "groups, then all": (
        [
            ("Reshape", "g form", "r"),
            ("Softmax", "r", "s", {"axis": 2}),
            ("Reshape", "s flat", "t"),
            ("ArgMax", "t", "y", {"axis": 1}),
        ],
        "different lines",
    ),
    "two softmaxes": (
        [
            ("Reshape", "g form", "r"),
            ("Softmax", "r", "s", {"axis": 1}),
            ("Softmax", "s", "y", {"axis": 2}),
        ],
        "different lines",
    ),
    "one class": (
        [("Gemm", "g one", "o"), ("Softmax", "o", "y", {"axis": 1})],
        "axis of length 1",
    ),
    "index of one": (
        [("Gemm", "g one", "o"), ("ArgMax", "o", "y", {"axis": 1})],
        "axis of length 1",
    ),
}
SHAPES = {
    "form": np.array([0, 2, 2]),
    "flat": np.array([0, 4]),
    "one": np.ones((4, 1), np.float32),
}


@pytest.mark.parametrize("case", MISREAD)
def test_a_tail_that_says_something_else(model, refuses, case):
    tail, why = MISREAD[case]
    used = {word for _, reads, *_ in tail for word in reads.split()}
    shapes = {name: value for name, value in SHAPES.items() if name in used}
    refuses(model([("Gemm", "x w", "g"), *tail], (6,), w=W, **shapes), "n-y", match=why)


@pytest.mark.parametrize(
    ("opset", "tail"),
    [
        (17, [PROBABILITIES, ("Flatten", "s", "f"), ("ArgMax", "f", "y", {"axis": 1})]),
        (11, [PROBABILITIES, ("ArgMax", "s", "y", {"axis": 1})]),
        (17, [("Tanh", "g", "s"), ("Sigmoid", "s", "y")]),
        (17, [("Sigmoid", "g", "s"), ("Cast", "s", "y", {"to": 10})]),
        (17, [("Hardmax", "g", "s"), ("Cast", "s", "y", {"to": 7})]),
        (17, [PROBABILITIES, ("Softmax", "s", "y", {"axis": -1})]),
    ],
)
def test_tails_that_keep_the_order(model, save, opset, tail):
    path = save(model([("Gemm", "x w", "g"), *tail], (6,), opset=opset, w=W))
    assert load_network(path).decoder == tuple(node[0] for node in tail)


def test_an_old_softmax_over_maps_keeps_the_order_of_channels(model, save):
    """Before operator set 13 it works over all axes from its own on."""
    tail = [("Softmax", "g", "s", {"axis": 1}), ("ArgMax", "s", "y", {"axis": 1})]
    kernel = RNG.standard_normal((3, 2, 1, 1)).astype(np.float32)
    path = save(model([("Conv", "x w", "g"), *tail], (2, 4, 4), opset=11, w=kernel))
    assert load_network(path).class_axis == 0
