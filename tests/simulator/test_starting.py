"""What a command imports before it works, and where compiled kernels are kept."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from neurodeploy.simulator import kernel_cache


def loaded(*arguments):
    """Modules that a command has imported when it ends."""
    code = (
        "import sys\n"
        "from neurodeploy.cli import main\n"
        "try:\n"
        "    main()\n"
        "finally:\n"
        "    print(*sys.modules, file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(done.stderr.split())


def test_help_imports_next_to_nothing():
    for arguments in (["--help"], ["simulate", "--help"], ["--version"]):
        assert not loaded(*arguments) & {"numpy", "numba", "onnx", "rich", "networkx"}


def test_simulate_imports_what_it_runs(fashion_program, fashion, tmp_path):
    fashion_program.save(tmp_path / "p.ndp")
    common = ["simulate", tmp_path / "p.ndp", "--data", fashion / "test.npz", "--limit", 1]
    found = loaded(*common, "--json")
    assert "numba" in found
    unwanted = {"onnx", "onnxruntime", "onnxscript", "onnx_ir", "distributed", "rich", "jinja2"}
    assert not found & unwanted


@pytest.fixture
def no_folder(monkeypatch):
    """No place of Numba's own can be written."""
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setattr(kernel_cache, "_is_writable", lambda folder: False)
    monkeypatch.setitem(sys.modules, "numba", type("numba", (), {"config": type("config", (), {})}))


def test_nowhere_to_keep_kernels(no_folder, monkeypatch):
    kernel_cache.provide()
    folder = Path(os.environ["NUMBA_CACHE_DIR"])
    assert folder.is_dir()
    assert str(folder) == sys.modules["numba"].config.CACHE_DIR
    folder.rmdir()
    monkeypatch.setenv("NUMBA_CACHE_DIR", "chosen")
    kernel_cache.provide()
    assert os.environ["NUMBA_CACHE_DIR"] == "chosen"


def test_the_usual_places(monkeypatch, tmp_path):
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    kernel_cache.provide()
    assert "NUMBA_CACHE_DIR" not in os.environ
    assert kernel_cache._is_writable(tmp_path / "made" / "later")
    (tmp_path / "file").write_text("")
    assert not kernel_cache._is_writable(tmp_path / "file" / "below")
    assert not kernel_cache._is_writable(tmp_path / "file")


def test_kernels_older_than_what_they_are_made_of(tmp_path):
    """Numba would only see a change in their own file."""
    compiled = tmp_path / "__pycache__"
    compiled.mkdir()
    names = [compiled / "gather.nbi", compiled / "stamp.nbi", tmp_path / "sums.py"]
    for age, path in enumerate([*names, compiled / "other.txt"]):
        path.write_text("")
        os.utime(path, (1000 - age, 1000 - age))
    kernel_cache._drop_older(compiled, tmp_path)
    assert all(path.exists() for path in names)
    os.utime(tmp_path / "sums.py", (1000, 1000))
    kernel_cache._drop_older(compiled, tmp_path)
    assert [path.exists() for path in names] == [True, False, True]
    assert (compiled / "other.txt").exists()
    kernel_cache._drop_older(tmp_path / "nothing", tmp_path / "nowhere")


def test_a_process_that_has_nowhere(fashion_program, tmp_path):
    """It compiles for itself and leaves nothing behind."""
    fashion_program.save(tmp_path / "p.ndp")
    np.save(tmp_path / "x.npy", np.zeros((2, 28, 28), np.uint8))
    code = (
        "import os\n"
        "access = os.access\n"
        "os.access = lambda path, mode: False\n"
        "import neurodeploy as nd\n"
        "from neurodeploy.simulator import kernel_cache\n"
        "os.access = access\n"
        "from neurodeploy.samples import load_samples\n"
        "nd.simulate(nd.load('p.ndp'), load_samples('x.npy').x)\n"
        "print(os.environ['NUMBA_CACHE_DIR'])\n"
    )
    environment = {k: v for k, v in os.environ.items() if k != "NUMBA_CACHE_DIR"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
        cwd=tmp_path,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    assert not Path(done.stdout.strip()).exists()
