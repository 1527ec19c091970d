"""Where the table was made."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from simulator_bench.peers import TORCH_PEERS

__all__ = ["BUSY", "describe", "pin", "used_by_others"]

#: Load average a core above which timings mean little.
BUSY = 0.3
EXTENSIONS = ("avx2", "avx512f", "avx512_vnni", "avx_vnni", "amx_int8", "asimd", "asimddp")


def pin(threads: int) -> None:
    """Keep this process and its children on as many cores as there are threads."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


def used_by_others() -> Callable[[], float | None]:
    """Start a clock; what it returns tells the share of our cores that others used since.

    Torch's threads wait for each other in a loop, so a second program on the cores costs them far
    more than its share. None where the system does not say.
    """
    began, others = time.monotonic(), _seconds_of_others()

    def share() -> float | None:
        now = _seconds_of_others()
        if now is None or others is None:
            return None
        cores = len(os.sched_getaffinity(0))
        return max(0.0, (now - others) / (cores * (time.monotonic() - began)))

    return share


def _seconds_of_others() -> float | None:
    """Processor time that our cores spent on other programs since the system started."""
    if not Path("/proc/stat").is_file():
        return None
    ours = {f"cpu{core}" for core in os.sched_getaffinity(0)}
    rows = [line.split() for line in Path("/proc/stat").read_text().splitlines()]
    # user, nice, system; irq, softirq, steal: all but idle and waiting for disks
    ticks = sum(int(n) for row in rows if row[0] in ours for n in (*row[1:4], *row[6:9]))
    return ticks / os.sysconf("SC_CLK_TCK") - sum(os.times()[:4])


def describe(threads: int) -> dict[str, Any]:
    """Processor, load and versions."""
    lines: list[str] = []
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        lines = cpuinfo.read_text().splitlines()
    model = next((line.split(":")[1].strip() for line in lines if "model name" in line), "")
    flags = {
        flag
        for line in lines
        if line.lower().startswith(("flags", "features"))
        for flag in line.split()
    }
    versions = {"python": platform.python_version()}
    for name in ("neurodeploy", "numpy", "numba", "onnxruntime", "torch", *TORCH_PEERS, "lava-nc"):
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return {
        "processor": model or platform.processor() or platform.machine(),
        "extensions": [name for name in EXTENSIONS if name in flags],
        "threads": threads,
        "load": round(os.getloadavg()[0], 2),
        "versions": versions,
    }
