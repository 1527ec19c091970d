"""Every command and the Python of docs/reconstruction.md run, on small data where that is long."""

from __future__ import annotations

import importlib.util
import re
import shlex
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the extra train")
pytest.importorskip("spikingjelly", reason="needs the extra train")
pytest.importorskip("sklearn", reason="needs the extra train")

from click.testing import CliRunner

from neurodeploy.cli import cli
from neurodeploy.training.commands import training
from neurodeploy.training.reconstruction.tasks import xor_split

ROOT = Path(__file__).parents[3]
PAGES = [
    ROOT / "docs" / "reconstruction.md",
    *sorted(ROOT.glob("models/adder/README.md")),
    *sorted(ROOT.glob("models/first_last_xor/README.md")),
]
TEXT = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
COMMANDS = re.findall(r"^    ((?:python|neurodeploy) .*)$", re.sub(r"\\\n\s*", "", TEXT), re.M)
#: What makes a study short.
FEWER = {
    "xor": "--train 24 --length 6 --longer 8 --candidates 100 --quick",
    "addition": "--train 12 --candidates 100 --quick",
    "rows": "--data . --train 40 --test-images 40 --epochs 2",
    "scaling": "--data . --sizes 40 --test-images 40",
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Small files of the names on the page, and the models."""
    train, test = xor_split(6, 40, np.random.default_rng(0))
    for name, (x, y) in (("train", train), ("test", test)):
        np.savez(tmp_path / f"{name}.npz", x=x, y=y)
    random = np.random.default_rng(0)
    for name in ("mnist_train_first2000", "mnist_test"):
        images = random.integers(0, 256, (90, 28, 28)).astype(np.uint8)
        np.savez(tmp_path / f"{name}.npz", x=images, y=np.arange(90) % 10)
    (tmp_path / "models").symlink_to(ROOT / "models")
    (tmp_path / "tools").symlink_to(ROOT / "tools")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    return tmp_path


def script(words, monkeypatch):
    """A script's main in this process."""
    fewer = f"--seeds 0 {FEWER[words[1]]}"
    monkeypatch.setattr(sys, "argv", [*words, *shlex.split(fewer)])
    spec = importlib.util.spec_from_file_location(Path(words[0]).stem, words[0])
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.main() == 0


@pytest.mark.torch
@pytest.mark.lava
def test_the_commands_of_the_pages(folder, monkeypatch, capsys):
    """Each once, in the order of the pages."""
    ran, studied = dict.fromkeys(COMMANDS), set()
    for command in ran:
        words = shlex.split(command)
        if "models/" in command:  # test_models.py does the same with them
            assert all(Path(word).exists() for word in words if word.startswith("models/"))
            continue
        if words[:2] == ["python", "-m"]:
            few = ["--rounds", "2", "--candidates", "300"]
            done = CliRunner().invoke(training, [*words[3:], *few])
        elif words[0] == "neurodeploy":
            done = CliRunner().invoke(cli, words[1:])
        else:
            if words[2] not in studied:  # the others differ in numbers
                script(words[1:], monkeypatch)
            studied.add(words[2])
            continue
        assert done.exit_code == 0, (command, done.output, done.exception)
    assert len(ran) >= 12
    tables = capsys.readouterr().out
    assert studied == set(FEWER)
    assert tables.count("| method |") == len(FEWER)
    assert tables.count("| column generation |") == 2


@pytest.mark.torch
def test_the_python_of_the_page(folder):
    names: dict = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for block in re.findall(r"```python\n(.*?)```", TEXT, re.S):
            exec(compile(block, "reconstruction.md", "exec"), names)
    assert names["score"] == 1
    assert names["accuracy"] == 100
    assert names["gap"] < 0.005
    assert names["violation"] < 1.2
