"""Max pooling as ReLUs computes the maximum, with as many ReLUs as it says."""

from __future__ import annotations

import itertools
from math import prod

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neurodeploy.network import Activation, Conv, Input, Network, Output, Pool
from neurodeploy.network.compose import apply_linear, compose
from neurodeploy.network.evaluate import Evaluator
from neurodeploy.network.stages import stages
from neurodeploy.passes import MaxPoolingAsReLUs

SETTINGS = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def chain(*nodes):
    every = [*nodes, Output("out")]
    return Network(every, {b.name: (a.name,) for a, b in itertools.pairwise(every)})


@SETTINGS
@given(st.integers(0, 2**32 - 1))
def test_it_is_the_maximum(seed):
    """One to three axes; stride, dilation, overlap and padding; of both signs or never negative."""
    rng = np.random.default_rng(seed)
    rank, channels = int(rng.integers(1, 4)), int(rng.integers(1, 4))
    kernel = tuple(int(n) for n in rng.integers(1, 5, rank))
    dilation = tuple(int(n) for n in rng.integers(1, 3, rank))
    size = tuple(
        d * (k - 1) + 1 + int(rng.integers(0, 5)) for d, k in zip(dilation, kernel, strict=True)
    )
    stride = tuple(int(n) for n in rng.integers(1, 4, rank))
    padding = tuple(int(rng.integers(0, k)) for k in kernel * 2)
    if any(d > 1 for d in dilation):
        padding = (0,) * (2 * rank)  # a window in nothing but padding has no maximum
    pool = Pool("pool", "max", kernel, stride, padding, dilation)
    relu = [Activation("relu")] if rng.random() < 0.5 else []
    before = chain(Input("x", (channels, *size)), *relu, pool)
    x = rng.standard_normal((3, channels, *size)).astype(np.float32)
    after = MaxPoolingAsReLUs().apply(before)
    assert not any(isinstance(node, Pool) for node in after)
    np.testing.assert_allclose(
        Evaluator(after).run(x)["out"], Evaluator(before).run(x)["out"], atol=1e-5
    )


@pytest.mark.parametrize(
    ("kernel", "stride", "padding", "each"),
    [((2, 2), (2, 2), (0,) * 4, 3), ((3, 3), (2, 2), (1,) * 4, 6), ((7, 7), (7, 7), (0,) * 4, 48)],
)
def test_neurons(kernel, stride, padding, each):
    pool = Pool("pool", "max", kernel, stride, padding, (1, 1))
    network = chain(Input("x", (2, 14, 14)), Activation("relu"), pool)
    after = MaxPoolingAsReLUs().apply(network)
    relus = [n for n in after if isinstance(n, Activation) and n.name != "relu"]
    count = sum(prod(after.shapes[node.name]) for node in relus)
    assert count == each * prod(network.shapes["pool"])


def test_synapses_stay_convolutions():
    """The layer behind reads each population through one shared kernel, not synapse by synapse."""
    rng = np.random.default_rng(0)
    conv = Conv("conv", rng.standard_normal((3, 2, 3, 3)).astype(np.float32),
                np.zeros(3, np.float32), padding=(1,) * 4)  # fmt: skip
    pool = Pool("pool", "max")
    network = chain(Input("x", (2, 8, 8)), Activation("relu"), pool, conv)
    cut = stages(MaxPoolingAsReLUs().apply(network))
    assert all(isinstance(path.operator, Conv) for stage in cut[1:] for path in stage.paths)


def test_only_sums_are_written_out():
    pool = Pool("pool", "max")
    assert MaxPoolingAsReLUs(only_sums=True).apply(
        network := chain(Input("x", (2, 8, 8)), Activation("relu"), pool)
    ) is network  # fmt: skip
    scale = Conv("conv", np.ones((2, 2, 1, 1), np.float32), np.zeros(2, np.float32))
    network = chain(Input("x", (2, 8, 8)), scale, pool)
    after = MaxPoolingAsReLUs(only_sums=True).apply(network)
    assert not any(isinstance(node, Pool) for node in after)


@SETTINGS
@given(st.integers(0, 2**32 - 1))
def test_a_kernel_behind_a_pick(seed):
    """Where `compose` makes one convolution of both, it is the same function."""
    rng = np.random.default_rng(seed)
    size, place = tuple(int(n) for n in rng.integers(9, 14, 2)), rng.integers(0, 3, 2)
    kernel = np.zeros((2, 1, 3, 3), np.float32)
    kernel[:, 0, place[0], place[1]] = [2, -3]
    pad = tuple(int(n) for n in rng.integers(0, 2, 4))
    stride = tuple(int(n) for n in rng.integers(1, 4, 2))
    pick = Conv("pick", kernel, np.zeros(2, np.float32), stride, pad, (1, 1), 2)
    side = int(rng.integers(1, 3))
    weight = rng.standard_normal((4, 2, side, side)).astype(np.float32)
    pad = tuple(int(n) for n in rng.integers(0, 2, 4))
    second = Conv("conv", weight, np.zeros(4, np.float32), (1, int(rng.integers(1, 3))), pad)
    x = rng.standard_normal((2, *size))
    one = compose(pick, second, x.shape)
    if one is not None:
        two = apply_linear(second, apply_linear(pick, x))
        np.testing.assert_allclose(apply_linear(one, x), two, atol=1e-5)
