"""Programs and networks as NIR graphs, and back: the same spikes."""

from __future__ import annotations

import numpy as np
import pytest
from click.testing import CliRunner

import neurodeploy as nd
from neurodeploy.cli import cli
from neurodeploy.errors import NeuroDeployError
from neurodeploy.network.from_program import program_network

STEPS = 25


def grid(shape, seed, largest=60):
    values = np.random.default_rng(seed).integers(-largest, largest + 1, shape)
    return values.astype(np.float32) / np.float32(64)


def recurrent(leak, reset, delay=1, **others):
    layers = [
        nd.SpikingLayer(
            grid((7, 5), 0) + np.float32(16 / 64), recurrent=grid((7, 7), 1, 30), reset=reset,
            membrane_leak=leak, recurrent_delay=delay, bias=4 / 64, **others,
        ),
        nd.SpikingLayer(grid((4, 7), 2), reset=reset, delay=delay - 1),
    ]  # fmt: skip
    return nd.spiking_network(5, layers)


def convolutional():
    layers = [
        nd.SpikingLayer(grid((3, 2, 3, 3), 0), padding=1, stride=2, bias=np.array([0, 1 / 64, 0])),
        nd.SpikingLayer(grid((5, 27), 1), membrane_leak=0.25, current_leak=0.5),
        nd.SpikingLayer(grid((3, 5), 2), reset="none", membrane_leak=1 / 16),
    ]
    return nd.spiking_network((2, 6, 6), layers)


def raster(*shape):
    return (np.random.default_rng(1).random((4, STEPS, *shape)) < 0.5).astype(np.uint8)


@pytest.mark.parametrize(
    ("network", "reset", "shape"),
    [
        (recurrent(0.0, "zero"), "zero", (5,)),
        (recurrent(0.25, "subtract"), "subtract", (5,)),
        (recurrent(1.0, "zero"), "zero", (5,)),
        (recurrent(0.125, "zero", delay=3, current_leak=0.25), "zero", (5,)),
        (convolutional(), "zero", (2, 6, 6)),
    ],
)
def test_there_and_back(tmp_path, network, reset, shape):
    """The float network, and the program: exported, compiled again, spike by spike the same."""
    options = {"steps": STEPS, "scheme": "direct", "warn": lambda _: None}
    program = nd.compile(network, **options)
    x = raster(*shape)
    expected = nd.record(program, x)
    nd.export(network, tmp_path / "network.nir")
    nd.export(program, tmp_path / "program.nir", dt=2e-3)
    for name, dt in (("network", 1e-3), ("program", 2e-3)):
        again = nd.compile(tmp_path / f"{name}.nir", dt=dt, reset=reset, **options)
        assert [p.size for p in again.populations] == [p.size for p in program.populations]
        found = nd.record(again, x)
        for mine, theirs in zip(program.populations, again.populations, strict=True):
            np.testing.assert_array_equal(
                found.spikes[theirs.name], expected.spikes[mine.name], err_msg=name
            )
    assert sum(spikes.sum() for spikes in expected.spikes.values()) > 100


def test_the_network_of_a_program_has_its_integers():
    network = recurrent(0.25, "zero")
    options = {"steps": STEPS, "scheme": "direct", "warn": lambda _: None}
    program = nd.compile(network, **options)
    again = nd.compile(program_network(program), **options)
    for mine, theirs in zip(program.populations, again.populations, strict=True):
        for c, d in zip(program.incoming(mine.name), again.incoming(theirs.name), strict=True):
            np.testing.assert_array_equal(c.synapses.weights, d.synapses.weights)
        assert mine.neuron.threshold == theirs.neuron.threshold
        np.testing.assert_array_equal(mine.neuron.bias, theirs.neuron.bias)


def test_the_command(tmp_path):
    options = {"steps": STEPS, "scheme": "direct", "warn": lambda _: None}
    nd.compile(recurrent(0.25, "zero"), **options).save(tmp_path / "p.ndp")
    arguments = ["export", str(tmp_path / "p.ndp"), "-o", str(tmp_path / "p.nir")]
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 0, result.output
    assert "reset: zero" in result.output
    assert nd.check(tmp_path / "p.nir", dt=1e-3, reset="zero").ok


def test_what_nir_has_no_node_for_is_told(tmp_path):
    twice = recurrent(0.25, "zero", inclusive=True)
    with pytest.raises(NeuroDeployError, match="at its threshold"):
        nd.export(twice, tmp_path / "a.nir")
    with pytest.raises(NeuroDeployError, match=r"\.nir"):
        nd.export(recurrent(0.0, "zero"), tmp_path / "a.onnx")
    assert not list(tmp_path.iterdir())
