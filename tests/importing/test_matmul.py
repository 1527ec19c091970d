"""Gemm and MatMul against ONNX Runtime."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurodeploy.network import Dense

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
    ],
)
def test_matmul_equals_runtime(model, agree, shape, left, right):
    reads = "x w" if left is None else "w x"
    agree(model([("MatMul", reads, "y")], shape, w=normal(*(left or right))))


def test_matmul_takes_the_bias_behind_it(model, agree):
    nodes = [("MatMul", "x w", "m"), ("Add", "b m", "y")]
    imported = agree(model(nodes, (5,), w=normal(5, 3), b=normal(3)))
    assert [node.name for node in imported.network] == ["x", "n-m", "output"]
    assert [finding.verdict for finding in imported.findings] == ["converts", "folds"]
    assert "'n-m'" in imported.findings[1].reason


def test_matmul_refusals(model, refuses):
    refuses(model([("MatMul", "x x", "y")], (3, 3)), "n-y", match="two activations")
    refuses(model([("MatMul", "x w", "y")], (3,), w=normal(4, 2)), "n-y", match="fit")
    refuses(model([("MatMul", "x w", "y")], (2, 3, 4), w=normal(3, 4, 2)), "n-y", match="matrix")
    refuses(model([("MatMul", "w x", "y")], (3,), batch=2, w=normal(4, 2)), "n-y", match="left")
