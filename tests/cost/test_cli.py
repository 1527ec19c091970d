"""`neurodeploy cost` as a user meets it."""

from __future__ import annotations

import json

import numpy as np
import pytest
from command_line import refused, run, tiny_model


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    """A folder with a model, programs of it for two chips, and data."""
    folder = tmp_path_factory.mktemp("cost")
    rng = np.random.default_rng(0)
    tiny_model(folder / "m.onnx")
    x = rng.random((300, 6)).astype(np.float32)
    np.savez(folder / "t.npz", x=x)
    for name in ("loihi1", "loihi2"):
        options = ("--calibration", "t.npz", "--target", name, "-o", f"{name}.ndp")
        compiled = run("compile", "m.onnx", *options, cwd=folder)
        assert compiled.returncode == 0, compiled.stderr
    return folder


def test_table(work):
    result = run("cost", "loihi1.ndp", "--data", "t.npz", cwd=work)
    assert result.returncode == 0, result.stderr
    for text in ("synaptic operations", "23.6", "davies2018", "left out", "static power", "IEEE"):
        assert text in result.stdout
    assert "36 multiply-accumulates a sample (the ONNX model)" in result.stdout
    assert "256 of 300" in result.stderr


def test_mesh(work):
    """Mapped unless one does not want it."""
    result = run("cost", "loihi1.ndp", "--data", "t.npz", cwd=work)
    assert "messages between cores" in result.stdout
    assert "hops east-west" in result.stdout
    result = run("cost", "loihi1.ndp", "--data", "t.npz", "--no-mapping", cwd=work)
    assert "hops east-west" not in result.stdout
    assert "no mapping" in result.stdout


def test_json(work):
    data = json.loads(run("cost", "loihi1.ndp", "--data", "t.npz", "--json", cwd=work).stdout)
    simulated = run(
        "simulate", "loihi1.ndp", "--data", "t.npz", "--limit", "256", "--json", cwd=work
    )
    counted = json.loads(simulated.stdout)["synaptic_operations_per_sample"]
    assert data["synaptic_operations"] == pytest.approx(counted)
    total = sum(line["energy"] for line in data["lines"] if line["energy"] is not None)
    assert data["energy"] == pytest.approx(total)
    assert data["ann"] == {
        "basis": "model",
        "multiply_accumulates": 36,
        "layers": {"first": 24, "head": 12},
    }


def test_no_figure_for_loihi2(work):
    result = run("cost", "loihi2.ndp", "--data", "t.npz", cwd=work)
    assert result.returncode == 0, result.stderr
    assert "none: no energies of single operations are published" in result.stdout
    assert "pJ" not in result.stdout
    assert "uJ" not in result.stdout
    chosen = ("--energy-model", "loihi1-davies2018")
    result = run("cost", "loihi2.ndp", "--data", "t.npz", *chosen, cwd=work)
    assert "assumed" in result.stdout
    assert "constants of Intel Loihi stand for those of Intel Loihi 2" in result.stdout


def test_without_the_model(work, tmp_path):
    (tmp_path / "p.ndp").write_bytes((work / "loihi1.ndp").read_bytes())
    result = run("cost", "p.ndp", "--data", work / "t.npz", "--limit", "5", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "one a synapse of the program" in result.stdout


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--energy-model", "nonsense"), ("ND-USAGE", "loihi1-davies2018")),
        (("--target", "loihi3"), ("ND-TARGET",)),
        (("--model", "t.npz"), ("ND-MODEL", "sha-256")),
        (("--model", "nowhere.onnx"), ("nowhere.onnx",)),
        (("--limit", "0"), ("--limit",)),
    ],
)
def test_refused(work, options, words):
    refused(run("cost", "loihi1.ndp", "--data", "t.npz", *options, cwd=work), *words)


def test_samples_of_another_shape(work):
    np.savez(work / "off.npz", x=np.zeros((3, 7), np.float32))
    refused(run("cost", "loihi1.ndp", "--data", "off.npz", cwd=work), "off.npz", "shape")
