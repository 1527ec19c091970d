"""What the system says of memory: how much is free, and the most that this process has taken."""

from __future__ import annotations

import os
import resource
import sys
from pathlib import Path

__all__ = ["free_bytes", "high_water_mark"]


def free_bytes() -> int:
    """Memory that can be taken without swapping."""
    found = _kibibytes("/proc/meminfo", "MemAvailable")
    if found is not None:
        return found * 1024
    return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def high_water_mark() -> float:
    """Of this process's resident memory, MiB.

    `ru_maxrss` will not do on Linux: a child takes over the mark of its parent.
    """
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
