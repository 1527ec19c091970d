"""`neurodeploy explain` as a user meets it."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper


def run(*arguments, cwd):
    return subprocess.run(
        [sys.executable, "-m", "neurodeploy", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        timeout=300,
        check=False,
    )


def refused(result, *words):
    assert result.returncode == 2, result.stderr
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    for word in words:
        assert word in result.stderr


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    """A folder with a model, its program and data."""
    folder = tmp_path_factory.mktemp("explain")
    rng = np.random.default_rng(0)
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["a"], "first"),
        helper.make_node("Relu", ["a"], ["b"], "relu"),
        helper.make_node("MatMul", ["b", "h"], ["y"], "head"),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 6])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 3])],
        [
            numpy_helper.from_array(rng.standard_normal((6, 4)).astype(np.float32), "w"),
            numpy_helper.from_array(rng.standard_normal((4, 3)).astype(np.float32), "h"),
        ],
    )
    opset = helper.make_opsetid("", 17)
    model = helper.make_model(graph, opset_imports=[opset], ir_version=8)
    onnx.save(model, folder / "m.onnx")
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
