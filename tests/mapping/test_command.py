"""`neurodeploy map`, `neurodeploy targets NAME`, and what compile and check say of the rules."""

from __future__ import annotations

import json

import numpy as np
import pytest
from built import chain, dense
from click.testing import CliRunner

import neurodeploy as nd
from neurodeploy.cli import cli


@pytest.fixture
def program(tmp_path):
    path = tmp_path / "p.ndp"
    chain((6,), dense(6, 5), dense(5, 3)).save(path)
    return str(path)


def run(*arguments):
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


def test_tables(program):
    result = run("map", program)
    assert result.exit_code == 0
    for word in ("what binds", "neurons a core", "p0", "placement", "fits", "hops a sample"):
        assert word in result.stdout


def test_json_with_counted_spikes(program, tmp_path):
    np.savez(tmp_path / "x.npz", x=np.full((3, 6), 0.5, np.float32))
    result = run("map", program, "--data", tmp_path / "x.npz", "--limit", 2, "--json")
    found = json.loads(result.stdout)
    assert found["ok"]
    assert found["notes"] == ["traffic: spikes as counted"]
    assert [part["population"] for part in found["parts"]] == ["input", "p0", "p1"]
    assert found["cores"][1]["uses"][0] == {"resource": "neurons", "value": 5, "limit": 4095}
    assert found["cores"][1]["binding"] == "neurons"


def test_what_does_not_fit_exits_with_2(tmp_path):
    path = tmp_path / "p.ndp"
    chain((5000,), dense(5000, 2)).save(path)
    assert run("map", path).exit_code == 0
    result = run("map", path, "--target", "loihi1", "--placement", "layers")
    assert result.exit_code == 2
    assert "give it fewer inputs" in " ".join(result.stdout.split())


def test_the_same_from_python(program):
    loaded = nd.load(program)
    mapping = nd.map(loaded, target="loihi1")
    assert mapping.ok
    assert mapping == nd.map(loaded, target="loihi1")
    assert str(mapping.findings[0]) == "input: neurons a core: 6, limit 1024"


def test_targets_with_their_sources():
    result = run("targets", "loihi1")
    assert result.exit_code == 0
    assert "Davies et al." in result.stdout
    found = json.loads(run("targets", "--json").stdout)["targets"]
    assert {target["name"] for target in found} >= {"cpu", "loihi1", "loihi2"}


def test_compile_warns_and_check_tells(fashion, fashion_calibration):
    said = []
    nd.compile(
        fashion / "model.onnx",
        calibration=fashion_calibration[:64],
        target="loihi1",
        overflow="warn",
        warn=said.append,
    )
    assert [line for line in said if "does not fit Intel Loihi: node_linear: input axons" in line]
    report = nd.check(fashion / "model.onnx", target="loihi1")
    assert report.ok
    assert any("input axons a core: 12544, limit 4096" in line for line in report.hardware)
    assert any(line.startswith("program: chips:") for line in report.hardware)
