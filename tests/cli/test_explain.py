"""`neurodeploy explain` as a user meets it."""

from __future__ import annotations

import json

import numpy as np
import onnx
import pytest
from command_line import refused, run, tiny_model


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    """A folder with a model, its program and data."""
    folder = tmp_path_factory.mktemp("explain")
    rng = np.random.default_rng(0)
    tiny_model(folder / "m.onnx")
    x = rng.random((300, 6)).astype(np.float32)
    np.savez(folder / "t.npz", x=x, y=rng.integers(0, 3, 300))
    np.savez(folder / "unlabelled.npz", x=x[:20])
    made = run("compile", "m.onnx", "--calibration", "t.npz", "--percentile", 60, cwd=folder)
    assert made.returncode == 0, made.stderr
    return folder


def test_tables_and_blame(work):
    result = run("explain", "m.ndp", "--data", "t.npz", cwd=work)
    assert result.returncode == 0, result.stderr
    assert "the first 256 of 300 samples" in result.stderr
    for word in ("first", "clipping", "saturated", "ANN ", "-> spikes"):
        assert word in result.stdout
    assert "to blame first: first, clipping" in result.stdout
    assert "raise --percentile (now 60.0)" in result.stdout


def test_json(work):
    result = run("explain", "m.ndp", "--data", "unlabelled.npz", "--json", cwd=work)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    data = json.loads(result.stdout)
    assert data["samples"] == 20
    assert [row["name"] for row in data["rows"]] == ["input", "first", "output"]
    assert data["summary"][0]["accuracy"] is None
    assert data["blame"]["layer"] == "first"
    limited = run("explain", "m.ndp", "--data", "t.npz", "--limit", 7, "--json", cwd=work)
    assert json.loads(limited.stdout)["samples"] == 7
    assert limited.stderr == ""


def test_where_the_model_is(work, tmp_path):
    program = (work / "m.ndp").read_bytes()
    (tmp_path / "m.ndp").write_bytes(program)
    result = run("explain", "m.ndp", "--data", work / "t.npz", cwd=tmp_path)
    refused(result, "'m.onnx'", "what to do: give the ONNX file that was compiled with --model")
    found = run("explain", work / "m.ndp", "--data", work / "t.npz", cwd=tmp_path)
    assert found.returncode == 0, found.stderr
    model = onnx.load(work / "m.onnx")
    model.producer_name = "someone else"
    onnx.save(model, tmp_path / "other.onnx")
    result = run(
        "explain", "m.ndp", "--data", work / "t.npz", "--model", "other.onnx", cwd=tmp_path
    )
    refused(result, "other.onnx", "sha-256")
    missing = run("explain", "m.ndp", "--data", work / "t.npz", "--model", "no.onnx", cwd=tmp_path)
    refused(missing, "no.onnx", "no such file")
    refused(run("explain", "no.ndp", "--data", work / "t.npz", cwd=tmp_path), "no.ndp")
    refused(run("explain", work / "m.ndp", "--data", "no.npz", cwd=tmp_path), "no.npz")


def test_one_output(tmp_path):
    """One logit says yes or no; as a number it has an error, and no class to praise it for."""
    tiny_model(tmp_path / "m.onnx", outputs=1)
    x = np.random.default_rng(0).random((20, 6)).astype(np.float32)
    np.savez(tmp_path / "t.npz", x=x, y=np.arange(20) % 2)
    assert run("compile", "m.onnx", "--calibration", "t.npz", cwd=tmp_path).returncode == 0
    arguments = ("explain", "m.ndp", "--data", "t.npz")
    data = json.loads(run(*arguments, "--json", cwd=tmp_path).stdout)
    assert data["task"] == "binary"
    simulate = ("simulate", "m.ndp", "--data", "t.npz", "--model", "m.onnx", "--json")
    run_data = json.loads(run(*simulate, cwd=tmp_path).stdout)
    ann, program = data["summary"][0], data["summary"][-1]
    assert run_data["task"] == "binary"
    assert program["accuracy"] == run_data["accuracy"] == program["scores"]["accuracy"]
    assert ann["accuracy"] == run_data["ann_accuracy"]
    assert program["agreement"] == run_data["agreement"]
    assert program["scores"]["agreement_interval"] == run_data["agreement_interval"]
    told = run(*arguments, "--task", "regression", cwd=tmp_path)
    assert told.returncode == 0, told.stderr
    assert "as regression (stated by the user), n = 20" in told.stdout
    for word in ("agreement", "accuracy", "next to nothing is lost"):
        assert word not in told.stdout
    data = json.loads(run(*arguments, "--task", "regression", "--json", cwd=tmp_path).stdout)
    assert {(s["agreement"], s["accuracy"]) for s in data["summary"]} == {(None, None)}
    assert data["summary"][-1]["error"] > 0
    assert data["summary"][-1]["scores"]["rms_difference"] > 0
    assert data["verdict"] == ""
    assert "agreement" not in json.loads(
        run(*simulate, "--task", "regression", cwd=tmp_path).stdout
    )
