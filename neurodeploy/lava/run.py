"""Run a program on Lava in a process of its own, with a time limit and a clean end."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

import numpy as np

import neurodeploy
from neurodeploy.errors import DeploymentError
from neurodeploy.lava.compat import require_lava
from neurodeploy.lava.groups import alive as _alive
from neurodeploy.lava.groups import kill_group, terminate_group
from neurodeploy.lava.layout import lava_order
from neurodeploy.lava.limits import default_timeout
from neurodeploy.program import Population, Program
from neurodeploy.program.neurons.sources import sources_of
from neurodeploy.program.storage import save

__all__ = ["LavaTrace", "Models", "run"]

Progress = Callable[[int], None]
#: Whose models of Lava's own processes: those of `neurodeploy.lava.fast`, or Lava's.
Models = Literal["neurodeploy", "lava"]

_POLL_SECONDS = 0.05
#: How long the processes of a run may take to end after they were asked to.
_GRACE_SECONDS = 5.0
_LOG_LINES = 12
#: The path of a Unix socket has 107 bytes; multiprocessing appends 31 to its folder.
_SOCKET_FOLDER_MAX = 72


@dataclass(frozen=True)
class LavaTrace:
    """What happened on Lava, by population name; step t is row t - 1.

    Attributes
    ----------
    spikes
        bool (steps, neurons), neurons in C order.
    membrane
        int32 (steps, neurons), after the step, for the populations asked for.
    messages
        int32 (steps, neurons): what was sent, of the populations that send integers.
    seconds
        Wall time in all; `start_seconds` of it before the first step (imports, compiling,
        starting processes), `step_seconds` while stepping.
    models
        Whose models of Lava's own processes ran.
    """

    spikes: dict[str, np.ndarray]
    membrane: dict[str, np.ndarray]
    messages: dict[str, np.ndarray]
    seconds: float
    start_seconds: float
    step_seconds: float
    models: Models


def run(
    program: Program,
    messages: np.ndarray,
    *,
    membranes: Collection[str] = (),
    stock: bool = False,
    timeout: float | None = None,
    progress: Progress | None = None,
) -> LavaTrace:
    """Step a program through absolute time on Lava's CPU runtime.

    Parameters
    ----------
    messages
        Integers (steps, inputs): what the input population sends at each step.
    membranes
        Populations whose membrane is wanted, too.
    stock
        Run Lava's own processes (`Conv`, `Dense`, `Sparse`, `LIFReset`) by Lava's own models
        instead of ours, which compute the same much faster. Without Numba it is always so.
    timeout
        Seconds until everything is ended; `limits.default_timeout` if None.
    progress
        Called with the number of steps done, a few times a second.

    Raises
    ------
    DeploymentError
        Lava is missing, failed, or did not finish in time. No process of the run is left.
    """
    require_lava()
    messages = _checked(program, messages)
    unknown = set(membranes) - {p.name for p in program.populations}
    if unknown:
        raise KeyError(f"no population {', '.join(sorted(unknown))}")
    stock = stock or importlib.util.find_spec("numba") is None
    limit = default_timeout(program, len(messages), stock) if timeout is None else timeout
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="nd-lava-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        job = {
            "steps": len(messages),
            "largest": int(max(messages.max(initial=0), -messages.min(initial=0))),
            "membranes": sorted(membranes),
            "stock": stock,
            "kinds": sources_of({type(p.neuron) for p in program.populations}),
        }
        save(program, folder / "program.ndp")
        np.save(folder / "messages.npy", _narrowed(messages)[:, lava_order(program.encoder.shape)])
        (folder / "job.json").write_text(json.dumps(job))
        _work(folder, program, len(messages), started + limit, limit, progress)
        report = json.loads((folder / "done.json").read_text())
        spikes, membrane, sent = _read(folder, program, len(messages), membranes)
    seconds = time.monotonic() - started
    models: Models = "lava" if stock else "neurodeploy"
    return LavaTrace(spikes, membrane, sent, seconds, **report, models=models)


def _checked(program: Program, messages: np.ndarray) -> np.ndarray:
    messages = np.asarray(messages)
    inputs = int(np.prod(program.encoder.shape))
    if messages.dtype.kind not in "iu" or messages.ndim != 2 or messages.shape[1] != inputs:
        raise ValueError(f"messages are integers (steps, {inputs}), not {messages.shape}")
    if not len(messages):
        raise ValueError("no step to run")
    return messages


def _narrowed(messages: np.ndarray) -> np.ndarray:
    """The same integers in the narrowest signed type."""
    low, high = messages.min(), messages.max()
    for dtype in (np.int8, np.int16):
        if np.iinfo(dtype).min <= low and high <= np.iinfo(dtype).max:
            return messages.astype(dtype)
    return messages.astype(np.int32)


def _work(
    folder: Path,
    program: Program,
    steps: int,
    deadline: float,
    limit: float,
    progress: Progress | None,
) -> None:
    """Start the worker, wait for it, and leave nothing of it behind."""
    decoder = next(
        k for k, p in enumerate(program.populations) if p.name == program.decoder.population
    )
    watched = folder / f"spikes-{decoder}.bin"
    row = -(-program.populations[decoder].size // 8)
    with open(folder / "log.txt", "wb") as log, _started(folder, log) as worker:
        try:
            while worker.poll() is None:
                if time.monotonic() > deadline:
                    raise DeploymentError(
                        f"Lava did not finish {steps} steps in {limit:g} seconds and was stopped",
                        place="lava",
                        remedy="raise the time limit, or run fewer samples or a smaller program",
                    )
                time.sleep(_POLL_SECONDS)
                if progress is not None and watched.exists():
                    progress(min(watched.stat().st_size // row, steps))
        finally:
            _end(worker)
    if not (folder / "done.json").exists():
        raise _failure(folder, worker.returncode)
    if progress is not None:
        progress(steps)


def _started(folder: Path, log: IO[bytes]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "neurodeploy.lava.worker", str(folder)],
        cwd=folder,
        env=_environment(folder),
        stdin=subprocess.PIPE,
        stdout=log,
        stderr=log,
        start_new_session=True,
    )


def _environment(folder: Path) -> dict[str, str]:
    """The caller's, with this package importable and NumPy on one thread (Lava forks)."""
    package = str(Path(neurodeploy.__path__[0]).parent)
    paths = [p for p in os.environ.get("PYTHONPATH", "").split(os.pathsep) if p]
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    changed = {**threads, "PYTHONPATH": os.pathsep.join([*paths, package])}
    if len(os.fsencode(folder)) <= _SOCKET_FOLDER_MAX:
        changed["TMPDIR"] = str(folder)  # what multiprocessing leaves when killed goes with it
    return {**os.environ, **changed}


