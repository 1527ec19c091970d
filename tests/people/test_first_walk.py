"""The pages that a new user walks: commands as they stand there, the code of a torch module."""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
import subprocess
import sys
import zipfile
from pathlib import Path

import click
import numpy as np
import pytest
from here import here

import neurodeploy as nd
from neurodeploy.cli import cli
from neurodeploy.lava.installing import NEEDED, commands

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "install.md").read_text(encoding="utf-8")


def code(page):
    return re.findall(
        r"```python\n(.*?)```", (ROOT / "docs" / page).read_text(encoding="utf-8"), re.S
    )


def indented_commands(text):
    return [line.split("#")[0].strip() for line in text.splitlines() if line.startswith("    ")]


@pytest.mark.torch
@pytest.mark.lava
def test_twelve_lines_from_a_torch_module_to_a_verified_program(tmp_path, monkeypatch):
    pytest.importorskip("torch", reason="torch is not installed")
    monkeypatch.chdir(tmp_path)
    (walk,) = code("install.md")
    assert sum(bool(line.strip()) for line in walk.splitlines()) <= 12
    done = subprocess.run(
        [sys.executable, "-c", walk], cwd=tmp_path, capture_output=True, text=True, timeout=300,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    compared, differ = map(int, re.findall(r"\d+", done.stdout))
    assert compared > 0
    assert differ == 0


def test_six_commands():
    walk = PAGE.split("Six commands, from nothing:")[1].split("Or twelve")[0]
    found = indented_commands(walk)
    assert len(found) == 6
    ours = [shlex.split(line) for line in found if line.startswith("neurodeploy ")]
    for command in ours:
        assert command[1] in cli.commands
        of = cli.commands[command[1]]
        flags = {flag for p in of.get_params(click.Context(of)) for flag in p.opts}
        assert {word for word in command if word.startswith("--")} <= flags


@pytest.mark.torch
@pytest.mark.lava
@pytest.mark.skipif(importlib.util.find_spec("lava") is None, reason="Lava is not installed")
def test_the_six_commands_prove_a_torch_module(tmp_path):
    """From `train.py` on; the two before it are what `tools/smoke_install.py` does."""
    torch = pytest.importorskip("torch", reason="torch is not installed")
    x = np.random.default_rng(0).random((120, 6)).astype(np.float32)
    np.savez(tmp_path / "train.npz", x=x[:100])
    np.savez(tmp_path / "test.npz", x=x[100:])
    torch.manual_seed(0)
    module = torch.nn.Sequential(torch.nn.Linear(6, 8), torch.nn.ReLU(), torch.nn.Linear(8, 3))
    sample, any_number = torch.zeros(2, 6), {"input": {0: torch.export.Dim("n")}}
    exported = torch.onnx.export(
        module, (sample,), dynamo=True, dynamic_shapes=any_number, verbose=False
    )
    exported.save(tmp_path / "model.onnx")
    walk = PAGE.split("Six commands, from nothing:")[1].split("Or twelve")[0]
    ours = [line for line in indented_commands(walk) if line.startswith("neurodeploy ")]
    assert ours[0] == "neurodeploy setup-lava"
    for line in ours[1:]:
        ended, told, why = here(*shlex.split(line)[1:], cwd=tmp_path)
        assert ended == 0, why
    assert re.search(r"spikes that differ\s+0\s", told)


@pytest.mark.torch
def test_a_folder_of_images(tmp_path, monkeypatch):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    pytest.importorskip("PIL", reason="Pillow is not installed")
    from PIL import Image

    monkeypatch.chdir(tmp_path)
    (block,) = code("samples.md")
    names = {}
    # the folder of images, on a network for it
    for label, name in enumerate(("cats", "dogs")):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for k in range(3):
            pixels = np.full((40, 50, 3), 80 * label + 30 * k, np.uint8)
            pixels[:20] += np.random.default_rng(k).integers(0, 50, (20, 50, 3)).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / "photos" / name / f"{k}.png")
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3072, 2))
    program = torch.onnx.export(model, (torch.zeros(2, 3, 32, 32),), dynamo=True, verbose=False)
    program.save("model.onnx")
    exec(block, {"nd": nd}, names)
    assert names["samples"].x.shape == (6, 3, 32, 32)
    assert names["samples"].y.tolist() == [0, 0, 0, 1, 1, 1]
    assert (
        here("images", "photos", "--size", "32x32", "--limit", 2, "-o", "x.npz", cwd=tmp_path)[0]
        == 0
    )
    held = np.load(tmp_path / "x.npz")
    np.testing.assert_array_equal(held["x"], names["samples"].x[[0, 1, 3, 4]])


