"""Judge files in another process with limits, so that a hang or a crash is one more outcome."""

from __future__ import annotations

import json
import os
import resource
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["Worker", "serve"]

#: Seconds after which a worker is given up, however little of the processor it got.
_STARVED = 1200
_TICK = os.sysconf("SC_CLK_TCK")
#: Resident memory that importing one file may add before that counts as a failure.
GROWTH = 2**30
_STATUS = Path("/proc/self/status")


class Worker:
    """A process that judges one file after the other; replaced when it dies or hangs.

    Parameters
    ----------
    command
        Starts a process that calls `serve`.
    seconds
        Of processor time for one file: other work on the machine does not count.
    memory
        Bytes of address space of the process.
    """

    def __init__(self, command: list[str], seconds: float, memory: int) -> None:
        self._command = [*command, str(memory)]
        self._seconds = seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - as long as the worker

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()
        self._errors.close()

    def _stop(self) -> int | None:
        if self._process is None:
            return None
        self._process.kill()
        code = self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
        self._process = None
        return code

    def _start(self) -> subprocess.Popen[bytes]:
        self._process = subprocess.Popen(
            self._command,
            bufsize=0,  # `select` sees no line that lies in a buffer
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
        )
        if not self._line(60):
            raise RuntimeError(f"the worker does not start: {self._last_words()}")
        return self._process

    def _line(self, deadline: float) -> dict[str, Any] | None:
        """The worker's next line; empty when it died; None when its processor time is past
        `deadline`, or it waits for what does not come."""
        assert self._process is not None
        assert self._process.stdout is not None
        last = time.monotonic() + _STARVED
        while True:
            _, used = self._state()
            left = min(deadline - used, last - time.monotonic())
            ready, _, _ = select.select([self._process.stdout], [], [], max(left, 0.5))
            if ready:
                line = self._process.stdout.readline()
                return json.loads(line) if line else {}
            asleep, now = self._state()
            if now >= deadline or (asleep and now == used) or time.monotonic() >= last:
                return None

    def _state(self) -> tuple[bool, float]:
        """Whether the worker sleeps, and its processor time so far in seconds."""
        assert self._process is not None
        try:
            stat = Path(f"/proc/{self._process.pid}/stat").read_text()
        except OSError:
            return False, 0.0
        state, *fields = stat.rpartition(")")[2].split()
        return state == "S", (int(fields[10]) + int(fields[11])) / _TICK

    def _last_words(self) -> str:
        self._errors.seek(0)
        words = self._errors.read().decode(errors="replace").strip().splitlines()
        self._errors.seek(0)
        self._errors.truncate()
        return " | ".join(words[-4:])

    def judge(self, path: Path) -> dict[str, Any]:
        """Outcome of a file, as `oracle.judge` has it; `hang`, `crash` and `memory` besides."""
        process = self._process or self._start()
        assert process.stdin is not None
        process.stdin.write(os.fsencode(path) + b"\n")
        process.stdin.flush()
        phase, deadline = "import", self._state()[1] + self._seconds
        while True:
            said = self._line(deadline)
            if said is not None and "outcome" in said:
                if said.pop("restart"):
                    self._stop()
                return said
            if said:
                phase = said["phase"]
                continue
            process.poll()
            died = said is not None
            code = self._stop()
            what = f"{self._last_words()} (exit code {code})" if died else "out of time"
            if phase == "compare":  # the importer is through; libraries at work on the file
                return {"outcome": "ort-refuses", "detail": f"ONNX Runtime: {what}"}
            return {"outcome": "crash" if died else "hang", "detail": what}


def _peak() -> int:
    """Highest resident memory since `_forget_peak`, in bytes."""
    try:
        for line in _STATUS.read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _forget_peak() -> None:
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return


def serve(memory: int, judge: Callable[..., dict[str, Any]] | None = None) -> None:
    """The worker's side: a path a line in, outcomes as lines of JSON out.

    `judge` takes a file and whom to tell what begins; by default `oracle.judge`.
    """
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what libraries print is no reply
    import warnings

    if judge is None:
        from importer_fuzz.oracle import judge

    warnings.simplefilter("ignore")
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    growth = 0

    def say(**words: Any) -> None:
        print(json.dumps(words), file=replies, flush=True)

    def phase(name: str) -> None:
        nonlocal growth
        if name == "import":
            _forget_peak()
            growth = -_peak()
        else:
            growth += _peak()
        say(phase=name)

    say(phase="ready")
    for line in sys.stdin:
        result = judge(Path(line.rstrip("\n")), phase)
        if growth > GROWTH and result["outcome"] != "traceback":
            result |= {"outcome": "memory", "detail": f"takes {growth >> 20} MiB"}
        result["reasons"] = result.get("reasons", [])[:20]
        say(**result, restart=_peak() > memory // 4)
