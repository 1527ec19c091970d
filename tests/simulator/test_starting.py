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


def test_nowhere_to_keep_kernels(no_folder, monkeypatch, tmp_path):
    kernel_cache.provide()
    folder = Path(os.environ["NUMBA_CACHE_DIR"])
    assert folder.is_dir()
    assert str(folder) == sys.modules["numba"].config.CACHE_DIR
    folder.rmdir()
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    kernel_cache.provide()
    assert os.environ["NUMBA_CACHE_DIR"] == str(tmp_path)


def test_the_usual_places(monkeypatch, tmp_path):
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    kernel_cache.provide()
    assert "NUMBA_CACHE_DIR" not in os.environ
    assert kernel_cache._is_writable(tmp_path / "made" / "later")
    (tmp_path / "file").write_text("")
    assert not kernel_cache._is_writable(tmp_path / "file" / "below")
    assert not kernel_cache._is_writable(tmp_path / "file")


def test_kernels_compiled_of_other_sources_are_dropped(tmp_path):
    """Numba would only see a change in a kernel's own file."""
    compiled = tmp_path / "made" / "later"
    index, source = compiled / "gather.nbi", tmp_path / "sums.py"
    source.write_text("one")
    (tmp_path / ".#sums.py").symlink_to("nowhere")  # an editor's
    kernel_cache._drop_stale(compiled, tmp_path)
    (compiled / "other.txt").write_text("")
    index.write_text("")
    kernel_cache._drop_stale(compiled, tmp_path)
    assert index.exists()
    age = source.stat().st_mtime_ns
    source.write_text("two")
    os.utime(source, ns=(age, age))
    kernel_cache._drop_stale(compiled, tmp_path)
    assert not index.exists()
    assert (compiled / "other.txt").exists()
    (tmp_path / "file").write_text("")
    kernel_cache._drop_stale(tmp_path / "file" / "below", tmp_path)


@pytest.mark.parametrize("chosen", [False, True])
def test_the_folder_that_numba_takes(chosen, tmp_path):
    """Where ours says that kernels lie, there Numba's are."""
    environment = {k: v for k, v in os.environ.items() if k != "NUMBA_CACHE_DIR"}
    code = (
        "from neurodeploy.simulator import kernel_cache, kernels\n"
        "print(kernels.gather._cache.cache_path, kernel_cache._in_use(), sep='\\n')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env=environment | ({"NUMBA_CACHE_DIR": str(tmp_path)} if chosen else {}),
        timeout=300,
        check=True,
    )
    numbas, ours = done.stdout.splitlines()
    assert numbas == ours
    assert ours.startswith(str(tmp_path)) == chosen


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
