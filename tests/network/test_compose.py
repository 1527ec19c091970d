"""Composition of linear nodes against ONNX Runtime on the unmerged pair."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from neurodeploy.errors import ModelError
from neurodeploy.network import Conv, Dense, Input, Network, Output, Permute, Pool
from neurodeploy.network.compose import apply_linear, compose, is_channel_affine
from neurodeploy.network.evaluate import Evaluator
from neurodeploy.network.matrix import as_matrix

SETTINGS = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


def normal(rng, *shape):
    return rng.standard_normal(shape).astype(np.float32)


def random_conv(rng, shape, name):
    groups = int(rng.choice([1, 1, shape[0]]))
    outputs = groups * int(rng.integers(1, 4))
    kernel = rng.integers(1, 4, 2)
    return Conv(
        name,
        normal(rng, outputs, shape[0] // groups, *kernel),
        normal(rng, outputs),
        tuple(int(n) for n in rng.integers(1, 3, 2)),
        tuple(int(n) for n in rng.integers(0, 3, 4)),
        tuple(int(n) for n in rng.integers(1, 3, 2)),
        groups,
    )


def random_affine(rng, shape, name):
    weight, bias = normal(rng, shape[0], 1, 1, 1), normal(rng, shape[0])
    return Conv(name, weight, bias, groups=shape[0])


def random_pool(rng, shape, name):
    kernel = tuple(int(n) for n in rng.integers(1, 4, 2))
    padding = tuple(int(n) for n in rng.integers(0, 2, 4)) if rng.random() < 0.3 else (0,) * 4
    if any(padding[a] >= kernel[a % 2] for a in range(4)):
        padding = (0,) * 4
    return Pool(
        name,
        "average",
        kernel,
        tuple(int(n) for n in rng.integers(1, 4, 2)),
        padding,
        count_include_pad=bool(rng.random() < 0.5),
    )


def random_dense(rng, shape, name):
    size = int(np.prod(shape))
    return Dense(name, normal(rng, 3, size), normal(rng, 3))


def random_move(rng, shape, name):
    """Channels chosen, repeated, shuffled, or zeros in their place."""
    channels = rng.integers(-1, shape[0], int(rng.integers(1, 6)))
    area = int(np.prod(shape[1:]))
    places = np.where(channels[:, None] < 0, -1, channels[:, None] * area + np.arange(area))
    return Permute(name, (len(channels), *shape[1:]), places.reshape(-1))


KINDS = {
    "move": random_move,
    "conv": random_conv,
    "affine": random_affine,
    "pool": random_pool,
    "dense": random_dense,
}


def onnx_runtime(nodes, shape, x):
    """What ONNX Runtime computes for the chain."""
    every = [Input("x", shape), *nodes, Output("y")]
    inputs = {b.name: (a.name,) for a, b in itertools.pairwise(every)}
    return Evaluator(Network(every, inputs)).run(x[None].astype(np.float32))["y"][0]


@SETTINGS
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from(sorted(KINDS)),
    st.sampled_from(sorted(KINDS)),
)
def test_pairs(seed, first_kind, second_kind):
    rng = np.random.default_rng(seed)
    shape = (int(rng.integers(1, 4)), *(int(n) for n in rng.integers(5, 9, 2)))
    first = KINDS[first_kind](rng, shape, "first")
    try:
        middle = first.output_shape([shape])
        assume(len(middle) == 3 or second_kind == "dense")
        second = KINDS[second_kind](rng, middle, "second")
        second.output_shape([middle])
    except ModelError:
        assume(False)
    x = rng.standard_normal(shape)
    expected = onnx_runtime([first, second], shape, x)
    scale = max(1.0, np.abs(expected).max())
    merged = compose(first, second, shape)
    if merged is not None:
        assert merged.name == "second"
        assert merged.output_shape([shape]) == second.output_shape([middle])
        np.testing.assert_allclose(
            onnx_runtime([merged], shape, x), expected, rtol=0, atol=1e-4 * scale
        )
    # the general form always holds
    chained = apply_linear(second, apply_linear(first, x))
    np.testing.assert_allclose(chained, expected, rtol=0, atol=1e-4 * scale)
    product = as_matrix(second, middle) @ as_matrix(first, shape)
    offset = apply_linear(second, apply_linear(first, np.zeros(shape)))
    flat = (product @ x.reshape(-1)).reshape(offset.shape) + offset
    np.testing.assert_allclose(flat, expected, rtol=0, atol=1e-4 * scale)


def test_cases_that_must_merge():
    rng = np.random.default_rng(0)
    shape = (4, 8, 8)
    conv = Conv("conv", normal(rng, 6, 4, 3, 3), normal(rng, 6), padding=(1,) * 4)
    after = random_affine(rng, (6,), "bn")
    before = random_affine(rng, (4,), "bn")
    pool = Pool("pool")
    assert is_channel_affine(before)
    narrow = Conv("narrow", normal(rng, 2, 6, 1, 1), normal(rng, 2))
    wide = Conv("wide", normal(rng, 9, 4, 1, 1), normal(rng, 9), stride=(2, 2))
    behind = Conv("behind", normal(rng, 3, 9, 3, 3), normal(rng, 3), padding=(1,) * 4)
    move = random_move(rng, shape, "move")
    moved = Conv("moved", normal(rng, 2, move.shape[0], 3, 3), normal(rng, 2))
    for first, second in (
        (conv, after), (before, conv), (pool, conv), (conv, pool), (conv, narrow), (wide, behind),
        (move, moved),
        (conv, random_move(rng, (6, 8, 8), "move")),
    ):  # fmt: skip
        assert isinstance(compose(first, second, shape), Conv)
    flatten = Permute("flat", (256,))
    dense = Dense("dense", normal(rng, 5, 256), normal(rng, 5))
    assert isinstance(compose(flatten, dense, shape), Dense)


def test_pooling_keeps_the_weights_of_the_layer():
    """Every weight of a pooled kernel is one of the layer's own over the window's size."""
    rng = np.random.default_rng(0)
    conv = Conv("conv", normal(rng, 6, 4, 3, 3), normal(rng, 6), padding=(1,) * 4)
    merged = compose(Pool("pool"), conv, (4, 8, 8))
    assert merged.weight.shape == (6, 4, 6, 6)
    assert merged.stride == (2, 2)
    for y, x in np.ndindex(2, 2):
        np.testing.assert_allclose(merged.weight[..., y::2, x::2] * 4, conv.weight, rtol=1e-6)


@pytest.mark.parametrize(
    ("pool", "shape", "why"),
    [
        (Pool("p", kernel=(3, 3), stride=(2, 2)), (4, 9, 9), "overlap meets the border"),
        (Pool("p"), (4, 9, 9), "a row is left over"),
        (Pool("p", padding=(1, 1, 1, 1)), (4, 8, 8), "the pooling itself is padded"),
    ],
)
def test_cases_that_must_not_merge(pool, shape, why):
    rng = np.random.default_rng(0)
    conv = Conv("conv", normal(rng, 6, 4, 3, 3), normal(rng, 6), padding=(1,) * 4)
    assert compose(pool, conv, shape) is None, why


def test_shift_through_a_padded_border():
    """A batch norm before a padded convolution leaves a bias of its own at each border."""
    rng = np.random.default_rng(0)
    conv = Conv("conv", normal(rng, 6, 4, 3, 3), normal(rng, 6), padding=(1,) * 4)
    merged = compose(random_affine(rng, (4,), "bn"), conv, (4, 5, 5))
    assert merged.bias.shape == (6, 5, 5)
    assert np.unique(merged.bias[0].round(5)).size == 9  # centre, four edges, four corners
