"""ConvTranspose against ONNX Runtime over its whole parameter space."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from neurodeploy.network import Conv, Permute

RNG = np.random.default_rng(5)


def normal(*shape):
    return RNG.standard_normal(shape).astype(np.float32)


@st.composite
def transposed(draw):
    rank = draw(st.sampled_from([1, 2, 2, 3]))

    def each(low, high):
        return draw(st.lists(st.integers(low, high), min_size=rank, max_size=rank))

    size, kernel, stride, dilation = each(1, 4), each(1, 3), each(1, 3), each(1, 2)
    groups = draw(st.sampled_from([1, 1, 2, 3]))
    attributes = {"strides": stride, "dilations": dilation, "group": groups}
    # ONNX Runtime wants output_padding below the stride; ONNX only below stride or dilation.
    extra = [draw(st.integers(0, s - 1)) for s in stride]
    attributes["output_padding"] = extra
    reached = [
        s * (n - 1) + d * (k - 1) + 1 + e
        for n, k, s, d, e in zip(size, kernel, stride, dilation, extra, strict=True)
    ]
    mode = draw(st.sampled_from(["pads", "SAME_UPPER", "SAME_LOWER", "VALID", "output_shape"]))
    if mode == "pads":
        begins = [draw(st.integers(0, n - 1)) for n in reached]
        ends = [draw(st.integers(0, n - 1 - b)) for n, b in zip(reached, begins, strict=True)]
        attributes["pads"] = begins + ends
    elif mode == "output_shape":
        attributes["output_shape"] = [draw(st.integers(1, n)) for n in reached]
        if draw(st.booleans()):
            attributes["auto_pad"] = draw(st.sampled_from(["SAME_UPPER", "SAME_LOWER"]))
    else:
        attributes["auto_pad"] = mode
        steps = zip(size, stride, reached, strict=True)
        assume(mode == "VALID" or all(n * s <= r for n, s, r in steps))
    channels = groups * draw(st.integers(1, 2)), draw(st.integers(1, 2))
    return size, kernel, channels, attributes, draw(st.booleans())


@settings(max_examples=150, deadline=None)
@given(transposed(), st.sampled_from([7, 11, 17, 22]))
def test_equals_runtime(model, agree, case, opset):
    size, kernel, (inputs, outputs), attributes, with_bias = case
    constants = {"w": normal(inputs, outputs, *kernel)}
    if with_bias:
        constants["b"] = normal(outputs * attributes["group"])
    reads = "x w b" if with_bias else "x w"
    nodes = [("ConvTranspose", reads, "y", attributes)]
    imported = agree(model(nodes, (inputs, *size), opset=opset, **constants))
    assert {type(node) for node in imported.network} <= {Conv, Permute} | {
        type(imported.network["x"]),
        type(imported.network.output),
    }


def test_of_stride_one_is_a_convolution(model, agree):
    imported = agree(model([("ConvTranspose", "x w", "y")], (2, 5, 5), w=normal(2, 3, 3, 3)))
    assert [type(node) for node in imported.network][1:-1] == [Conv]
    strided = {"strides": [2, 2], "pads": [1, 1, 1, 1], "output_padding": [1, 1]}
    nodes = [("ConvTranspose", "x w", "y", strided)]
    imported = agree(model(nodes, (2, 5, 5), w=normal(2, 3, 3, 3)))
    assert [type(node) for node in imported.network][1:-1] == [Permute, Conv]
    assert imported.network.shapes["n-y"] == (3, 10, 10)


@pytest.mark.parametrize(
    ("attributes", "words"),
    [
        ({"strides": [0, 1]}, "strides"),
        ({"strides": [-2, 1]}, "strides"),
        ({"strides": [2]}, "strides"),
        ({"dilations": [1, 0]}, "dilations"),
        ({"pads": [-1, 0, 0, 0]}, "pads"),
        ({"pads": [1, 1]}, "pads"),
        ({"pads": [9, 9, 9, 9]}, "larger than its padded input|gives"),
        ({"pads": [1, 0, 0, 0], "auto_pad": "SAME_UPPER"}, "beside auto_pad"),
        ({"auto_pad": "SOMEHOW"}, "auto_pad"),
        ({"output_padding": [1, 1]}, "output_padding"),
        ({"output_padding": [-1, 0]}, "output_padding"),
        ({"output_shape": [99, 99]}, "kernel reaches"),
        ({"output_shape": [0, 4]}, "output_shape"),
        ({"output_shape": [4]}, "output_shape"),
        ({"strides": [4, 4], "auto_pad": "SAME_UPPER"}, "kernel reaches"),
        ({"group": 3}, "groups"),
        ({"group": 0}, "groups"),
        ({"kernel_shape": [5, 5]}, "kernel_shape"),
    ],
)
def test_absurd_attributes(model, refuses, attributes, words):
    proto = model([("ConvTranspose", "x w", "y", attributes)], (2, 8, 8), w=normal(2, 2, 3, 3))
    refuses(proto, "n-y", match=words)


@pytest.mark.parametrize(
    "attributes",
    [
        {"strides": [2**30, 2**30]},
        {"strides": [5000, 5000]},
        {"dilations": [2**30, 1]},
        {"dilations": [4000, 4000]},
        {"strides": [2**30, 1], "output_padding": [2**29, 0]},
        {"pads": [2**31 - 1, 0, 0, 0]},
    ],
)
def test_huge_sizes_take_no_memory(model, refuses, attributes):
    proto = model([("ConvTranspose", "x w", "y", attributes)], (2, 8, 8), w=normal(2, 2, 3, 3))
    tracemalloc.start()
    refuses(proto, "n-y")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 50e6


def test_weights_that_do_not_fit(model, refuses):
    nodes = [("ConvTranspose", "x w b", "y")]
    good = {"w": normal(2, 3, 3, 3), "b": normal(3)}
    refuses(model(nodes, (2, 8), **good), "n-y", match="fit")
    refuses(model(nodes, (3, 8, 8), **good), "n-y", match="fit")
    refuses(model(nodes, (2, 8, 8), **{**good, "b": normal(2)}), "n-y", match="bias")
    refuses(model([("ConvTranspose", "x x", "y")], (2, 8, 8)), "n-y", match="not a constant")
