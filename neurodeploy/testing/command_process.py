"""The command line in a process of its own, which need not import anything first."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from neurodeploy.testing.prepared_process import PreparedProcess

__all__ = ["run_command"]

#: What `compile`, `simulate` and `report` import when they are called.
_MODULES = (
    "neurodeploy.cli",
    "neurodeploy.compiling.relu",
    "neurodeploy.importing",
    "neurodeploy.ledger",
    "neurodeploy.reporting",
    "neurodeploy.simulator.simulation",
    "numba.np.npyimpl",
    "onnxruntime",
)


def run_command(
    arguments: Sequence[str],
    cwd: str | os.PathLike[str],
    env: Mapping[str, str] | None = None,
    timeout: float = 300.0,
) -> subprocess.CompletedProcess[str]:
    """``python -m neurodeploy`` with these arguments, its output caught.

    Parameters
    ----------
    arguments
        What follows the command's name.
    cwd
        Folder that the command runs in.
    env
        Its whole environment; None: that of the caller. What Python reads at its start
        (``PYTHONIOENCODING``) has no effect: use `subprocess` for it.
    timeout
        Seconds after which the process is killed.

    Returns
    -------
    subprocess.CompletedProcess
        With ``returncode``, ``stdout`` and ``stderr`` as text.

    Raises
    ------
    subprocess.TimeoutExpired
        The command took longer.
    """
    environment = dict(os.environ if env is None else env)
    if not hasattr(os, "fork"):
        return subprocess.run(
            [sys.executable, "-m", "neurodeploy", *arguments],
            capture_output=True, text=True, cwd=cwd, env=environment, timeout=timeout, check=False,
        )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder, "stdout"), Path(folder, "stderr")
        forked = _prepared().fork(
            "neurodeploy.testing.command_process:command",
            *arguments,
            cwd=os.path.abspath(cwd),
            env=environment,
            stdout=str(out),
            stderr=str(err),
        )
        try:
            forked.wait(timeout)
        except subprocess.TimeoutExpired:
            os.kill(forked.pid, 9)
            raise
        code = forked.wait()
        return subprocess.CompletedProcess(arguments, code, out.read_text(), err.read_text())


@cache
def _prepared() -> PreparedProcess:
    return PreparedProcess(_MODULES)


def command(*arguments: str) -> None:
    """What `python -m neurodeploy` does."""
    sys.argv = ["neurodeploy", *arguments]
    runpy.run_module("neurodeploy", run_name="__main__", alter_sys=True)
