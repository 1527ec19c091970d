"""The measuring commands on the pages, run as they stand there on small files and in small numbers.

The page's own options come first and what makes it short behind them, so every option of the page
is taken; only counts, files of the names on the page and repetitions are smaller.
"""

from __future__ import annotations

import importlib.util
import runpy
import shlex
import sys
import warnings
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from pages import ROOT, listed

import neurodeploy as nd

#: What makes a tool short; {models} and {data} stand for this checkout's models.
SHORT = {
    "accuracy_codes.py": "--samples 8 --calibration-samples 60",
    "accuracy_curve.py": "--samples 8 --calibration-samples 20",
    "bench_layers.py": "--channels 4 --activities 0.1 --side 4 --steps 8 --repeat 1",
    "bench_startup.py": "--program radix.ndp --runs 1",
    "bench_window_codes.py": "--limit 8 --calibration-samples 60 --repeat 1 --no-memory",
    "compare_held_networks.py": "--train-images 600 --test-images 8 --epochs 1 "
    "--calibration-samples 20 --folder held",
    "compare_lava.py": "--programs 1",
    "compare_schemes.py": "--network fashion --limit 8 --stepped-limit 4 --calibration-samples 20",
    "placement_resnet20.py": "--limit 2 --steps 8",
}
#: Not run here, and why.
ELSEWHERE = {
    "accuracy_deep.py": "tests/tools/test_accuracy_deep.py trains a small network with it",
    "bench_lava.py": "minutes on Lava; tests/lava runs the same models on the same programs",
    "bench_scale.py": "tests/tools/test_bench_scale.py runs all its phases on a small network",
    "bench_simulator.py": "takes the peers of `make setup-bench`; those that are there are run by "
    "tests/tools/test_bench_simulator.py",
    "compare_sigma_delta.py": "tests/tools/test_compare_sigma_delta.py runs it on few frames",
    "kernel_coverage.py": "runs the suite's kernels in plain Python: half an hour",
    "smoke_install.py": "makes bare environments and downloads packages; a workflow runs it",
    "table_of_targets.py": "tests/tools/test_table_of_targets.py runs it",
}
FASHION = Path("/usr/share/datasets/fashion-mnist")
#: Tools that start Lava.
LAVA = ("compare_lava.py",)
#: Too long for every run of the suite: `pytest -m slow`.
SLOW = "--scheme online --scheme rate:steps=16"


def tool_of(command):
    return shlex.split(command)[1].rpartition("/")[2]


def of(*prefixes):
    return [c for c in listed() if c.startswith(prefixes)]


COMMANDS = [c for c in of("python tools/") if tool_of(c) not in ELSEWHERE]


def images_model(path, channels=3, side=8):
    """Convolution, ReLU, dense: images of so many channels and pixels a side."""
    rng = np.random.default_rng(0)
    weights = {
        "w": rng.standard_normal((4, channels, 3, 3)) / 5,
        "b": rng.standard_normal(4) / 10,
        "h": rng.standard_normal((4 * (side - 2) ** 2, 10)) / 12,
    }
    nodes = [
        helper.make_node("Conv", ["x", "w", "b"], ["a"], "conv"),
        helper.make_node("Relu", ["a"], ["r"], "relu"),
        helper.make_node("Flatten", ["r"], ["f"], "flat"),
        helper.make_node("MatMul", ["f", "h"], ["y"], "head"),
    ]
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", channels, side, side])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 10])],
        [numpy_helper.from_array(w.astype(np.float32), name) for name, w in weights.items()],
    )
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Small files of the names on the pages."""
    folder = tmp_path_factory.mktemp("measurements")
    rng = np.random.default_rng(0)
    for name in ("cifar10_test", "cifar10_train_first2000"):
        x = rng.integers(0, 256, (60, 8, 8, 3)).astype(np.uint8)
        np.savez(folder / f"{name}.npz", x=x, y=rng.integers(0, 10, 60))
    for name in ("cal", "test"):  # as the importer takes them: channels first
        x = rng.integers(0, 256, (24, 3, 8, 8)).astype(np.uint8)
        np.savez(folder / f"{name}.npz", x=x, y=rng.integers(0, 10, 24))
    for name in ("resnet20_cifar10", "mlperftiny_resnet8_cifar10"):
        images_model(folder / f"{name}.onnx")
    images_model(folder / "onnxzoo_mnist-8.onnx", channels=1, side=12)
    for name in ("mnist_test", "mnist_train_first2000"):
        x = rng.integers(0, 256, (60, 1, 12, 12)).astype(np.uint8)
        np.savez(folder / f"{name}.npz", x=x, y=rng.integers(0, 10, 60))
    x = np.load(folder / "cifar10_train_first2000.npz")["x"][:20].transpose(0, 3, 1, 2)
    for scheme in ("radix", "ttfs"):
        made = nd.compile(
            folder / "resnet20_cifar10.onnx", x, scheme,
            scale=1 / 255, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225),
            try_samples=0, warn=lambda _: None,
        )  # fmt: skip
        made.save(folder / f"{scheme}.ndp")
    (folder / "MODELS").mkdir()
    (folder / "DATA").mkdir()
    for name in ("models", "tools", "targets"):
        (folder / name).symlink_to(ROOT / name)
    return folder


def ended_with(path):
    """Exit code of a tool run in this process; None where it just ends."""
    try:
        runpy.run_path(str(ROOT / path), run_name="__main__")
    except SystemExit as ended:
        return ended.code
    return None


def marks(command):
    """Of a command: what it needs."""
    lava = [pytest.mark.lava] if tool_of(command) in LAVA else []
    if "--nxtf " in command:
        lava.append(pytest.mark.skip("needs a file of another project"))
    if tool_of(command) == "compare_held_networks.py":
        lava.append(pytest.mark.skipif(not FASHION.exists(), reason="needs dataset-fashion-mnist"))
    return [*lava, pytest.mark.slow] if SLOW in command else lava


@pytest.mark.parametrize("command", [pytest.param(c, marks=marks(c)) for c in COMMANDS])
def test_it_runs(folder, monkeypatch, command):
    tool = tool_of(command)
    if tool in LAVA and importlib.util.find_spec("lava") is None:
        pytest.skip("Lava is not installed")
    words = [*shlex.split(command)[1:], *shlex.split(SHORT[tool])]
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", words)
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert ended_with(words[0]) in (0, None)


def test_every_measuring_command_is_run_or_says_why_not():
    tools = {tool_of(c) for c in of("python tools/")}
    assert tools == set(SHORT) | set(ELSEWHERE)
    for reason in ELSEWHERE.values():
        for word in reason.split():
            assert not word.startswith("tests/") or (ROOT / word.rstrip(";,")).exists(), word
