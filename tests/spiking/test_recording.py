"""`record`: spikes and membranes as arrays, against the network's own and the reference."""

from __future__ import annotations

import numpy as np
import pytest
from click.testing import CliRunner

import neurodeploy as nd
from neurodeploy.cli import cli
from neurodeploy.errors import UsageError
from neurodeploy.network.stages import stages
from neurodeploy.network.stepping import step_through
from neurodeploy.simulator import reference
from neurodeploy.simulator.streaming import messages_of_samples
from neurodeploy.testing.recurrent import random_recurrent_program

STEPS = 20


def grid(shape, seed, largest=60):
    values = np.random.default_rng(seed).integers(-largest, largest + 1, shape)
    return values.astype(np.float32) / np.float32(64)


@pytest.fixture(scope="module")
def network():
    layers = [
        nd.SpikingLayer(
            grid((8, 5), 0) + np.float32(20 / 64), recurrent=grid((8, 8), 1), name="hidden"
        ),
        nd.SpikingLayer(grid((3, 8), 2), reset="none", name="read"),
    ]
    return nd.spiking_network(5, layers)


def raster(n=20):
    return (np.random.default_rng(1).random((n, STEPS, 5)) < 0.5).astype(np.uint8)


def test_every_spike_and_membrane_is_the_networks(network):
    program = nd.compile(network, scheme="direct", steps=STEPS, warn=lambda _: None)
    x = raster()
    found = nd.record(program, x, membranes=["hidden", "read"])
    expected = step_through(stages(network), (5,), x)
    np.testing.assert_array_equal(found.spikes["input"][:, :STEPS], x > 0)
    np.testing.assert_array_equal(found.spikes["hidden"][:, :STEPS], expected["hidden"].spikes)
    assert not found.spikes["hidden"][:, STEPS:].any()
    assert found.spikes["hidden"].sum() > 300
    for name in ("hidden", "read"):
        real = found.membranes[name] * found.units[name]
        np.testing.assert_allclose(real[:, :STEPS], expected[name].membranes, atol=1e-5)


@pytest.mark.parametrize("seed", range(4))
def test_programs_that_mix_samples_are_recorded_as_one_stream(seed):
    program, _ = random_recurrent_program(np.random.default_rng(seed), aligned=False)
    encoder = program.encoder
    shape = (3, *encoder.sample_shape)
    x = np.random.default_rng(seed).integers(encoder.low, encoder.high + 1, shape)
    x = (x * encoder.unit + encoder.offset).astype(np.float32)
    names = [p.name for p in program.populations]
    found = nd.record(program, x, membranes=names, warn=lambda _: None)
    sent = messages_of_samples(program, x, range(3))
    last = max(p.fire_phase(program.period) for p in program.populations)
    silent = np.zeros((last, sent.shape[1]), np.int32)
    trace = reference.run(program, np.concatenate([sent, silent]))
    for p in program.populations:
        for k in range(3):
            begin = p.phase - 1 + k * program.period
            rows = trace.membrane[p.name][max(begin, 0) : begin + program.period]
            held = found.membranes[p.name][k].reshape(program.period, -1)
            np.testing.assert_array_equal(held[max(-begin, 0) :], rows)


def test_populations_that_are_not_there_and_arrays_too_large_are_refused(network):
    program = nd.compile(network, scheme="direct", steps=STEPS, warn=lambda _: None)
    with pytest.raises(UsageError, match="no population"):
        nd.record(program, raster(), populations=["hidden", "nobody"])
    with pytest.raises(UsageError, match="GiB"):
        nd.record(program, raster(), memory=1000)
    assert set(nd.record(program, raster(2), populations=["read"]).spikes) == {"read"}


def test_simulate_writes_them(network, tmp_path):
    program = nd.compile(network, scheme="direct", steps=STEPS, warn=lambda _: None)
    program.save(tmp_path / "p.ndp")
    np.savez(tmp_path / "x.npz", x=raster(3))
    arguments = ["simulate", str(tmp_path / "p.ndp"), "--data", str(tmp_path / "x.npz")]
    arguments += ["--record", str(tmp_path / "out.npz"), "--record-membranes"]
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 0, result.output
    found = nd.record(program, raster(3), membranes=["hidden", "read"]).arrays()
    with np.load(tmp_path / "out.npz") as written:
        assert set(written) == set(found)
        for name in found:
            np.testing.assert_array_equal(written[name], found[name])
