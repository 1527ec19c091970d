"""The Python API as the README shows it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import neurodeploy as nd
from neurodeploy.errors import DataError


def test_the_signature_of_the_readme(fashion, fashion_calibration, fashion_test, tmp_path):
    x = fashion_calibration[:100].astype(np.float32) / 255
    program = nd.compile(
        fashion / "model.onnx",
        calibration=x,
        scheme="rate",
        steps=32,
        target="loihi2",
        reset="subtract",
        encoding="current",
        balance="percentile",
        l4=None,
        seed=0,
    )
    program.save(tmp_path / "m.ndp")
    program = nd.load(tmp_path / "m.ndp")
    result = nd.simulate(program, fashion_test[0][:10].astype(np.float32) / 255)
    assert result.outputs.shape == (10, 10)
    assert result.outputs.dtype == np.float32
    assert result.predictions.shape == (10,)
    assert result.spikes_per_sample > 0
    assert result.synaptic_operations_per_sample > result.spikes_per_sample
    report = nd.check(fashion / "model.onnx")
    assert report.ok
    assert report.findings
    assert all(name in dir(nd) for name in nd.__all__)


def test_any_numeric_array(fashion_program, fashion_test):
    x = fashion_test[0][:4]
    expected = nd.simulate(fashion_program, x).outputs
    for other in (x.astype(np.int64), x[:, 0], np.asfortranarray(x), x[::-1][::-1]):
        np.testing.assert_array_equal(nd.simulate(fashion_program, other).outputs, expected)
    half = nd.simulate(fashion_program, (x / 255).astype(np.float64)).outputs
    np.testing.assert_allclose(half, expected)


@pytest.mark.parametrize(
    "x", [np.zeros((2, 1, 27, 28), np.float32), np.zeros((0, 1, 28, 28)), np.zeros(3, bool)]
)
def test_samples_that_do_not_fit(fashion_program, x):
    with pytest.raises(DataError):
        nd.simulate(fashion_program, x)


def test_running_needs_neither_onnx_nor_torch(fashion_program, fashion_test, tmp_path):
    """Loading and lowering: numpy and Lava alone."""
    fashion_program.save(tmp_path / "m.ndp")
    code = (
        "import sys, neurodeploy as nd\n"
        f"nd.load({str(tmp_path / 'm.ndp')!r})\n"
        "import neurodeploy.lava.deploy, neurodeploy.lava.run\n"
        "import neurodeploy.simulator.reference\n"
        "bad = {'onnx', 'onnxruntime', 'onnxscript', 'torch', 'numba', 'click', 'rich'}\n"
        "print(sorted(bad & set(sys.modules)))\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert found.stdout.strip() == "[]"


def test_numbers_of_any_kind(fashion, fashion_calibration, tmp_path):
    program = nd.compile(
        fashion / "model.onnx",
        calibration=fashion_calibration[:20],
        steps=np.int64(4),
        seed=np.int32(3),
        percentile=np.float32(99),
        mean=np.array([0.5], np.float32),
        std=0.5,
        input_range=np.array([-3, 3.0], np.float32),
    )
    program.save(tmp_path / "p.ndp")
    assert nd.load(tmp_path / "p.ndp").encoder.preprocessing.std == (0.5,)


@pytest.mark.parametrize(
    "options",
    [
        {"steps": "x"},
        {"seed": 1.5},
        {"l4": "no"},
        {"percentile": "a"},
        {"percentile": float("nan")},
        {"scheme": "ttfs", "balance": "foo"},
        {"scheme": "ttfs", "percentile": -5},
        {"input_range": (0, 1, 2)},
        {"mean": (1, 2, 3)},
        {"overflow": "maybe"},
        {"scheme": "magic"},
    ],
)
def test_options_that_are_off(fashion, options):
    with pytest.raises(nd.NeuroDeployError):
        nd.compile(fashion / "model.onnx", **options)


def test_limits_and_labels(fashion_program, fashion_test):
    for options in ({"limit": -1}, {"limit": 0}, {"limit": 1.5}, {"threads": 0}, {"threads": -1}):
        with pytest.raises(nd.NeuroDeployError):
            nd.simulate(fashion_program, fashion_test[0][:2], **options)
    result = nd.simulate(fashion_program, fashion_test[0][:2])
    with pytest.raises(DataError, match="labels"):
        result.accuracy(fashion_test[1][:3])


def test_messages_name_the_distribution_that_is_ours():
    """`neurodeploy` on the package index is somebody else's: never tell a user to install it."""
    root = Path(__file__).parents[1]
    texts = [*root.glob("*.md"), root / "pyproject.toml"]
    texts += [*(root / "docs").glob("*.md"), *(root / "neurodeploy").rglob("*.py")]
    wrong = re.compile(r"neurodeploy\[|install '?neurodeploy(?!-compiler)\b")
    assert not [str(p) for p in texts if wrong.search(p.read_text(encoding="utf-8"))]


def test_one_version_everywhere():
    root = Path(__file__).parents[1]
    for name in ("pyproject.toml", "CITATION.cff", "CHANGELOG.md"):
        assert nd.__version__ in (root / name).read_text(encoding="utf-8"), name
    assert (root / "neurodeploy" / "py.typed").exists()
