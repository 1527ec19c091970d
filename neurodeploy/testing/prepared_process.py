"""Processes forked from one that has imported everything and done nothing else.

A command of ours spends most of its second importing, a run on Lava most of its two; tests start
hundreds of both. What is forked has no threads, and no state of an earlier run.
"""

from __future__ import annotations

import atexit
import importlib
import json
import os
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from typing import Any

__all__ = ["Forked", "PreparedProcess", "serve"]

_POLL_SECONDS = 0.01


class PreparedProcess:
    """A process that waits, with modules imported, to be forked.

    Parameters
    ----------
    modules
        What it imports.
    setup
        ``module:function``, called before the imports; empty: nothing.
    """

    def __init__(self, modules: Sequence[str], setup: str = "") -> None:
        code = (
            "import sys; from neurodeploy.testing.prepared_process import serve; serve(sys.argv[1])"
        )
        said = json.dumps({"modules": list(modules), "setup": setup})
        self._server = subprocess.Popen(
            [sys.executable, "-c", code, said], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        atexit.register(self.close)

    def fork(self, function: str, *arguments: Any, **where: Any) -> Forked:
        """Call ``module:function`` with arguments (JSON) in a forked process.

        ``where``: ``cwd``, ``env`` (its whole environment), ``stdout`` and ``stderr`` (paths),
        ``new_session``.
        """
        asked = {"do": "fork", "function": function, "arguments": arguments, **where}
        return Forked(self, self.ask(asked))

    def ask(self, request: dict[str, Any]) -> Any:
        """One request, one answer."""
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.write(json.dumps(request).encode() + b"\n")
        self._server.stdin.flush()
        return json.loads(self._server.stdout.readline())

    def close(self) -> None:
        """End it."""
        assert self._server.stdin is not None
        self._server.stdin.close()
        self._server.wait()


class Forked:
    """What `subprocess.Popen` offers, of a forked process."""

    def __init__(self, server: PreparedProcess, pid: int) -> None:
        self._server = server
        self.pid = pid
        self.returncode: int | None = None
        self.stdin = self

    def poll(self) -> int | None:
        """Exit code (minus the signal that ended it); None while it runs."""
        if self.returncode is None:
            self.returncode = self._server.ask({"do": "poll", "pid": self.pid})
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            if timeout is not None and deadline is not None and time.monotonic() > deadline:
                raise subprocess.TimeoutExpired("a forked process", timeout)
            time.sleep(_POLL_SECONDS)
        return code

    def close(self) -> None:
        """Close its standard input."""
        self._server.ask({"do": "close", "pid": self.pid})

    def __enter__(self) -> Forked:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
        self.wait()


def serve(said: str) -> None:
    """The prepared process: imports, then forks as it is asked to, until its input ends."""
    prepared = json.loads(said)
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what an import prints is no answer
    if prepared["setup"]:
        _function(prepared["setup"])()
    for name in prepared["modules"]:
        importlib.import_module(name)
    inputs: dict[int, int] = {}
    while line := _line():
        request = json.loads(line)
        answer = None
        if request["do"] == "fork":
            read, write = os.pipe()
            answer = os.fork()
            if not answer:
                os.close(write)
                for other in inputs.values():
                    os.close(other)
                answers.close()
                _be(request, read)
            os.close(read)
            inputs[answer] = write
        elif request["do"] == "poll":
            pid, status = os.waitpid(request["pid"], os.WNOHANG)
            answer = os.waitstatus_to_exitcode(status) if pid else None
        elif request["pid"] in inputs:
            os.close(inputs.pop(request["pid"]))
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def _line() -> bytes:
    """A line of the standard input, unbuffered: nothing read ahead is left in a fork."""
    line = b""
    while not line.endswith(b"\n"):
        byte = os.read(0, 1)
        if not byte:
            return b""
        line += byte
    return line


def _function(name: str) -> Any:
    module, _, function = name.partition(":")
    return getattr(importlib.import_module(module), function)


def _be(request: dict[str, Any], read: int) -> None:
    """The forked process."""
    code = 1
    try:
        if request.get("new_session"):
            os.setsid()
        os.dup2(read, 0)
        os.close(read)
        for name, descriptor in (("stdout", 1), ("stderr", 2)):
            file = os.open(request[name], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            os.dup2(file, descriptor)
            os.close(file)
            stream = open(descriptor, "w", closefd=False, errors=getattr(sys, name).errors)  # noqa: SIM115
            setattr(sys, name, stream)
            setattr(sys, f"__{name}__", stream)
        os.chdir(request["cwd"])
        os.environ.clear()
        os.environ.update(request["env"])
        tempfile.tempdir = None  # TMPDIR may have changed
        _function(request["function"])(*request["arguments"])
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        for standard in (sys.stdout, sys.stderr):
            try:
                standard.flush()
            except (OSError, ValueError):
                code = code or 120  # as Python ends then
        os._exit(code)
