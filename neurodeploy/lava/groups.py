"""The end of a process group: everything that Lava has started, and its shared memory.

Python's resource tracker, a process of the group, removes the segments of shared memory once all
the others are gone. It ignores SIGTERM; killed, it would leave them for ever.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

__all__ = ["alive", "end_others", "kill_group", "terminate_group"]

_POLL_SECONDS = 0.05
_TRACKER = b"multiprocessing.resource_tracker"


def alive(group: int) -> bool:
    """Whether a process group has members."""
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def terminate_group(group: int) -> None:
    """Ask all members to end, also those that are stopped, which hear nothing until they go on."""
    os.killpg(group, signal.SIGTERM)
    os.killpg(group, signal.SIGCONT)


def kill_group(group: int, seconds: float) -> None:
    """End all members by force, the resource tracker last: it may take so long to tidy up."""
    _send(_workers(group), signal.SIGKILL)
    deadline = time.monotonic() + seconds
    while any(_members(group)) and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


def end_others(seconds: float) -> None:
    """End the other members of this process's group, by force where asking does not help.

    Where the system does not list processes this one is asked to end with them.
    """
    group = os.getpgid(0)
    if not any(_members(group)):
        terminate_group(group)
        return
    _send(_workers(group), signal.SIGTERM, signal.SIGCONT)
    deadline = time.monotonic() + seconds
    while _workers(group) and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
    _send(_workers(group), signal.SIGKILL)


def _workers(group: int) -> list[int]:
    """Members besides this process and resource trackers."""
    return [p for p, command in _members(group) if p != os.getpid() and _TRACKER not in command]


def _send(processes: list[int], *signals: signal.Signals) -> None:
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            for number in signals:
                os.kill(process, number)


def _members(group: int) -> Iterator[tuple[int, bytes]]:
    """Living members and their command lines; none where the system does not show them."""
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            command = (entry / "cmdline").read_bytes()  # empty when it is dead, and not waited for
            if command and os.getpgid(int(entry.name)) == group:
                yield int(entry.name), command
