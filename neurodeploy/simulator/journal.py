"""What of a long run is done, in a file: an interrupted run goes on where it was.

One line that says whose run it is, then a record for each range of consecutive samples: a line of
JSON, and the arrays of its result. Records are only appended, each with its checksum; what an
interruption left half-written at the end is cut off and computed again.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO
from zipfile import BadZipFile

import numpy as np

from neurodeploy.errors import StorageError
from neurodeploy.metrics.task import Task
from neurodeploy.program import Program
from neurodeploy.program.storage import to_bytes
from neurodeploy.simulator.result import Result
from neurodeploy.simulator.sources import code_checksum

__all__ = ["Journal", "run_of"]

#: What the first line of every journal begins with.
_MAGIC = b"neurodeploy journal 1 "
#: Bytes of a line, and of samples summed up at once.
_LINE, _PIECE = 2**20, 2**24
_PER_SAMPLE = ("spikes", "synaptic_operations")
_SUMS = ("wrapped", "clipped", "unsettled")
#: What two runs may differ in, and how it is told.
_TOLD = {
    "program": "another program",
    "samples": "other samples",
    "count": "another number of samples",
    "code": "another version of neurodeploy",
}


def run_of(program: Program, x: np.ndarray) -> dict[str, Any]:
    """What decides the result of a run: program, samples, and the code that runs them."""
    digest = hashlib.sha256(f"{x.dtype.str} {x.shape[1:]}".encode())
    step = max(1, _PIECE // max(1, x[:1].nbytes))
    for first in range(0, len(x), step):
        digest.update(np.ascontiguousarray(x[first : first + step]).data)
    return {
        "program": hashlib.sha256(to_bytes(program)).hexdigest(),
        "samples": digest.hexdigest(),
        "count": len(x),
        "code": code_checksum(),
    }


class Journal:
    """A journal that is open: used with ``with``; one run at a time.

    Parameters
    ----------
    path
        Made where it is missing.
    run
        Of `run_of`.
    task
        Of the results.
    warn
        Called where the end of the file was cut off.

    Raises
    ------
    StorageError
        It is of another run (which part differs is said), no journal, in use, or cannot be written.
    """

    def __init__(
        self, path: str | Path, run: Mapping[str, Any], task: Task, warn: Callable[[str], None]
    ) -> None:
        self._path, self._task = Path(path), task
        self.parts: dict[int, Result] = {}
        self._count = int(run["count"])
        try:
            self._stream: BinaryIO = open(self._path, "a+b")  # noqa: SIM115  closed by `close`
        except OSError as error:
            raise self._failed(f"cannot be written: {error.strerror}") from None
        try:
            self._lock()
            self._begin(run, warn)
        except BaseException:
            self._stream.close()
            raise

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stream.close()

    def add(self, first: int, part: Result) -> None:
        """Note the result of samples from `first` on; it is on disk when this returns."""
        arrays: dict[str, np.ndarray] = {"outputs": part.outputs}
        names = {}
        for what in _PER_SAMPLE:
            rows: dict[str, np.ndarray] = getattr(part, what)
            names[what] = list(rows)
            arrays[what] = np.array(list(rows.values()), np.int64).reshape(len(rows), part.samples)
        stream = io.BytesIO()
        np.savez_compressed(stream, allow_pickle=False, **arrays)  # type: ignore[arg-type]
        data = stream.getvalue()
        head = {
            "first": first,
            "samples": part.samples,
            "names": names,
            **{what: getattr(part, what) for what in _SUMS},
            "bytes": len(data),
        }
        line = json.dumps(head).encode()
        digest = hashlib.sha256(line + data).hexdigest().encode()
        try:
            self._stream.write(line + b"\n" + data + digest + b"\n")
            self._stream.flush()
            os.fsync(self._stream.fileno())
        except OSError as error:
            raise self._failed(f"cannot be written: {error.strerror}") from None
        self.parts[first] = part

    def gaps(self) -> list[range]:
        """Samples that are still to be run."""
        found, at = [], 0
        for first in sorted(self.parts):
            if first > at:
                found.append(range(at, first))
            at = first + self.parts[first].samples
        return [*found, range(at, self._count)] if at < self._count else found

    def result(self, seconds: float) -> Result:
        """That of the whole run, when there are no gaps."""
        return Result.join([self.parts[first] for first in sorted(self.parts)], seconds)

    def _failed(self, message: str, remedy: str = "") -> StorageError:
        return StorageError(message, place=str(self._path), remedy=remedy)

    def _lock(self) -> None:
        """Two runs would write into one another."""
        try:
            import fcntl
        except ImportError:  # not on Windows
            return
        try:
            fcntl.flock(self._stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise self._failed(
                "another run is writing to this journal", "wait for it, or name another file"
            ) from None

    def _begin(self, run: Mapping[str, Any], warn: Callable[[str], None]) -> None:
        """Read what is there, or write the first line."""
        self._stream.seek(0)
        line = self._stream.readline(_LINE)
        if not line:
            self._stream.write(_MAGIC + json.dumps(run, sort_keys=True).encode() + b"\n")
            self._stream.flush()
            return
        if not line.startswith(_MAGIC):
            raise self._failed("not a journal of a simulation", "name another file")
        try:
            known = json.loads(line[len(_MAGIC) :])
            differs = [told for name, told in _TOLD.items() if known[name] != run[name]]
        except (ValueError, KeyError, TypeError):
            raise self._failed("a damaged journal", "remove it, and run again") from None
        if differs:
            raise self._failed(
                f"the journal of another run: {', '.join(differs)}",
                "name another file, or remove it to begin anew",
            )
        good = self._stream.tell()
        for first, part in self._records():
            self.parts[first] = part
            good = self._stream.tell()
        self._stream.seek(0, io.SEEK_END)
        if self._stream.tell() > good:
            warn(f"{self._path}: its end is incomplete, and computed again")
            self._stream.truncate(good)

    def _records(self) -> Iterator[tuple[int, Result]]:
        """The records up to the first that is not whole."""
        while True:
            line = self._stream.readline(_LINE)
            try:
                head = json.loads(line)
                first, samples, size = (int(head[name]) for name in ("first", "samples", "bytes"))
                data = self._stream.read(size) if 0 <= size <= self._left() else b""
                digest = hashlib.sha256(line.rstrip(b"\n") + data).hexdigest().encode() + b"\n"
                if self._stream.read(len(digest)) != digest:
                    return
                part = self._part(head, data)
            except (ValueError, KeyError, TypeError, AttributeError, OSError, BadZipFile):
                return
            taken = any(
                k < first + samples and first < k + p.samples for k, p in self.parts.items()
            )
            if part.samples != samples or first + samples > self._count or taken or first < 0:
                return
            yield first, part

    def _left(self) -> int:
        return os.fstat(self._stream.fileno()).st_size - self._stream.tell()

    def _part(self, head: dict[str, Any], data: bytes) -> Result:
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            found: dict[str, Any] = {
                what: dict(zip(head["names"][what], arrays[what], strict=True))
                for what in _PER_SAMPLE
            }
            found["outputs"] = arrays["outputs"]
        for what in _SUMS:
            found[what] = {name: int(count) for name, count in head[what].items()}
        return Result(**found, task=self._task)
