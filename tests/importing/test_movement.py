"""Reshape, Transpose, Slice, Pad, Gather, Split, Concat and what leaves no trace."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto

from neurodeploy.network import Permute

RNG = np.random.default_rng(3)


def normal(*shape):
    return RNG.standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize(
    ("shape", "target", "attributes"),
    [
        ((2, 3, 4), [0, -1], {}),
        ((2, 3, 4), [-1, 24], {}),
        ((2, 3, 4), [-1, 4, 6], {}),
        ((2, 3, 4), [0, 0, 2, 6], {}),
        ((2, 3, 4), [0, 2, -1, 1], {}),
        ((24,), [-1, 2, 3, 4], {"allowzero": 1}),
    ],
)
def test_reshape(model, agree, shape, target, attributes):
    proto = model([("Reshape", "x s", "y", attributes)], shape, s=np.array(target, np.int64))
    (node,) = [n for n in agree(proto).network if isinstance(n, Permute)]
    assert node.indices is None


def test_reshape_of_a_fixed_batch(model, agree):
    shape = np.array([1, 24], np.int64)
    agree(model([("Reshape", "x s", "y")], (2, 3, 4), batch=1, s=shape))
    agree(model([("Reshape", "x s", "y")], (24,), batch=2, s=np.array([2, 3, 8])))


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ([-1], "not the batch"),
        ([-1, 4], "not the batch"),
        ([6, -1], "not the batch"),
        ([0, 7], "does not become"),
        ([0, -1, -1], "impossible"),
        ([0, -5], "impossible"),
        ([0, 2**40, 2**40], "does not become"),
        ([0, 0, 0, 0, 0], "copies an axis"),
        ([0] * 99, "short list"),
    ],
)
def test_reshape_refusals(model, refuses, target, words):
    proto = model([("Reshape", "x s", "y")], (2, 3, 4), s=np.array(target, np.int64))
    refuses(proto, "n-y", match=words)


@pytest.mark.parametrize("axis", [1, -3])
def test_flatten(model, agree, axis):
    agree(model([("Flatten", "x", "y", {"axis": axis})], (2, 3, 4)))


def test_flatten_into_the_batch(model, agree, refuses):
    refuses(model([("Flatten", "x", "y", {"axis": 2})], (2, 3, 4)), "n-y", match="not the batch")
    refuses(model([("Flatten", "x", "y", {"axis": 9})], (2, 3, 4)), "n-y", match="exist")
    agree(model([("Flatten", "x", "y", {"axis": 0})], (2, 3, 4), batch=1))


@pytest.mark.parametrize("opset", [11, 13])
def test_squeeze_and_unsqueeze(model, agree, refuses, opset):
    def one(kind, axes, shape, batch="batch"):
        values = np.array(axes, np.int64)
        if opset < 13:
            return model([(kind, "x", "y", {"axes": axes})], shape, opset=opset, batch=batch)
        return model([(kind, "x a", "y")], shape, opset=opset, batch=batch, a=values)

    agree(one("Squeeze", [1], (1, 3, 1)))
    agree(one("Squeeze", [-1, 1], (1, 3, 1)))
    agree(one("Unsqueeze", [1], (3, 4)))
    agree(one("Unsqueeze", [-1, 2], (3, 4)))
    refuses(one("Squeeze", [2], (1, 3, 1)), "n-y", match="not all of size 1")
    refuses(one("Unsqueeze", [0], (3, 4), 2), "n-y", match="not the batch")
    refuses(one("Unsqueeze", [9], (3, 4)), "n-y", match="do not exist")


def test_squeeze_without_axes(model, agree, refuses):
    agree(model([("Squeeze", "x", "y")], (1, 3, 1), batch=2))
    refuses(model([("Squeeze", "x", "y")], (1, 3, 1)), "n-y", match="batch axis")


@given(st.permutations([1, 2, 3]))
@settings(max_examples=6, deadline=None)
def test_transpose(model, agree, order):
    agree(model([("Transpose", "x", "y", {"perm": [0, *order]})], (2, 3, 4)))


def test_transpose_refusals(model, refuses):
    refuses(model([("Transpose", "x", "y")], (2, 3)), "n-y", match="moves the batch")
    bad = {"perm": [0, 1, 1]}
    refuses(model([("Transpose", "x", "y", bad)], (2, 3)), "n-y", match="no order")


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(-8, 8),
            st.sampled_from([-(2**31) + 1, -9, -3, 0, 2, 5, 2**31 - 1]),
            st.sampled_from([-2, -1, 1, 2, 3]),
        ),
        min_size=2,
        max_size=2,
    )
)
def test_slice(model, agree, cuts):
    shape = (5, 6)
    if any(len(range(n)[slice(*cut)]) == 0 for n, cut in zip(shape, cuts, strict=True)):
        return
    starts, ends, steps = (np.array(v, np.int64) for v in zip(*cuts, strict=True))
    constants = {"s": starts, "e": ends, "a": np.array([1, -1]), "t": steps}
    agree(model([("Slice", "x s e a t", "y")], shape, **constants))


def test_slice_of_old_opsets_and_of_the_batch(model, agree, refuses):
    whole = {"starts": [0, 1], "ends": [2**31 - 1, 3], "axes": [0, 1]}
    agree(model([("Slice", "x", "y", whole)], (4,), opset=9, batch=2))
    part = {"starts": [0], "ends": [1], "axes": [0]}
    refuses(
        model([("Slice", "x", "y", part)], (4,), opset=9, batch=2), "n-y", match="cuts the batch"
    )
    empty = {"starts": [3], "ends": [3], "axes": [1]}
    refuses(model([("Slice", "x", "y", empty)], (4,), opset=9), "n-y", match="empty")
    zero = {"s": np.array([0]), "e": np.array([3]), "a": np.array([1]), "t": np.array([0])}
    refuses(model([("Slice", "x s e a t", "y")], (4,), **zero), "n-y", match="do not fit")


@pytest.mark.parametrize("mode", ["constant", "reflect", "edge"])
@pytest.mark.parametrize("pads", [(0, 0, 1, 2, 0, 0, 2, 0), (0, 1, 0, 0, 0, 1, 0, 3)])
def test_pad(model, agree, mode, pads):
    proto = model([("Pad", "x p", "y", {"mode": mode})], (4, 5, 6), p=np.array(pads))
    agree(proto)


def test_pad_forms(model, agree):
    old = {"pads": [0, 1, 0, 2], "value": 0.0}
    agree(model([("Pad", "x", "y", old)], (4,), opset=10))
    agree(model([("Pad", "x p v", "y")], (4,), p=np.array([0, -1, 0, 2]), v=np.float32(0)))
    agree(model([("Pad", "x p v a", "y")], (4, 5), opset=18, p=np.array([1, 2]),
                v=np.float32(0), a=np.array([-1])))  # fmt: skip
    imported = agree(
        model([("Pad", "x p", "z"), ("Relu", "z", "y")], (4,), p=np.zeros(4, np.int64))
    )
    assert imported.findings[0].verdict == "folds"


@pytest.mark.parametrize(
    ("pads", "value", "words"),
    [
        ((1, 0, 0, 0), 0, "pads the batch"),
        ((0, 1, 0, 0), -np.inf, "no neuron"),
        ((0, 1), 0, "do not fit"),
        ((0, 2**30, 0, 2**30), 0, "elements"),
        ((0, -9, 0, 0), 0, "elements"),
    ],
)
def test_pad_refusals(model, refuses, pads, value, words):
    constants = {"p": np.array(pads, np.int64), "v": np.float32(value)}
    refuses(model([("Pad", "x p v", "y")], (4,), **constants), "n-y", match=words)


@pytest.mark.parametrize("shape", [(4,), (3, 4), (2, 3, 4), (2, 2, 2, 2)])
@pytest.mark.parametrize("opset", [10, 11, 18])
def test_pad_with_a_constant(model, agree, shape, opset):
    pads = [0] * len(shape) + [1, -1] + [1] * len(shape)
    pads[1 + len(shape)] = 0
    if opset < 11:
        agree(model([("Pad", "x", "y", {"pads": pads, "value": 2.5})], shape, opset=opset))
    else:
        constants = {"p": np.array(pads), "v": np.float32(2.5)}
        agree(model([("Pad", "x p v", "y")], shape, opset=opset, **constants))


@pytest.mark.parametrize("axis", [1, 2, -1])
@pytest.mark.parametrize("reads", ["c x", "x c", "x c r c", "c c x"])
def test_concat_with_constants(model, agree, axis, reads):
    nodes = [("Relu", "x", "r"), ("Concat", reads, "y", {"axis": axis})]
    agree(model(nodes, (2, 2), batch=1, c=normal(1, 2, 2)))
    agree(model(nodes, (2, 2), batch=3, c=np.tile(normal(1, 2, 2), (3, 1, 1))))
    agree(model([*nodes, ("Relu", "y", "z")], (2, 2, 3), batch=1, output="z",
                c=np.zeros((1, 2, 2, 3), np.float32)))  # fmt: skip


@pytest.mark.parametrize("chosen", [[2, 0, 0], [-1], [[0, 1], [2, 2]], 1])
def test_gather(model, agree, chosen):
    agree(model([("Gather", "x i", "y", {"axis": 2})], (2, 3, 4), i=np.array(chosen)))


def test_gather_refusals(model, refuses):
    refuses(model([("Gather", "x i", "y")], (3,), batch=4, i=np.array([0])), "n-y", match="samples")
    out = model([("Gather", "x i", "y", {"axis": 1})], (3,), i=np.array([3]))
    refuses(out, "n-y", match="leave the axis")


def test_split(model, agree, refuses):
    even = [("Split", "x", "a b", {"axis": 1}), ("Sub", "a b", "y")]
    agree(model(even, (4, 2), opset=13))
    parts = [("Split", "x s", "a b", {"axis": -1}), ("Concat", "b a", "y", {"axis": -1})]
    agree(model(parts, (2, 5), s=np.array([2, 3])))
    refuses(model(parts, (2, 5), s=np.array([2, 9])), "n-a", match="make up")
    batch = [("Split", "x", "a b"), ("Add", "a b", "y")]
    refuses(model(batch, (2,), batch=4, opset=13), "n-a", match="divides the batch")


@pytest.mark.parametrize("axis", [1, 2, -1])
def test_concat(model, agree, axis):
    nodes = [("Relu", "x", "r"), ("Concat", "x r x", "y", {"axis": axis})]
    agree(model(nodes, (2, 3)))


def test_concat_refusals(model, refuses):
    refuses(model([("Concat", "x x", "y", {"axis": 0})], (2,)), "n-y", match="batch")
    refuses(model([("Concat", "x x", "y", {"axis": 5})], (2,)), "n-y", match="exist")
    node = ("Concat", "x c", "y", {"axis": 1})
    refuses(model([node], (2,), batch=2, c=normal(2, 2)), "n-y", match="between the samples")
    refuses(model([node], (2,), batch=2, c=normal(1, 2)), "n-y", match="2 samples")
    refuses(model([node], (2, 3), batch=1, c=normal(1, 2, 4)), "n-y", match="do not join")
    refuses(model([("Concat", "c c", "d", {"axis": 1}), ("Concat", "x d", "y", {"axis": -9})],
                  (2,), c=normal(1, 2)), "n-y", match="exist")  # fmt: skip
    shapes = [("MaxPool", "x", "p", {"kernel_shape": [2]}), ("Concat", "x p", "y", {"axis": 1})]
    refuses(model(shapes, (2, 4)), "n-y", match="do not join")


def test_what_leaves_no_trace(model, agree):
    nodes = [
        ("Identity", "x", "a"),
        ("Dropout", "a", "b", {"ratio": 0.5}),
        ("Cast", "b", "c", {"to": TensorProto.FLOAT}),
        ("Transpose", "c", "d", {"perm": [0, 1, 2]}),
        ("Relu", "d", "y"),
    ]
    imported = agree(model(nodes, (2, 3), opset=10))
    assert [node.name for node in imported.network] == ["x", "n-y", "output"]
    assert [finding.verdict for finding in imported.findings] == ["folds"] * 4 + ["converts"]


def test_casts_and_training(model, refuses):
    refuses(model([("Cast", "x", "i", {"to": TensorProto.INT32}), ("Cast", "i", "y", {"to": 1})],
                  (2,)), "n-i", match="not float")  # fmt: skip
    proto = model([("Dropout", "x r t", "y")], (2,), r=np.float32(0.5), t=np.array(True))
    refuses(proto, "n-y", match="training")


@pytest.mark.parametrize(
    ("element", "numpy_type", "tolerance"),
    [(TensorProto.FLOAT16, np.float16, 5e-3), (TensorProto.DOUBLE, np.float64, 1e-4)],
)
def test_other_floats(model, agree, element, numpy_type, tolerance):
    nodes = [("Gemm", "x w b", "g"), ("Relu", "g", "y")]
    constants = {"w": normal(6, 4).astype(numpy_type), "b": normal(4).astype(numpy_type)}
    imported = agree(model(nodes, (6,), dtype=element, **constants), tolerance=tolerance)
    assert imported.network["n-g"].weight.dtype == np.float32


def test_double_beyond_float32(model, refuses):
    proto = model([("Gemm", "x w", "y")], (1,), dtype=TensorProto.DOUBLE, w=np.array([[1e300]]))
    refuses(proto, "n-y", match="initialiser 'w' holds 1 values")
