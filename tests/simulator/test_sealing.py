"""Damaged kernels on disk are compiled again, whatever the damage."""

from __future__ import annotations

import subprocess
import sys

import pytest

SOURCE = """
from numba import njit

@njit(cache=True)
def add(a, b):
    return a + b
"""
RUN = """
import kernel_module
from neurodeploy.simulator.sealing import seal
seal([kernel_module])
print(kernel_module.add(2, 3), sum(kernel_module.add.stats.cache_hits.values()))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kernels")
    (folder / "kernel_module.py").write_text(SOURCE)
    return folder


def run(folder):
    """Sum, and how many kernels were taken from the disk, of a new process."""
    import os

    import neurodeploy

    package = os.path.dirname(os.path.dirname(neurodeploy.__file__))
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join([str(folder), package]))
    environment["NUMBA_CACHE_DIR"] = str(folder / "cache")
    done = subprocess.run(
        [sys.executable, "-c", RUN],
        capture_output=True,
        text=True,
        env=environment,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [int(word) for word in done.stdout.split()]


def spoil(path, kind):
    content = bytearray(path.read_bytes())
    if kind == "half":
        content = content[: len(content) // 2]
    elif kind == "empty":
        content = bytearray()
    elif kind == "zeros":
        content = bytearray(len(content))
    else:
        for at in range(0, len(content), 50):
            content[at] ^= 0x55
    path.write_bytes(content)


def test_damaged_kernels_are_compiled_again(folder):
    assert run(folder) == [5, 0]
    assert run(folder) == [5, 1]
    for suffix, kind in (("nbi", "half"), ("nbc", "zeros"), ("nbc", "flipped"), ("nbi", "empty")):
        for path in (folder / "cache").rglob(f"*.{suffix}"):
            spoil(path, kind)
        assert run(folder) == [5, 0], (suffix, kind)
        assert run(folder) == [5, 1], (suffix, kind)


def test_our_kernels_are_sealed():
    from neurodeploy.simulator import kernels, sealing

    for name in ("gather", "scatter_sparse", "step_lif", "stamp"):
        assert type(getattr(kernels, name)._cache._cache_file) is sealing._SealedFile
