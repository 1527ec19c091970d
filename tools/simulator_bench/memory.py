"""Peak memory of one simulator: a process of its own runs one batch and reads its high-water mark.

`ru_maxrss` will not do on Linux: a child takes over the mark of the process that started it.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from neurodeploy.program import Program
from neurodeploy.program.storage import load, save

if TYPE_CHECKING:
    from simulator_bench.contenders import Form

__all__ = ["free_bytes", "peak_mebibytes", "serve"]

TIMEOUT_SECONDS = 600


def peak_mebibytes(
    name: str, program: Program, x: np.ndarray, form: Form | None, threads: int
) -> float:
    """Highest resident memory of a process that runs the samples once, imports and all, in MiB."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        here = Path(folder)
        save(program, here / "program.ndp")
        np.save(here / "samples.npy", x)
        job = {"name": name, "form": form and asdict(form), "threads": threads}
        (here / "job.json").write_text(json.dumps(job))
        command = [sys.executable, sys.argv[0], "--serve", folder]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False
        )
    if done.returncode:
        raise RuntimeError(f"{name} in a process of its own: {done.stderr.strip()[-500:]}")
    return float(done.stdout)


def serve(folder: Path) -> int:
    """The child: run what the folder holds, print the peak."""
    from simulator_bench.contenders import OWN, Form, own, torch_peer

    job = json.loads((folder / "job.json").read_text())
    program, x = load(folder / "program.ndp"), np.load(folder / "samples.npy")
    if job["name"] == OWN:
        contender = own(program, job["threads"])
    else:
        import torch

        torch.set_num_threads(job["threads"])
        contender = torch_peer(job["name"], program, Form(**job["form"]))
    contender.run(x)
    print(_high_water_mark())
    return 0


def free_bytes() -> int:
    """Memory that can be taken without swapping."""
    found = _kibibytes("/proc/meminfo", "MemAvailable")
    if found is not None:
        return found * 1024
    return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _high_water_mark() -> float:
    """Of this process's resident memory, MiB."""
    found = _kibibytes("/proc/self/status", "VmHWM")
    if found is not None:
        return found / 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 1024


def _kibibytes(path: str, key: str) -> int | None:
    """A number of Linux's tables; None elsewhere."""
    try:
        lines = Path(path).read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) for line in lines if line.startswith(f"{key}:")), None)