def _end(worker: subprocess.Popen[bytes]) -> None:
    """End every process of the run: first politely, for Lava's shared memory to be freed."""
    assert worker.stdin is not None
    deadline = time.monotonic() + _GRACE_SECONDS
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if _alive(worker.pid):
            terminate_group(worker.pid)
        with contextlib.suppress(subprocess.TimeoutExpired):  # deaf to SIGTERM
            worker.wait(_GRACE_SECONDS)
        while _alive(worker.pid) and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
        if _alive(worker.pid):
            kill_group(worker.pid, _GRACE_SECONDS)
    with contextlib.suppress(BrokenPipeError):
        worker.stdin.close()


def _failure(folder: Path, code: int) -> DeploymentError:
    """What the worker left word of, or the end of its log."""
    log = (folder / "log.txt").read_text(errors="replace").strip()
    told = {"message": log or f"exit code {code}", "place": "lava", "remedy": ""}
    with contextlib.suppress(OSError, ValueError):
        told = json.loads((folder / "error.json").read_text())
    lines = told["message"].strip().splitlines()
    if len(lines) == 1:
        return DeploymentError(**told)
    # of a traceback: what was raised, then where
    detail = "\n".join(lines[-_LOG_LINES:-1])
    return DeploymentError(f"the run failed: {lines[-1]}\n{detail}", place="lava")


def _read(
    folder: Path, program: Program, steps: int, membranes: Collection[str]
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray], dict[str, np.ndarray]]:
    """The recordings, neurons back in C order: spikes, membranes, messages."""
    spikes, membrane, sent = {}, {}, {}
    for k, p in enumerate(program.populations):
        order = np.argsort(lava_order(p.shape))

        def integers(name: str, p: Population = p, order: np.ndarray = order) -> np.ndarray:
            values = np.fromfile(folder / name, "<i4")
            if values.size != steps * p.size:
                raise DeploymentError("Lava's recording is incomplete", place=p.name)
            return values.reshape(steps, p.size)[:, order].astype(np.int32, copy=False)

        packed = np.fromfile(folder / f"spikes-{k}.bin", np.uint8)
        if packed.size != steps * -(-p.size // 8):
            raise DeploymentError("Lava's recording is incomplete", place=p.name)
        bits = np.unpackbits(packed.reshape(steps, -1), axis=1, count=p.size)
        spikes[p.name] = bits.view(bool)[:, order]
        if p.name in membranes:
            membrane[p.name] = integers(f"membrane-{k}.bin")
        if p.neuron.is_graded:
            sent[p.name] = integers(f"messages-{k}.bin")
    return spikes, membrane, sent
