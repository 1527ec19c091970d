"""What is linear in pieces, against ONNX Runtime: LeakyRelu, PRelu, Abs, Clip, Max, Min, Shrink."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from neurodeploy.network import Activation

RNG = np.random.default_rng(4)
WIDE = np.linspace(-12, 12, 36).reshape(3, 12)


def normal(*shape):
    return RNG.standard_normal(shape).astype(np.float32)


def populations(imported):
    return sum(isinstance(node, Activation) for node in imported.network)


def wide(*shape):
    return RNG.uniform(-8, 8, (3, *shape))


@pytest.mark.parametrize("alpha", [0.01, 0.3, 1.7, -0.5, 1.0])
@pytest.mark.parametrize("opset", [7, 15, 16])
def test_leaky_relu(model, agree, alpha, opset):
    nodes = [("LeakyRelu", "x", "y", {"alpha": alpha})]
    imported = agree(model(nodes, (12,), opset=opset), samples=WIDE)
    assert populations(imported) == (0 if alpha == 1 else 2)
    (finding,) = imported.findings
    assert ("two populations" in finding.reason) == (alpha != 1)


def test_default_slope(model, agree):
    imported = agree(model([("LeakyRelu", "x", "y")], (12,)), samples=WIDE)
    assert imported.network.output is not None
    assert populations(imported) == 2


@pytest.mark.parametrize("opset", [7, 9, 16])
@pytest.mark.parametrize("slope", [(), (1,), (3, 1, 1), (1, 3, 1, 1), (4,), (3, 4, 4)])
def test_prelu(model, agree, opset, slope):
    nodes = [("Conv", "x w", "c"), ("PRelu", "c s", "y")]
    constants = {"w": normal(3, 2, 1, 1), "s": normal(*slope)}
    agree(model(nodes, (2, 4, 4), opset=opset, **constants))


def test_prelu_without_a_slope_is_a_relu(model, agree, refuses):
    imported = agree(model([("PRelu", "x s", "y")], (3, 4), s=np.zeros((3, 1), np.float32)))
    assert [node.name for node in imported.network] == ["x", "n-y", "output"]
    refuses(model([("PRelu", "x x", "y")], (3,)), "n-y", match="not a constant")
    refuses(model([("PRelu", "x s", "y")], (3, 1), s=normal(3, 4)), "n-y", match="does not fit")


@pytest.mark.parametrize("shape", [(12,), (3, 4), (2, 3, 2), (1, 2, 2, 3), (1, 2, 1, 2, 3)])
def test_abs(model, agree, shape):
    assert populations(agree(model([("Abs", "x", "y")], shape))) == 2


LIMITS = [None, -3e38, -1e6, -2000.0, -5.0, -0.25, 0.0, 0.5, 4.0, 3000.0, 1e6, 3e38]


@settings(max_examples=120, deadline=None)
@given(st.sampled_from(LIMITS), st.sampled_from(LIMITS), st.sampled_from([7, 10, 11, 12, 13, 18]))
def test_clip(model, agree, low, high, opset):
    if opset < 11:
        assume(low is None or high is None or low <= high)
        ends = {k: v for k, v in (("min", low), ("max", high)) if v is not None}
        proto = model([("Clip", "x", "y", ends)], (12,), opset=opset)
    else:
        reads = f"x {'-' if low is None else 'l'} {'-' if high is None else 'h'}"
        constants = {k: np.float32(v) for k, v in (("l", low), ("h", high)) if v is not None}
        proto = model([("Clip", reads, "y")], (12,), opset=opset, **constants)
    imported = agree(proto, samples=WIDE)
    far = [abs(v) > 1024 for v in (low, high) if v is not None]
    assert populations(imported) <= (2 if far and all(far) else 1)


def test_clip_far_from_zero_keeps_small_values(model, agree):
    small = np.linspace(-1e-3, 1e-3, 36).reshape(3, 12)
    ends = {"l": np.float32(-1e8), "h": np.float32(1e9)}
    assert populations(agree(model([("Clip", "x l h", "y")], (12,), **ends), samples=small)) == 2
    agree(model([("Clip", "x l", "y")], (12,), l=np.float32(-1e8)), samples=small)
    agree(model([("Min", "x h", "y")], (12,), h=np.float32(1e8)), samples=small)


@pytest.mark.parametrize(
    ("ends", "words"),
    [
        ({"l": np.float32(np.nan)}, "not one number"),
        ({"l": np.zeros(3, np.float32)}, "not one number"),
        ({"l": np.float32(np.inf)}, "nothing passes"),
    ],
)
def test_clip_refusals(model, refuses, ends, words):
    refuses(model([("Clip", "x l", "y")], (3,), **ends), "n-y", match=words)
    refuses(model([("Clip", "x x", "y")], (3,)), "n-y", match="not a constant")
    swapped = [("Clip", "x", "y", {"min": 2.0, "max": 1.0})]
    refuses(model(swapped, (3,), opset=10), "n-y", match="above its maximum")


@pytest.mark.parametrize("attributes", [{}, {"alpha": 0.5, "beta": -0.25}, {"alpha": -1.0}])
def test_hard_sigmoid(model, agree, attributes):
    nodes = [("HardSigmoid", "x", "s", attributes), ("Neg", "s", "y")]
    imported = agree(model(nodes, (12,)), samples=WIDE)
    (activation,) = [node for node in imported.network if isinstance(node, Activation)]
    assert activation.maximum == 1


def test_shrink_and_threshold(model, agree, refuses):
    soft = {"bias": 1.5, "lambd": 1.5}
    assert populations(agree(model([("Shrink", "x", "y", soft)], (12,)), samples=WIDE)) == 2
    agree(model([("Shrink", "x", "y", {"lambd": 0.0})], (12,)), samples=WIDE)
    refuses(model([("Shrink", "x", "y")], (12,)), "n-y", match="jumps at 0.5")
    agree(model([("ThresholdedRelu", "x", "y", {"alpha": 0.0})], (12,)), samples=WIDE)
    refuses(model([("ThresholdedRelu", "x", "y")], (12,)), "n-y", match="jumps from 0 to 1")


@settings(max_examples=80, deadline=None)
@given(
    st.sampled_from(["Max", "Min"]),
    st.sampled_from([(), (1,), (3, 1), (1, 3, 1), (4,), (3, 4), (1, 3, 4)]),
    st.sampled_from([8, 12, 13]),
    st.sampled_from(["x c", "c x", "c x d", "c r x", "x r x", "x"]),
)
def test_max_and_min(model, agree, kind, constant, opset, reads):
    nodes = [("Conv", "x w", "r"), (kind, reads, "y")]
    constants = {"w": normal(3, 3, 1), "c": 4 * normal(*constant), "d": 4 * normal(3, 1)}
    agree(model(nodes, (3, 4), opset=opset, **constants), samples=wide(3, 4))


def test_max_with_zero_is_one_relu(model, agree):
    constants = {"c": np.float32(-1), "z": np.zeros((1, 1), np.float32)}
    imported = agree(model([("Max", "c x z", "y")], (12,), **constants), samples=WIDE)
    assert [node.name for node in imported.network] == ["x", "n-y", "output"]


def test_max_of_activations_costs_a_population_each(model, agree):
    nodes = [("Gemm", "x u", "a"), ("Gemm", "x v", "b"), ("Gemm", "x w", "c")]
    nodes += [("Max", "a b c a", "y")]
    constants = {name: normal(5, 4) for name in "uvw"}
    imported = agree(model(nodes, (5,), **constants))
    assert populations(imported) == 2
    assert "2 more populations" in imported.findings[-1].reason


def test_max_and_min_refusals(model, refuses):
    uneven = np.array([-1e9, 0, 0], np.float32)
    refuses(model([("Max", "x c", "y")], (3,), c=uneven), "n-y", match="round the others off")
    refuses(model([("Min", "x c", "y")], (3,), c=-uneven), "n-y", match="round the others off")
    reads = [("Gemm", "x w", f"g{i}") for i in range(17)]
    nodes = [*reads, ("Max", " ".join(f"g{i}" for i in range(17)), "y")]
    refuses(model(nodes, (3,), w=normal(3, 3)), "n-y", match="17 activations")
    refuses(model([("Max", "x c", "y")], (3,), c=normal(4)), "n-y", match="does not fit")
    different = [("Flatten", "x", "f"), ("Max", "x f", "y")]
    refuses(model(different, (3, 4)), "n-y", match="batch axis of one meets")
