"""explain for networks that spike already: which layer's rounding changes what."""

from __future__ import annotations

import numpy as np
import pytest
from click.testing import CliRunner

import neurodeploy as nd
from neurodeploy.cli import cli
from neurodeploy.errors import UsageError

STEPS = 30


def grid(shape, seed, largest=60):
    values = np.random.default_rng(seed).integers(-largest, largest + 1, shape)
    return values.astype(np.float32) / np.float32(64)


def network(second, leak=0.0):
    layers = [
        nd.SpikingLayer(grid((20, 8), 0) + 0.25, recurrent=grid((20, 20), 1, 12), name="first"),
        nd.SpikingLayer(second, membrane_leak=leak, name="second"),
        nd.SpikingLayer(grid((4, 12), 3), reset="none", name="read"),
    ]
    return nd.spiking_network(8, layers)


def explained(made, program):
    x = (np.random.default_rng(1).random((12, STEPS, 8)) < 0.5).astype(np.uint8)
    return nd.explain(program, x, np.zeros(12, int), model=made)


def compiled(made):
    return nd.compile(made, scheme="direct", steps=STEPS, warn=lambda _: None)


def test_exact_layers_have_every_spike():
    made = network(grid((12, 20), 2))
    found = explained(made, compiled(made))
    assert [row.name for row in found.rows] == ["first", "second", "read"]
    for row in found.rows[:2]:
        assert row.same == row.kept == row.own == 1
        assert row.network == row.program > 20
        assert row.weights == pytest.approx(0, abs=1e-6)
    assert found.rows[2].membrane < 1e-6
    assert found.agreement == 1
    assert found.accuracy[0] == found.accuracy[1]
    assert "every spike" in found.sentence


def test_the_layer_that_was_rounded_is_named():
    rng = np.random.default_rng(5)
    weights = (rng.normal(0, 0.1, (12, 20)) * np.r_[np.ones(19), 40]).astype(np.float32)
    made = network(weights, leak=0.1)
    found = explained(made, compiled(made))
    first, second, read = found.rows
    assert first.own == first.same == 1
    assert second.own < 1
    assert second.weights > 1e-3
    assert read.membrane > 0
    assert found.sentence.startswith("second changes most by itself")
    assert set(found.to_dict()) == {"rows", "samples", "agreement", "accuracy", "sentence"}


def test_the_command_and_a_nir_file(tmp_path):
    made = network(grid((12, 20), 2))
    nd.export(made, tmp_path / "a.nir")
    program = nd.compile(tmp_path / "a.nir", dt=1e-3, reset="zero", steps=STEPS, warn=lambda _: 0)
    program.save(tmp_path / "a.ndp")
    x = (np.random.default_rng(1).random((5, STEPS, 8)) < 0.5).astype(np.uint8)
    np.savez(tmp_path / "x.npz", x=x, y=np.zeros(5, int))
    arguments = ["explain", str(tmp_path / "a.ndp"), "--data", str(tmp_path / "x.npz")]
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 0, result.output
    assert "same largest output: 100.0 %" in result.output


def test_a_network_beside_another_kind_of_program(tmp_path):
    made = network(grid((12, 20), 2))
    program = compiled(made)
    with pytest.raises(UsageError, match="does not say which model"):
        nd.explain(program, np.zeros((1, STEPS, 8), np.uint8))
