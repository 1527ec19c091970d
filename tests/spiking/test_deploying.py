"""Compiled recurrent programs on Lava: every spike and membrane, samples one after the other."""

from __future__ import annotations

import numpy as np
import pytest

import neurodeploy as nd
from neurodeploy.network.stages import stages
from neurodeploy.network.stepping import step_through

pytest.importorskip("lava", reason="needs Lava")
pytestmark = pytest.mark.lava
STEPS = 12


def grid(shape, seed, largest=60):
    values = np.random.default_rng(seed).integers(-largest, largest + 1, shape)
    return values.astype(np.float32) / np.float32(64)


def test_a_recurrent_network_with_a_read_out():
    layers = [
        nd.SpikingLayer(
            grid((9, 6), 0) + 0.25, recurrent=grid((9, 9), 1, 30), bias=0.5, reset="subtract"
        ),
        nd.SpikingLayer(grid((5, 9), 2), membrane_leak=1.0, threshold=np.arange(5) / 4, delay=2),
        nd.SpikingLayer(grid((3, 5), 3), reset="none", membrane_leak=0.125),
    ]
    network = nd.spiking_network(6, layers)
    x = (np.random.default_rng(4).random((4, STEPS, 6)) < 0.5).astype(np.uint8)
    program = nd.compile(
        network, scheme="direct", steps=STEPS, decoder="every_step", warn=lambda _: None
    )
    assert program.decoder.tail == 2
    result = nd.deploy(program, x, verify=True, membranes=True)
    assert result.mismatched_spikes == result.mismatched_membranes == 0
    assert result.compared_spikes > 100
    expected = step_through(stages(network), (6,), x)["layer3"].membranes
    np.testing.assert_allclose(result.outputs, expected, atol=0.02)
    np.testing.assert_array_equal(result.outputs, nd.simulate(program, x).outputs)


def test_stock_neurons_that_a_flush_keeps_apart():
    """On Lava's own neurons too: populations that nothing reaches but their bias."""
    layers = [
        nd.SpikingLayer(grid((9, 6), 0) + 0.25, recurrent=grid((9, 9), 1, 30), bias=0.25),
        nd.SpikingLayer(grid((4, 9), 2)),
    ]
    network = nd.spiking_network(6, layers)
    x = (np.random.default_rng(4).random((3, STEPS, 6)) < 0.5).astype(np.uint8)
    program = nd.compile(
        network, scheme="direct", steps=STEPS, target="loihi1", warn=lambda _: None
    )
    result = nd.deploy(program, x, verify=True, membranes=True)
    assert result.mismatched_spikes == result.mismatched_membranes == 0
    expected = step_through(stages(network), (6,), x)["layer2"].spikes.sum(1)
    np.testing.assert_array_equal(result.outputs, expected)
