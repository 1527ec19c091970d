"""Pooling and reductions against ONNX Runtime."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from neurodeploy.errors import UnsupportedError
from neurodeploy.network import Conv, Permute, Pool


@st.composite
def pools(draw):
    rank = draw(st.sampled_from([1, 2, 2, 3]))

    def each(low, high):
        return draw(st.lists(st.integers(low, high), min_size=rank, max_size=rank))

    kernel, stride, dilation = each(1, 4), each(1, 3), each(1, 2)
    size = [n + d * (k - 1) for n, k, d in zip(each(1, 7), kernel, dilation, strict=True)]
    kind = draw(st.sampled_from(["AveragePool", "MaxPool"]))
    attributes = {"kernel_shape": kernel, "strides": stride, "dilations": dilation}
    attributes["ceil_mode"] = draw(st.integers(0, 1))
    mode = draw(st.sampled_from(["pads", "pads", "SAME_UPPER", "SAME_LOWER", "VALID"]))
    if mode == "pads":
        pads = [min(draw(st.integers(0, 2)), k - 1) for k in kernel * 2]
        attributes["pads"] = pads
    else:
        attributes["auto_pad"] = mode
        attributes["ceil_mode"] = 0
        attributes["dilations"] = [1] * rank
        # ONNX Runtime fails on SAME where the stride skips cells.
        attributes["strides"] = [min(s, k) for s, k in zip(stride, kernel, strict=True)]
    if kind == "AveragePool":
        attributes["count_include_pad"] = draw(st.integers(0, 1))
    return kind, size, attributes


@settings(max_examples=150, deadline=None)
@given(pools())
def test_equals_runtime(model, agree, case):
    kind, size, attributes = case
    try:
        imported = agree(model([(kind, "x", "y", attributes)], (2, *size), opset=19))
    except UnsupportedError as error:
        # The two documented refusals, and no other.
        rounds_up = attributes["ceil_mode"] and attributes.get("count_include_pad")
        assert rounds_up or "as large as its kernel" in str(error)  # noqa: PT017
        assume(False)
    assert isinstance(imported.network["n-y"], Pool)


def test_ceil_mode_that_changes_nothing(model, agree):
    attributes = {"kernel_shape": [2, 2], "strides": [2, 2], "ceil_mode": 1, "count_include_pad": 1}
    pool = agree(model([("AveragePool", "x", "y", attributes)], (2, 4, 4))).network["n-y"]
    assert pool.padding == (0, 0, 0, 0)


def test_ceil_mode_pads_the_end(model, agree):
    attributes = {"kernel_shape": [2, 2], "strides": [2, 2], "ceil_mode": 1}
    for kind in ("AveragePool", "MaxPool"):
        pool = agree(model([(kind, "x", "y", attributes)], (2, 5, 5))).network["n-y"]
        assert pool.padding == (0, 0, 1, 1)


@pytest.mark.parametrize("kind", ["GlobalAveragePool", "GlobalMaxPool"])
@pytest.mark.parametrize("size", [(5,), (4, 6), (2, 3, 4)])
def test_global(model, agree, kind, size):
    imported = agree(model([(kind, "x", "y")], (3, *size)))
    assert imported.network["n-y"].kernel == size


@pytest.mark.parametrize(
    ("node", "words"),
    [
        (("MaxPool", "x", "y i", {"kernel_shape": [2, 2]}), None),
        (("MaxPool", "x", "y", {}), "kernel_shape"),
        (("MaxPool", "x", "y", {"kernel_shape": [0, 2]}), "kernel"),
        (("MaxPool", "x", "y", {"kernel_shape": [9, 9]}), "larger"),
        (("MaxPool", "x", "y", {"kernel_shape": [2]}), "kernel"),
        (("AveragePool", "x", "y", {"kernel_shape": [2, 2], "pads": [2, 2, 2, 2]}), "as large"),
        (
            (
                "AveragePool",
                "x",
                "y",
                {
                    "kernel_shape": [3, 3],
                    "strides": [2, 2],
                    "ceil_mode": 1,
                    "count_include_pad": 1,
                    "pads": [1, 1, 1, 1],
                },
            ),
            "fewer cells",
        ),
    ],
)
def test_refusals(model, refuses, agree, node, words):
    if words is None:
        agree(model([node], (2, 4, 4)))  # an unused second output does no harm
        refuses(model([node, ("Cast", "i", "z", {"to": 1}), ("Add", "y z", "s")], (2, 4, 4),
                      output="s"), "n-y", match="further output")  # fmt: skip
    else:
        refuses(model([node], (2, 6, 6)), "n-y", match=words)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["ReduceMean", "ReduceMax", "ReduceSum"]),
    st.sampled_from([(4,), (3, 5), (2, 3, 4), (2, 3, 2, 3)]),
    st.data(),
    st.integers(0, 1),
    st.sampled_from([11, 13, 18]),
)
def test_reductions(model, agree, kind, shape, data, keep, opset):
    rank = len(shape)
    axes = data.draw(st.lists(st.integers(1, rank), min_size=1, unique=True))
    axes = [axis - rank - 1 if data.draw(st.booleans()) else axis for axis in axes]
    assume(keep or len(axes) < rank or opset)
    if opset < (13 if kind == "ReduceSum" else 18):
        proto = model([(kind, "x", "y", {"axes": axes, "keepdims": keep})], shape, opset=opset)
    else:
        proto = model([(kind, "x a", "y", {"keepdims": keep})], shape, opset=opset, a=axes)
    agree(proto)


def test_spatial_mean_is_one_pool(model, agree):
    imported = agree(model([("ReduceMean", "x", "y", {"axes": [2, 3]})], (3, 4, 4)))
    assert [type(n) for n in imported.network][1:-1] == [Pool]
    flat = {"axes": [-1, -2], "keepdims": 0}
    imported = agree(model([("ReduceMean", "x", "y", flat)], (3, 4, 4)))
    assert [type(n) for n in imported.network][1:-1] == [Pool, Permute]


def test_spatial_sum_is_one_convolution(model, agree):
    imported = agree(model([("ReduceSum", "x a", "y")], (3, 4, 4), a=np.array([2, 3])))
    assert [type(n) for n in imported.network][1:-1] == [Conv]
    nothing = {"noop_with_empty_axes": 1}
    imported = agree(model([("ReduceSum", "x", "s", nothing), ("Relu", "s", "y")], (3, 4)))
    assert imported.findings[0].verdict == "folds"


def test_reductions_refused(model, refuses):
    refuses(model([("ReduceMean", "x", "y", {"axes": [0, 1]})], (3, 4)), "n-y", match="batch")
    refuses(model([("ReduceMean", "x", "y")], (3, 4)), "n-y", match="batch")
    refuses(model([("ReduceSum", "x", "y")], (3, 4)), "n-y", match="batch")
    refuses(model([("ReduceMean", "x", "y", {"axes": [7]})], (3, 4)), "n-y", match="exist")
    computed = [("ReduceMax", "x a", "y")]
    axes = np.array([1.5], np.float32)
    refuses(model(computed, (3, 4), opset=18, a=axes), "n-y", match="integers")


@pytest.mark.parametrize("kind", ["MaxPool", "AveragePool"])
def test_same_padding_of_dilated_windows_is_refused(model, refuses, kind):
    """The standard and ONNX Runtime give it different sizes."""
    attributes = {"kernel_shape": [3], "dilations": [2], "auto_pad": "SAME_UPPER"}
    refuses(model([(kind, "x", "y", attributes)], (2, 9), opset=19), "n-y", match="auto_pad")
