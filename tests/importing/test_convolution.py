"""Conv against ONNX Runtime over its whole parameter space."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurodeploy.network import Conv

RNG = np.random.default_rng(0)


def normal(*shape):
    return RNG.standard_normal(shape).astype(np.float32)


@st.composite
def convolutions(draw):
    rank = draw(st.sampled_from([1, 2, 2, 3]))

    def each(low, high):
        return draw(st.lists(st.integers(low, high), min_size=rank, max_size=rank))

    kernel, stride, dilation = each(1, 3), each(1, 3), each(1, 2)
    size = [n + d * (k - 1) for n, k, d in zip(each(1, 6), kernel, dilation, strict=True)]
    groups = draw(st.sampled_from([1, 1, 2, 3]))
    inputs, outputs = groups * draw(st.integers(1, 2)), groups * draw(st.integers(1, 2))
    attributes = {"strides": stride, "dilations": dilation, "group": groups}
    mode = draw(st.sampled_from(["pads", "SAME_UPPER", "SAME_LOWER", "VALID"]))
    if mode == "pads":
        attributes["pads"] = each(0, 3) + each(0, 3)
    else:
        attributes["auto_pad"] = mode
        if mode.startswith("SAME"):
            attributes["dilations"] = [1] * rank
    return size, kernel, inputs, outputs, attributes, draw(st.booleans())


@settings(max_examples=80, deadline=None)
@given(convolutions())
def test_equals_runtime(model, agree, case):
    size, kernel, inputs, outputs, attributes, with_bias = case
    weight = normal(outputs, inputs // attributes["group"], *kernel)
    constants = {"w": weight, **({"b": normal(outputs)} if with_bias else {})}
    reads = "x w b" if with_bias else "x w"
    imported = agree(model([("Conv", reads, "y", attributes)], (inputs, *size), **constants))
    (conv,) = [node for node in imported.network if isinstance(node, Conv)]
    assert conv.name == "n-y"
    assert conv.groups == attributes["group"]


def test_finding_tells_what_it_becomes(model, agree):
    imported = agree(model([("Conv", "x w", "y")], (1, 4, 4), w=normal(2, 1, 3, 3)))
    (finding,) = imported.findings
    assert (finding.node, finding.op_type, finding.verdict) == ("n-y", "Conv", "converts")
    assert finding.reason == "becomes Conv"


@pytest.mark.parametrize(
    ("attributes", "words"),
    [
        ({"strides": [0, 1]}, "strides"),
        ({"strides": [1]}, "strides"),
        ({"dilations": [1, -1]}, "dilations"),
        ({"pads": [-1, 0, 0, 0]}, "pads"),
        ({"pads": [1, 1]}, "pads"),
        ({"pads": [2**40, 0, 0, 0]}, "pads"),
        ({"pads": [2**30, 2**30, 0, 0]}, "too large"),
        ({"group": 0}, "groups"),
        ({"group": 3}, "groups"),
        ({"kernel_shape": [5, 5]}, "kernel_shape"),
        ({"auto_pad": "SOMEHOW"}, "auto_pad"),
        ({"strides": "2"}, "strides"),
    ],
)
def test_absurd_attributes(model, refuses, attributes, words):
    proto = model([("Conv", "x w", "y", attributes)], (2, 8, 8), w=normal(4, 2, 3, 3))
    refuses(proto, "n-y", match=words)


def test_weight_that_does_not_fit(model, refuses):
    refuses(model([("Conv", "x w", "y")], (2, 8, 8), w=normal(4, 3, 3, 3)), "n-y", match="fit")
    refuses(model([("Conv", "x w", "y")], (2, 8, 8), w=normal(4, 2, 3)), "n-y", match="fit")
    refuses(model([("Conv", "x w", "y")], (2, 2, 2), w=normal(4, 2, 3, 3)), "n-y", match="larger")


def test_computed_weight(model, refuses):
    proto = model([("Relu", "x", "r"), ("Conv", "x r", "y")], (2, 8, 8))
    refuses(proto, "n-y", match="not a constant")
