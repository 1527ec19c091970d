"""Tile, Expand, DepthToSpace, SpaceToDepth and Trilu against ONNX Runtime."""

import numpy as np
import pytest

from neurodeploy.network import Permute


def ints(*values):
    return np.array(values, np.int64)


@pytest.mark.parametrize("opset", [7, 13])
@pytest.mark.parametrize("repeats", [(1, 2, 3), (1, 1, 4), (1, 1, 1)])
def test_tile(model, agree, opset, repeats):
    nodes = [("Tile", "x r", "t"), ("Relu", "t", "y")]
    imported = agree(model(nodes, (2, 3), opset=opset, r=ints(*repeats)))
    assert sum(isinstance(n, Permute) for n in imported.network) == (repeats != (1, 1, 1))


@pytest.mark.parametrize(
    ("repeats", "words"),
    [
        ((2, 1, 1), "batch"),
        ((1, 0, 1), "positive"),
        ((1, -2, 1), "positive"),
        ((1, 2), "positive"),
        ((1, 2**40, 2**40), "elements"),
    ],
)
def test_tile_refusals(model, refuses, repeats, words):
    refuses(model([("Tile", "x r", "y")], (2, 3), r=ints(*repeats)), "n-y", match=words)


@pytest.mark.parametrize("target", [(3, 1, 4, 5), (1, 6, 4, 5), (1, 1, 1, 1), (4, 5), (6, 4, 1)])
def test_expand(model, agree, target):
    agree(model([("Expand", "x s", "y")], (1, 4, 5), batch=3, s=ints(*target)))


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ((2, 4, 5), "first axis"),
        ((1, 1, 4, 5), "first axis"),
        ((1, 3, 5), "does not expand"),
        ((1, 0, 5), "positive"),
        ((1, -1, 5), "positive"),
        ((2**20, 4, 2**20), "elements"),
        ((1, 2**20, 5), "does not expand"),
    ],
)
def test_expand_refusals(model, refuses, target, words):
    refuses(model([("Expand", "x s", "y")], (4, 5), s=ints(*target)), "n-y", match=words)


def test_expand_takes_no_memory(model, refuses):
    proto = model([("Expand", "x s", "y")], (4096, 1), s=ints(1, 1, 2**23))
    refuses(proto, "n-y", match="34359738368 elements")


@pytest.mark.parametrize(
    ("opset", "attributes"), [(7, {}), (11, {}), (11, {"mode": "CRD"}), (13, {"mode": "DCR"})]
)
def test_depth_to_space(model, agree, opset, attributes):
    nodes = [("DepthToSpace", "x", "y", {"blocksize": 2, **attributes})]
    agree(model(nodes, (12, 2, 3), opset=opset))
    agree(model([("DepthToSpace", "x", "y", {"blocksize": 3})], (9, 1, 2), opset=opset))


@pytest.mark.parametrize("opset", [7, 13])
def test_space_to_depth(model, agree, opset):
    agree(model([("SpaceToDepth", "x", "y", {"blocksize": 2})], (3, 4, 6), opset=opset))
    nodes = [
        ("SpaceToDepth", "x", "s", {"blocksize": 2}),
        ("DepthToSpace", "s", "y", {"blocksize": 2}),
    ]
    agree(model(nodes, (3, 4, 6), opset=opset))


@pytest.mark.parametrize("kind", ["DepthToSpace", "SpaceToDepth"])
@pytest.mark.parametrize(
    ("attributes", "words"),
    [
        ({}, "blocks"),
        ({"blocksize": 0}, "blocks"),
        ({"blocksize": -2}, "blocks"),
        ({"blocksize": 2**31 - 1}, "divide"),
        ({"blocksize": 3}, "divide"),
        ({"blocksize": 2, "mode": "RDC"}, "mode"),
    ],
)
def test_block_refusals(model, refuses, kind, attributes, words):
    refuses(model([(kind, "x", "y", attributes)], (4, 4, 4)), "n-y", match=words)
    refuses(model([(kind, "x", "y", {"blocksize": 2})], (4, 4)), "n-y", match="do not fit")


@pytest.mark.parametrize("upper", [0, 1])
@pytest.mark.parametrize("k", [None, 0, 1, -2, 2**40])
def test_trilu(model, agree, upper, k):
    constants = {} if k is None else {"k": np.int64(k)}
    reads = "x" if k is None else "x k"
    if k == 2**40 and upper:
        return  # all zeros: nothing to compare
    agree(model([("Trilu", reads, "y", {"upper": upper})], (2, 4, 5), **constants))


def test_trilu_refusals(model, refuses):
    refuses(model([("Trilu", "x", "y")], (4,)), "n-y", match="batch")
    refuses(model([("Trilu", "x k", "y")], (4, 4), k=ints(1, 2)), "n-y", match="one number")
