"""Neurons of a spiking layer that share a scale: the dead cost nothing, the faint are told."""

from __future__ import annotations

import numpy as np
import pytest

import neurodeploy as nd
from neurodeploy.network import SpikingLayer, spiking_network

RNG = np.random.default_rng(3)
W = RNG.uniform(-1, 1, (6, 5)) * 0.7
V = RNG.uniform(-1, 1, (3, 6))
X = (RNG.random((4, 30, 5)) < 0.4).astype(np.uint8)


def compiled(weight, read=V, said=None, **layer):
    layers = [
        SpikingLayer(weight, membrane_leak=0.1, **layer),
        SpikingLayer(read, membrane_leak=0.1, reset="subtract"),
    ]
    told = [] if said is None else said
    network = spiking_network(5, layers)
    return nd.compile(network, scheme="direct", steps=30, warn=told.append)


@pytest.mark.parametrize("how", ["bias", "small bias", "negative", "large and read loudly"])
def test_a_neuron_that_cannot_fire_costs_the_others_nothing(how):
    """Its weights, its bias and what reads it take no bits of the layer's."""
    weight, bias, read = W.copy(), np.zeros(6), V.copy()
    if how == "bias":
        bias[2] = -1e5
    elif how == "small bias":
        weight[2], bias[2] = 0.01, 0.01  # 0.06 a step against a leak of 0.1: 0.6 of the threshold
    elif how == "negative":
        weight[2] = -1e4
    else:
        weight[2], bias[2], read[:, 2] = 1e3, -1e6, 1e4
    pruned, deaf = W.copy(), V.copy()
    pruned[2], deaf[:, 2] = 0, 0
    said: list[str] = []
    found = nd.simulate(compiled(weight, read, said, bias=bias), X)
    wanted = nd.simulate(compiled(pruned, deaf), X)
    assert not said
    np.testing.assert_array_equal(found.outputs, wanted.outputs)
    assert wanted.outputs.any()


def test_a_convolution_loses_whole_channels():
    kernel = RNG.uniform(-1, 1, (3, 1, 2, 2))
    kernel[1] = -1e4
    layers = [SpikingLayer(kernel), SpikingLayer(np.ones((2, 27)), reset="none")]
    said: list[str] = []
    network = spiking_network((1, 4, 4), layers)
    program = nd.compile(network, scheme="direct", steps=5, warn=said.append)
    weights = program.connections[0].synapses.weights.reshape(3, -1)
    assert not said
    assert not weights[1].any()
    assert np.abs(weights[[0, 2]]).max() > 60


@pytest.mark.parametrize("case", ["weight", "threshold"])
def test_neurons_whose_weights_round_away_are_told(case):
    weight, threshold = W.copy(), np.ones(6)
    if case == "weight":
        weight[2, 1] = 500.0
    else:
        threshold[2] = 1e-3
    said: list[str] = []
    compiled(weight, said=said, threshold=threshold)
    (line,) = said
    assert "5 of 6 neurons" in line
    assert "clip weights" in line
    said.clear()
    compiled(W, said=said)
    compiled(np.sign(W), said=said)  # one level, and exact
    assert not said