def test_two_lines_of_keras(tmp_path, monkeypatch):
    """With torch behind Keras, which the suite has; with TensorFlow it was tried by hand."""
    pytest.importorskip("torch", reason="torch is not installed")
    monkeypatch.setenv("KERAS_BACKEND", os.environ.get("KERAS_BACKEND", "torch"))
    keras = pytest.importorskip("keras", reason="keras is not installed")
    monkeypatch.chdir(tmp_path)
    layers = [keras.layers.Dense(8, activation="relu"), keras.layers.Dense(3)]
    model = keras.Sequential([keras.Input((6,)), *layers])
    x = np.random.default_rng(0).random((60, 6)).astype(np.float32)
    said = model.predict(x, verbose=0)
    page = (ROOT / "docs" / "from-keras.md").read_text(encoding="utf-8")
    exec(indented_commands(page)[0], {"model": model})
    program = nd.compile("model.onnx", calibration=x, scheme="graded")
    assert program.inputs == 6
    assert nd.simulate(program, x).against(said).accuracy > 95


def test_the_pages_on_tune_and_on_looking(folder, samples, tmp_path, monkeypatch):
    pytest.importorskip("matplotlib", reason="matplotlib is not installed").use("Agg")
    monkeypatch.chdir(tmp_path)
    for name in ("m.onnx", "c.npz", "t.npz"):
        where = {"m.onnx": "model.onnx", "c.npz": "train.npz", "t.npz": "test.npz"}[name]
        (tmp_path / where).write_bytes((folder / name).read_bytes())
    names = {"nd": nd, "x": samples, "program": nd.load(folder / "graded.ndp")}
    monkeypatch.setattr(nd, "tune", lambda *a, **k: _tune(*a, **k), raising=False)
    for page in ("tune.md", "looking.md"):
        for block in code(page):
            exec(block, names)
    page = (ROOT / "docs" / "tune.md").read_text(encoding="utf-8")
    for line in (line for line in indented_commands(page) if " tune " in line):
        code_found, _, told = here(*shlex.split(line)[1:], "--only", "graded,rate", cwd=tmp_path)
        assert code_found in (0, 1), told
        assert (tmp_path / "model.ndp").exists()
    for name in "ab":
        (tmp_path / f"{name}.ndp").write_bytes((folder / "graded.ndp").read_bytes())
    for line in (line for line in indented_commands(page) if " compare " in line):
        assert here(*shlex.split(line)[1:], cwd=tmp_path)[0] == 0


def _tune(*arguments, **options):
    from neurodeploy.tuning import tune

    return tune(*arguments, **{"agreement": 60, "only": ("graded", "radix"), **options})


def test_what_installs_lava_is_what_the_extra_names():
    """One list in pyproject.toml, one in the command: the same."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    extra = re.search(r"^lava = \[(.*?)\]", text, re.M)[1]
    assert re.findall(r'"(.*?)"', extra) == list(NEEDED)
    last = commands()[-1]
    assert last[-1].startswith("lava-nc==")
    assert "--ignore-requires-python" in last


def test_doctor_names_the_one_command(monkeypatch):
    from importlib import metadata

    from neurodeploy.reporting import health

    real = metadata.version

    def version(name):
        if name in ("lava-nc", "asteval", "rich"):
            raise metadata.PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(health.metadata, "version", version)
    report = health.examine()
    assert not report["ok"]
    needs = {need["command"]: need["parts"] for need in report["missing"]}
    assert needs["neurodeploy setup-lava"] == ["lava-nc", "asteval"]
    assert needs["pip install --upgrade neurodeploy-compiler"] == ["rich"]


def test_the_wheel_holds_what_is_needed(tmp_path):
    pytest.importorskip("hatchling", reason="hatchling is not installed")
    from hatchling.builders.wheel import WheelBuilder

    made = next(WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"]))
    names = set(zipfile.ZipFile(made).namelist())
    assert {
        "neurodeploy/py.typed",
        "neurodeploy/__init__.pyi",
        "neurodeploy/_targets/loihi2.toml",
        "neurodeploy/reporting/page/templates/page.html",
    } <= names
    assert not any(name.startswith(("tests/", "tools/")) for name in names)
