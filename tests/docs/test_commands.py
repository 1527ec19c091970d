"""Every command on the pages: run in this process, on small files of the names that stand there.

Three kinds are not run here: pages with a test of their own (`OWN`), measurements, which
`test_measurements.py` runs in small (their words as they stand are read by their own parser here,
so options that are gone are found), and installers (the extras and targets that they name exist).
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import re
import runpy
import shlex
import sys
import warnings

import numpy as np
import pytest
from click.testing import CliRunner
from command_line import tiny_model
from pages import OWN, PAGES, ROOT, SPIKING, commands, listed, python_blocks

import neurodeploy as nd
from neurodeploy.cli import cli

#: Commands that need a machine or minutes, and the test that does the same in small.
ELSEWHERE = {
    "neurodeploy simulate model.ndp --data test.npz --workers tcp://host:8786": "test_sharding.py",
    "neurodeploy simulate model.ndp --data test.npz --journal run.journal": "test_journal.py",
    "neurodeploy simulate mlf.ndp": "test_mlf_model.py",
    "neurodeploy compile models/mlf_dsresnet_fashion": "test_mlf_model.py",
    "neurodeploy check models/mlf_dsresnet_fashion": "test_mlf_model.py",
    "python -m neurodeploy.training mlf": "training/test_commands.py",
    "python tests/lava/model_pairs.py": "lava/test_models.py",
    "neurodeploy deploy": "test_deploying",  # below
    "neurodeploy tune": "people/test_first_walk.py",
    "neurodeploy compare": "people/test_first_walk.py",
    "neurodeploy images": "people/test_first_walk.py",
    "neurodeploy setup-lava": "people/test_first_walk.py",
    "neurodeploy completion": "people/test_completion.py",
}


def starting(*words):
    return [c for c in listed() if c.startswith(words) and not c.startswith(tuple(ELSEWHERE))]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Small files of the names on the pages."""
    folder = tmp_path_factory.mktemp("pages")
    rng = np.random.default_rng(0)
    for name in ("train", "test"):
        x = rng.random((70, 6)).astype(np.float32)
        np.savez(folder / f"{name}.npz", x=x, y=rng.integers(0, 3, 70))
    for name in ("model", "small-resnet"):
        tiny_model(folder / f"{name}.onnx")
    nd.compile(folder / "model.onnx", folder / "train.npz", warn=lambda line: None).save(
        folder / "model.ndp"
    )
    return folder


def run(command):
    done = CliRunner().invoke(cli, shlex.split(command)[1:])
    # this program does not fit Loihi 1: it needs microcode, as the page says of the code
    refused = 2 if command.startswith("neurodeploy map") and "loihi1" in command else 0
    assert done.exit_code == refused, (command, done.output, done.exception)
    return done.output


@pytest.mark.parametrize("command", starting("neurodeploy "))
def test_commands(folder, monkeypatch, command):
    monkeypatch.chdir(folder)
    # the model's own name of its output
    run(command.replace("--output-name logits", "--output-name y"))
    for word in shlex.split(command)[1:]:
        if word.endswith((".html", "annotated.onnx")):
            assert (folder / word).exists()


def test_commands_on_networks_that_spike(tmp_path, monkeypatch):
    pytest.importorskip("h5py", reason="needs the extra nir")
    pytest.importorskip("nir", reason="needs the extra nir")
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    layers = [
        nd.SpikingLayer(rng.normal(0, 0.4, (8, 12)), membrane_leak=0.1, reset="zero"),
        nd.SpikingLayer(rng.normal(0, 0.6, (3, 8)), membrane_leak=0.1, reset="zero"),
    ]
    nd.export(nd.spiking_network(12, layers), "model.nir")
    spikes = (rng.random((20, 320, 12)) < 0.2).astype(np.uint8)
    np.savez("recordings.npz", x=spikes, y=rng.integers(0, 3, 20))
    (block,) = python_blocks("from-lava-dl.md")
    exec(compile(block.replace("network.ndp", "other.ndp"), "from-lava-dl.md", "exec"), {})
    # the export on the page writes the file that later lines read
    ran = [c for c in SPIKING if c.startswith("neurodeploy ")]
    for command in ran:
        run(command.replace("export model.ndp -o model.nir", "export model.ndp -o again.nir"))
    assert len(ran) == 6


