"""Every command of docs/fostdgd.md runs, on small files of the kinds that it names."""

from __future__ import annotations

import importlib.util
import re
import shlex
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

pytest.importorskip("torch", reason="needs the extra train")
pytest.importorskip("nir", reason="needs the extra nir")

from neurodeploy.cli import cli
from neurodeploy.training.commands import training

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "fostdgd.md").read_text(encoding="utf-8")
COMMANDS = [
    line.strip()
    for line in re.sub(r"\\\n\s*", "", TEXT).splitlines()
    if line.startswith(("    python ", "    neurodeploy "))
]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder with small images, recordings, and gestures."""
    random = np.random.default_rng(0)
    for name in ("train", "test", "mnist_test", "mnist_train_first2000"):
        y = random.integers(0, 10, 120)
        x = random.integers(0, 60, (120, 28, 28)).astype(np.uint8)
        x[np.arange(120), 2 * y + 4] += 150
        np.savez(tmp_path / f"{name}.npz", x=x, y=y)
    (tmp_path / "shared" / "data").mkdir(parents=True)
    for name, n in (("train1000", 50), ("test100", 10)):
        arrays = {
            "t_us": np.sort(random.integers(0, 300_000, (n, 40))).reshape(-1),
            "x": random.integers(0, 34, 40 * n), "y": random.integers(0, 34, 40 * n),
            "p": random.integers(0, 2, 40 * n), "start": 40 * np.arange(n + 1),
            "label": random.integers(0, 10, n),
        }  # fmt: skip
        np.savez(tmp_path / "shared" / "data" / f"nmnist_{name}.npz", **arrays)
    gestures = tmp_path / "work" / "DvsGesture"
    gestures.mkdir(parents=True)
    files = _loaded(Path(__file__).with_name("test_dvs_gesture.py"))
    rows = [(1 + k % 11, 100 * k, 100 * k + 100) for k in range(100)]
    for name in ("user01_led", "user24_led"):
        files.trial(gestures, name, rows, files.events(3000, 1, 0, 10_000))
    (gestures / "trials_to_train.txt").write_text("user01_led.aedat\n")
    (gestures / "trials_to_test.txt").write_text("user24_led.aedat\n")
    (tmp_path / "work" / "models").symlink_to(ROOT / "models")
    for file in tmp_path.glob("*.npz"):
        file.rename(tmp_path / "work" / file.name)
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "work"


def _loaded(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _tool(words, monkeypatch):
    """A tool's main in this process, with fewer runs than the page's."""
    path = ROOT / words[0]
    runs = "--seeds 0 --epochs 1"
    fewer = {
        "bench_fostdgd": "--steps 3 --repeat 1 --layers 784-20-10 --method 'spike timing'",
        "compare_fractional_orders": f"{runs} --limit 100 --orders 1.9 --steps 5 "
        "--train train.npz --test test.npz",
        "compare_nmnist": runs,
    }[path.stem]
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    monkeypatch.setattr(sys, "argv", [*words, *shlex.split(fewer)])
    assert _loaded(path).main() == 0


@pytest.mark.lava
def test_the_commands_of_the_page(folder, monkeypatch, capsys):
    """In the order of the page, in one folder: what one writes the next one reads."""
    ran = 0
    for command in COMMANDS:
        words = shlex.split(command)
        if words[:2] == ["python", "-m"]:
            done = CliRunner().invoke(training, words[3:])
        elif words[0] == "neurodeploy":
            fewer = ["--limit", "20"] if words[1] == "simulate" else []
            done = CliRunner().invoke(cli, [*words[1:], *fewer])
        else:
            _tool(words[1:], monkeypatch)
            continue
        assert done.exit_code == 0, (command, done.output, done.exception)
        ran += 1
    assert ran == 9
