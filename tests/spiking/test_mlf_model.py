"""models/mlf_dsresnet_fashion: commands of docs/spiking-networks.md, accuracy, stock neurons."""

from __future__ import annotations

import importlib.util
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import neurodeploy as nd
from neurodeploy.cli import cli
from neurodeploy.program.expansion import expand_levels

ROOT = Path(__file__).resolve().parents[2]
MODEL = ROOT / "models" / "mlf_dsresnet_fashion" / "model.onnx"
STEPS = 4


@pytest.fixture(scope="module")
def program():
    return nd.compile(MODEL, steps=STEPS, scale=1 / 255, warn=lambda _: None)


def test_most_images_are_right(program, fashion_test):
    x, y = (part[:500] for part in fashion_test)
    result = nd.simulate(program, x)
    assert result.accuracy(y) > 86  # 500 images: four standard errors below that of all
    assert not any(result.wrapped.values())
    assert not any(result.clipped.values())


def test_stock_populations_in_its_place_take_more_operations(program, fashion_test):
    x = fashion_test[0][:8]
    expanded = expand_levels(program)
    found, expected = nd.simulate(program, x), nd.simulate(expanded, x)
    np.testing.assert_array_equal(found.outputs, expected.outputs)
    assert len(program.connections) == 15
    assert len(expanded.connections) == 117
    operations = [
        sum(v.sum() for k, v in result.synaptic_operations.items() if "input" not in k)
        for result in (found, expected)
    ]
    assert operations[0] <= 0.3 * operations[1]


def test_explain_holds_it_against_float_steps(program, fashion_test):
    x = fashion_test[0][:4]
    found = nd.explain(program, x, model=MODEL)
    assert len(found.rows) == 10
    assert all(row.own is None or row.own > 0.98 for row in found.rows)
    assert found.rows[0].same == found.rows[0].own


def test_the_commands_of_the_page(tmp_path, monkeypatch):
    page = (ROOT / "docs" / "spiking-networks.md").read_text(encoding="utf-8")
    lines = [line.strip() for line in page.splitlines() if "mlf" in line]
    commands = [line for line in lines if line.startswith("neurodeploy ")]
    assert len(commands) == 3
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models").symlink_to(ROOT / "models")
    for command in commands:
        done = CliRunner().invoke(cli, shlex.split(command)[1:])
        assert done.exit_code == 0, done.output


@pytest.mark.lava
@pytest.mark.skipif(importlib.util.find_spec("lava") is None, reason="Lava is not installed")
def test_the_demo():
    command = [sys.executable, str(ROOT / "tools" / "demo_mlf.py"), "--limit", "20"]
    done = subprocess.run([*command, "--deploy", "1"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "membranes compared with Lava" in done.stdout
