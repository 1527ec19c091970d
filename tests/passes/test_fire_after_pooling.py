"""Average poolings that become a population where multiplying them into a layer costs more."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from neurodeploy.network import Activation, Conv, Dense, Input, Network, Output, Permute, Pool
from neurodeploy.network.evaluate import Evaluator
from neurodeploy.network.stages import stages
from neurodeploy.passes import FireAfterPooling, run_passes, standard_passes


def head(channels, side, classes, *, relu=True):
    """A convolution, a global pooling and a classifier."""
    rng = np.random.default_rng(0)

    def normal(*shape):
        return rng.standard_normal(shape).astype(np.float32)

    nodes = [
        Input("x", (2, side, side)),
        Conv("conv", normal(channels, 2, 3, 3), normal(channels), padding=(1,) * 4),
        *([Activation("relu")] if relu else []),
        Pool("pool", kernel=(side, side), stride=(1, 1)),
        Permute("flat", (channels,)),
        Dense("dense", normal(classes, channels), normal(classes)),
        Output("out"),
    ]
    return Network(nodes, {b.name: (a.name,) for a, b in itertools.pairwise(nodes)})


def test_keeps_the_function():
    before = head(8, 8, 5)
    after = FireAfterPooling(500).apply(before)
    assert "pool.fired" in after.graph
    x = np.random.default_rng(1).standard_normal((4, 2, 8, 8)).astype(np.float32)
    expected, found = (Evaluator(network).run(x)["out"] for network in (before, after))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("channels", "side", "classes", "fan_in", "fires"),
    [
        (8, 8, 5, None, False),  # nothing is too large
        (8, 8, 5, 512, False),  # it just fits
        (8, 8, 5, 511, True),  # a neuron would read more than a core holds
        (8, 8, 5, 7, False),  # it does so either way
        (256, 16, 65, None, True),  # 4.2 million synapses more
        (256, 16, 64, None, False),
    ],
)
def test_when_it_fires(channels, side, classes, fan_in, fires):
    found = FireAfterPooling(fan_in).apply(head(channels, side, classes))
    assert ("pool.fired" in found.graph) == fires


def test_sums_that_may_be_negative_are_left_alone():
    assert "pool.fired" not in FireAfterPooling(511).apply(head(8, 8, 5, relu=False)).graph


def test_the_pooling_is_a_convolution_and_the_head_stays_small():
    network = run_passes(head(8, 8, 5), standard_passes(largest_fan_in=100))
    _, pooled, readout = stages(network)
    (path,) = pooled.paths
    assert isinstance(path.operator, Conv)
    assert path.operator.weight.shape == (8, 1, 8, 8)
    assert readout.paths[0].operator.weight.shape == (5, 8)
