"""Networks that were judged by what they are not; the right values beside them."""

from __future__ import annotations

import json

import numpy as np
from command_line import run
from outputs import RELU, dense, write

from neurodeploy.metrics import wilson


def test_one_logit_on_the_command_line(tmp_path):
    """An argmax over one output is always class 0: this said the share of zeros for both."""
    rng = np.random.default_rng(5)
    x = rng.uniform(-1, 1, (60, 4)).astype(np.float32)
    weight = np.float32([[1, -1], [0, 0], [1, -1], [0, 0]])
    layers = [
        ("Gemm", {}, [weight, np.zeros(2, np.float32)]),
        RELU,
        ("Gemm", {}, [np.float32([[1], [-1]]), np.zeros(1, np.float32)]),
        ("Sigmoid", {}, []),
    ]
    write(tmp_path / "m.onnx", (4,), layers)
    y = (x[:, 0] + x[:, 2] > 0).astype(np.uint8)
    y[:6] = 1 - y[:6]  # the ANN is wrong on six
    np.savez(tmp_path / "t.npz", x=x, y=y)
    assert run("compile", "m.onnx", "--calibration", "t.npz", cwd=tmp_path).returncode == 0
    arguments = ("simulate", "m.ndp", "--data", "t.npz", "--model", "m.onnx")
    data = json.loads(run(*arguments, "--json", cwd=tmp_path).stdout)
    assert (data["task"], data["task_reason"]) == ("binary", "a final Sigmoid")
    assert data["ann_accuracy"] == 90
    assert abs(data["accuracy"] - 90) < 5
    assert data["ann_accuracy_interval"] == list(wilson(54, 60))


def test_float_labels_from_a_file(tmp_path):
    """Float `y` was refused, and the agreement was an argmax over numbers."""
    rng = np.random.default_rng(6)
    x = rng.uniform(0, 1, (40, 4)).astype(np.float32)
    write(tmp_path / "m.onnx", (4,), [dense(rng, 4, 12), RELU, dense(rng, 12, 3)])
    np.savez(tmp_path / "t.npz", x=x, y=rng.normal(size=(40, 3)).astype(np.float32))
    assert run("compile", "m.onnx", "--calibration", "t.npz", cwd=tmp_path).returncode == 0
    arguments = ("simulate", "m.ndp", "--data", "t.npz", "--model", "m.onnx", "-o", "r.npz")
    data = json.loads(run(*arguments, "--json", cwd=tmp_path).stdout)
    assert data["task"] == "regression"
    assert {"rms_error", "max_error", "r2", "ann_rms_error", "rms_difference"} <= set(data)
    assert not {"accuracy", "agreement"} & set(data)
    with np.load(tmp_path / "r.npz") as saved:
        np.testing.assert_array_equal(saved["predictions"], saved["outputs"])


def test_interval():
    """Newcombe 1998, table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29."""
    for right, n, low, high in (
        (81, 263, 25.53, 36.62),
        (15, 148, 6.24, 16.05),
        (0, 20, 0.0, 16.11),
        (1, 29, 0.61, 17.18),
    ):
        found = wilson(right, n)
        np.testing.assert_allclose(found, (low, high), atol=0.006)
    assert wilson(7, 7)[1] == 100
