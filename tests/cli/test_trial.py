"""`neurodeploy compile` says what a program keeps of its ANN."""

from __future__ import annotations

import json

import numpy as np
import pytest
from command_line import refused, run, tiny_model


@pytest.fixture
def work(tmp_path):
    """A folder with a model and 50 calibration samples."""
    tiny_model(tmp_path / "m.onnx")
    np.savez(tmp_path / "c.npz", x=np.random.default_rng(0).random((50, 6)).astype(np.float32))
    return tmp_path


def made(work, *options):
    words = ("compile", "m.onnx", "--calibration", "c.npz", "--scale", 1)
    result = run(*words, *options, cwd=work)
    assert result.returncode == 0, result.stderr
    return result


def test_said_and_warned(work):
    poor = made(work, "--steps", 2)
    assert "tried on 50 calibration samples: " in poor.stdout
    assert " % have the ANN's class (95 % interval " in poor.stdout
    assert poor.stderr.count("warning: only ") == 1
    assert "first cause: first, " in poor.stderr
    good = made(work, "--steps", 256, "--scheme", "ttfs", "--try", 20)
    assert "tried on 20 calibration samples: 100.0 % have the ANN's class" in good.stdout
    assert good.stderr == ""


def test_off(work):
    off = made(work, "--steps", 2, "--try", 0)
    assert "tried" not in off.stdout + off.stderr
    assert json.loads(made(work, "--try", 0, "--json").stdout)["trial"] is None
    refused(run("compile", "m.onnx", "--calibration", "c.npz", "--try", -1, cwd=work), "--try")


def test_json(work):
    trial = json.loads(made(work, "--steps", 2, "--json").stdout)["trial"]
    assert (trial["asked"], trial["samples"], trial["enough"]) == (50, 50, False)
    assert trial["low"] < trial["agreement"] < trial["high"] < 95.5
    assert trial["layer"] == "first"
    assert trial["cause"]
    assert trial["finding"]
