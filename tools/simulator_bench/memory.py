"""Peak memory of one simulator: a process of its own runs one batch and tells its most."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

import numpy as np

from neurodeploy.program import Program
from neurodeploy.program.storage import load, save
from simulator_bench.contenders import OWN, Form, own, torch_peer
from simulator_bench.system_memory import high_water_mark

__all__ = ["peak_mebibytes", "serve"]

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
    job = json.loads((folder / "job.json").read_text())
    program, x = load(folder / "program.ndp"), np.load(folder / "samples.npy")
    if job["name"] == OWN:
        contender = own(program, job["threads"])
    else:
        import torch

        torch.set_num_threads(job["threads"])
        contender = torch_peer(job["name"], program, Form(**job["form"]))
    contender.run(x)
    print(high_water_mark())
    return 0
