"""Every command that takes samples takes recordings of events for a program that reads them."""

from __future__ import annotations

import numpy as np
import pytest
from click.testing import CliRunner

import neurodeploy as nd
from neurodeploy.cli import cli

STEPS = 15


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A recurrent network of a NIR file beside its program, and events of three recordings."""
    made = tmp_path_factory.mktemp("commands")
    rng = np.random.default_rng(0)
    layers = [
        nd.SpikingLayer(
            rng.integers(-9, 19, (12, 8)) / 8, recurrent=rng.integers(-4, 5, (12, 12)) / 8
        ),
        nd.SpikingLayer(rng.integers(-9, 12, (3, 12)) / 8),
    ]
    nd.export(nd.spiking_network((2, 2, 2), layers), made / "a.nir")
    program = nd.compile(made / "a.nir", dt=1e-3, reset="zero", steps=STEPS, warn=lambda _: None)
    program.save(made / "a.ndp")
    events = np.sort(rng.integers(0, STEPS * 1000, (3, 80)), axis=1)
    places = rng.integers(0, 2, (3, 3, 80)).reshape(3, -1)
    x, y, p = places.astype(np.uint8)
    np.savez(
        made / "events.npz", t=events.reshape(-1), x=x, y=y, p=p, start=np.arange(4) * 80,
        label=np.arange(3),
    )  # fmt: skip
    return made


@pytest.mark.parametrize(
    "command",
    [
        ["simulate"], ["explain"], ["cost"], ["map"], ["report", "--format", "md"],
        ["report", "--format", "json"],
    ],
)  # fmt: skip
def test_recordings_of_events(folder, command, monkeypatch):
    monkeypatch.chdir(folder)
    name, *options = command
    result = CliRunner().invoke(cli, [name, "a.ndp", "--data", "events.npz", *options])
    assert result.exit_code == 0, (result.output, result.exception)


def test_an_ann_that_is_none_is_told(folder, monkeypatch):
    monkeypatch.chdir(folder)
    arguments = ["a.ndp", "--data", "events.npz", "--model", "a.nir"]
    for name in ("report", "cost"):
        result = CliRunner().invoke(cli, [name, *arguments], standalone_mode=False)
        assert "spikes already" in str(result.exception)
