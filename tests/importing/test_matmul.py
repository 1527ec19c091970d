"""Gemm and MatMul against ONNX Runtime."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurodeploy.network import Conv, Dense

RNG = np.random.default_rng(1)


def normal(*shape):
    return RNG.standard_normal(shape).astype(np.float32)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 6),
    st.integers(1, 6),
    st.booleans(),
    st.sampled_from([1.0, 0.5, -2.0]),
    st.sampled_from([1.0, 0.25]),
    st.sampled_from(["none", "row", "scalar", "one", "matrix"]),
)
def test_gemm_equals_runtime(model, agree, inputs, outputs, turned, alpha, beta, bias):
    shapes = {"row": (outputs,), "scalar": (), "one": (1,), "matrix": (1, outputs)}
    constants = {"w": normal(*((outputs, inputs) if turned else (inputs, outputs)))}
    if bias != "none":
        constants["c"] = normal(*shapes[bias])
    attributes = {"transB": int(turned), "alpha": alpha, "beta": beta}
    reads = "x w" if bias == "none" else "x w c"
    imported = agree(model([("Gemm", reads, "y", attributes)], (inputs,), **constants))
    assert [type(node) for node in imported.network][1] is Dense


def test_gemm_bias_of_every_sample(model, agree, refuses):
    same = np.tile(normal(1, 4), (2, 1))
    agree(model([("Gemm", "x w c", "y")], (3,), batch=2, w=normal(3, 4), c=same))
    proto = model([("Gemm", "x w c", "y")], (3,), batch=2, w=normal(3, 4), c=normal(2, 4))
    refuses(proto, "n-y", match="differs between the samples")


def test_gemm_refusals(model, refuses):
    turned = [("Gemm", "x w", "y", {"transA": 1})]
    refuses(model(turned, (3,), batch=3, w=normal(3, 4)), "n-y", match="transA")
    refuses(model([("Gemm", "x w", "y")], (3,), w=normal(5, 4)), "n-y", match="fit")
    infinite = model([("Gemm", "x w", "y")], (3,), w=np.full((3, 4), np.inf, np.float32))
    refuses(infinite, "n-y", match="initialiser 'w'")
    proto = model([("Gemm", "x w", "y", {"alpha": 1e30})], (3,), w=normal(3, 4) * 1e20)
    refuses(proto, "n-y", match="beyond float32")


@pytest.mark.parametrize(
    ("shape", "left", "right"),
    [
        ((5,), None, (5, 3)),
        ((5,), None, (1, 5)[::-1]),
        ((1, 5), None, (5, 3)),
        ((4, 5), None, (5, 3)),
        ((2, 4, 5), None, (5, 3)),
        ((4, 5), None, (1, 5, 3)),
        ((5, 1), (3, 5), None),
        ((5, 4), (3, 5), None),
        ((5, 4), (1, 3, 5), None),
        ((5,), None, (5,)),
        ((4, 5), None, (5,)),
        ((2, 4, 5), None, (5,)),
        ((5, 4), (5,), None),
        ((2, 5, 4), (5,), None),
        ((2, 5, 4), (3, 5), None),
        ((2, 4, 5), None, (2, 5, 3)),
        ((2, 5, 4), (2, 3, 5), None),
        ((1, 4, 5), None, (2, 5, 3)),
        ((2, 1, 5), None, (1, 2, 5, 3)),
        ((2, 3, 4, 5), None, (2, 1, 5, 3)),
        ((2, 3, 4, 5), None, (3, 5, 2)),
        ((2, 3, 4, 5), (2, 1, 2, 4), None),
        ((2, 3, 4, 5), (1, 2, 3, 2, 4), None),
    ],
)
def test_matmul_equals_runtime(model, agree, shape, left, right):
    reads = "x w" if left is None else "w x"
    agree(model([("MatMul", reads, "y")], shape, w=normal(*(left or right))))


def test_matmul_of_a_fixed_batch(model, agree, refuses):
    same = np.tile(normal(1, 4, 3), (2, 1, 1))
    agree(model([("MatMul", "x w", "y")], (5, 4), batch=2, w=same))
    proto = model([("MatMul", "x w", "y")], (5, 4), batch=2, w=normal(2, 4, 3))
    refuses(proto, "n-y", match="between the samples")
    proto = model([("MatMul", "x w", "y")], (5, 4), batch=1, w=same)
    refuses(proto, "n-y", match="between the samples")


def test_a_stack_of_matrices_is_a_grouped_convolution(model, agree):
    imported = agree(model([("MatMul", "x w", "y")], (6, 7, 5), w=normal(6, 5, 3)))
    (conv,) = [node for node in imported.network if isinstance(node, Conv)]
    assert (conv.groups, conv.weight.size) == (6, 6 * 5 * 3)


def test_matmul_takes_the_bias_behind_it(model, agree):
    nodes = [("MatMul", "x w", "m"), ("Add", "b m", "y")]
    imported = agree(model(nodes, (5,), w=normal(5, 3), b=normal(3)))
    assert [node.name for node in imported.network] == ["x", "n-m", "output"]
    assert [finding.verdict for finding in imported.findings] == ["converts", "folds"]
    assert "'n-m'" in imported.findings[1].reason


def test_matmul_refusals(model, refuses):
    refuses(model([("MatMul", "x x", "y")], (3, 3)), "n-y", match="two activations")
    refuses(model([("MatMul", "x w", "y")], (3,), w=normal(4, 2)), "n-y", match="fit")
    refuses(model([("MatMul", "x w", "y")], (2, 3, 4), w=normal(3, 4, 2)), "n-y", match="not fit")
    refuses(model([("MatMul", "w x", "y")], (3,), batch=2, w=normal(4, 2)), "n-y", match="batch")
    refuses(model([("MatMul", "w x", "y")], (3,), batch=2, w=normal(2)), "n-y", match="batch")
    refuses(model([("MatMul", "x w", "y")], (3,), w=normal(1, 3, 2)), "n-y", match="more axes")
    refuses(model([("MatMul", "x w", "y")], (3,), w=np.float32(2)), "n-y", match="a number")
    wide = [("MatMul", "x w", "y")]
    proto = model(wide, (1, 400, 400), w=np.ones((400, 400, 1), np.float32))
    refuses(proto, "n-y", match="64000000 elements")