@pytest.mark.lava
@pytest.mark.skipif(importlib.util.find_spec("lava") is None, reason="Lava is not installed")
def test_deploying(folder, monkeypatch):
    """All pages say the same line; whether an example is tiny changes nothing in it."""
    monkeypatch.chdir(folder)
    found = [c for c in listed() if c.startswith("neurodeploy deploy")]
    assert found == ["neurodeploy deploy model.ndp --data test.npz --limit 3 --verify"]
    assert re.search(r"spikes that differ\s+0\s", run(found[0]))


class Parsed(Exception):
    """The words were taken."""


@pytest.mark.parametrize("command", starting("python tools/", "python models/"))
def test_measurements_take_their_options(monkeypatch, command):
    words = shlex.split(command)[1:]
    parse = argparse.ArgumentParser.parse_args

    def stop(parser, *arguments, **options):
        parse(parser, *arguments, **options)
        raise Parsed

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", stop)
    monkeypatch.setattr(sys, "argv", words)
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    with pytest.raises(Parsed):
        runpy.run_path(str(ROOT / words[0]), run_name="__main__")


@pytest.mark.parametrize("command", starting("dask "))
def test_the_cluster_takes_its_options(command):
    pytest.importorskip("distributed", reason="needs the extra cluster")
    from distributed.cli import dask_scheduler, dask_worker

    _, name, *words = shlex.split(command)
    {"scheduler": dask_scheduler, "worker": dask_worker}[name].main.make_context(name, words)


def test_installers():
    """Extras are declared, targets of make are there."""
    declared = re.findall(
        r"^(\w+) = \[",
        (ROOT / "pyproject.toml").read_text().split("optional-dependencies]")[1],
        re.M,
    )
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    for page in [*PAGES, ROOT / "README.md"]:
        for command in commands(page.read_text(encoding="utf-8")):
            for extras in re.findall(r"neurodeploy-compiler\[([\w,-]+)\]", command):
                assert set(extras.split(",")) <= set(declared), command
            if command.startswith("make "):
                assert set(shlex.split(command)[1:]) <= set(targets), command


def test_every_command_is_somebodys():
    """No command stands on a page that no test knows."""
    known = ("neurodeploy ", "python tools/", "python models/", "dask ", "pip ", "make ")
    # another package's, the user's own, and Python's: tried by hand
    others = ("python -m tf2onnx.convert", "python -m venv", "python -m build", "python train.py")
    loose = [c for c in listed() if not c.startswith((*known, *others, *ELSEWHERE))]
    assert not loose
    names = {path.name for path in (ROOT / "tests").rglob("test_*.py")}
    for test in [*OWN.values(), *ELSEWHERE.values()]:
        assert test == "test_deploying" or test.rpartition("/")[2] in names, test


def test_the_first_ten_minutes(tmp_path, monkeypatch):
    """The page's network (trained for less long), its first commands, and its Python."""
    pytest.importorskip("torch", reason="needs the extra train")
    pytest.importorskip("sklearn", reason="needs the extra train")
    monkeypatch.chdir(tmp_path)
    network, python = python_blocks("first-ten-minutes.md")
    assert "range(10)" in network
    names: dict = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec(compile(network.replace("range(10)", "range(3)"), "page", "exec"), names)
        exec(compile(python, "page", "exec"), names)
    assert names["accuracy"] > 80
    assert os.path.getsize("model.ndp")
    assert "spiking accuracy" in run("neurodeploy simulate model.ndp --data test.npz --limit 20")


@pytest.mark.parametrize(
    ("page", "needs"), [("from-pytorch.md", "torch"), ("from-scikit-learn.md", "skl2onnx")]
)
def test_the_python_of_a_page(tmp_path, monkeypatch, page, needs):
    pytest.importorskip(needs, reason=f"needs {needs}")
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for block in python_blocks(page):
            exec(compile(block, page, "exec"), names)
    assert names["agreement"] > 0.95
