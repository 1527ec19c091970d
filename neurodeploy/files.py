"""Files written whole or not at all, and read with their size known before memory is taken."""

from __future__ import annotations

import io
import mmap
import os
import secrets
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

from neurodeploy.errors import StorageError, UsageError

__all__ = [
    "BufferFile",
    "check_output",
    "map_bytes",
    "read_bytes",
    "write_arrays",
    "write_atomically",
]


#: Written at once; between two such pieces a signal ends the writing.
_PIECE = 2**22
_ENDING = (signal.SIGTERM, signal.SIGINT)


class _Interrupted(Exception):
    """A signal came that ends the process."""


@contextmanager
def _signals_held() -> Iterator[list[int]]:
    """Signals that end the process are noted inside, and take effect behind.

    So what stands beside a file that is being written is removed whatever moment they come at.
    In threads other than the main one Python does not handle signals, and nothing is held.
    """
    noted: list[int] = []
    before = {}
    if threading.current_thread() is threading.main_thread():
        for number in _ENDING:
            # one that is ignored stays so; one that is not Python's could not be put back
            if signal.getsignal(number) not in (None, signal.SIG_IGN):
                before[number] = signal.signal(number, lambda n, _: noted.append(n))
    try:
        yield noted
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for came in noted:
            signal.raise_signal(came)


def write_atomically(path: str | Path, data: bytes | Callable[[BinaryIO], None]) -> None:
    """Write aside, flush to disk, then rename: `path` is old or new, never half.

    Large files are written piece by piece: `data` may be called with a file, open to be written
    and read, and writes what it likes.

    A link is followed; a device or pipe is written to, not replaced. SIGTERM and SIGINT leave
    nothing behind.

    Raises
    ------
    StorageError
        The folder is missing or read-only, or the disk is full. Nothing is left behind.
    """
    path = Path(os.path.realpath(path))
    try:
        if path.exists() and not path.is_file():
            with open(path, "wb") as stream:
                stream.write(data if isinstance(data, bytes) else _in_memory(data))
            return
        with _signals_held() as signals:
            _write_aside(path, data, signals)
    except _Interrupted:
        # whoever handles the signal goes on
        raise StorageError("was not written: a signal came", place=str(path)) from None
    except OSError as error:
        raise StorageError(
            f"cannot be written: {error.strerror or error}",
            place=str(path),
            remedy="free some space, or name a folder that exists and is writable",
        ) from None


def write_arrays(path: str | Path, **arrays: Any) -> None:
    """Write arrays as a compressed `.npz`, whole or not at all; as `write_atomically`."""
    import numpy as np  # not at the start of every command

    write_atomically(path, lambda stream: np.savez_compressed(stream, **arrays))


def _in_memory(write: Callable[[BinaryIO], None]) -> bytes:
    """What is written, for a pipe, in which nothing can be looked up again."""
    stream = io.BytesIO()
    write(stream)
    return stream.getvalue()


class _Interruptible(io.FileIO):
    """A file whose writing ends when a signal has come."""

    signals: list[int]

    def write(self, data: Any, /) -> int:
        """All of it, in pieces."""
        pieces = memoryview(data).cast("B")
        for begin in range(0, len(pieces), _PIECE):
            left = pieces[begin : begin + _PIECE]
            while left:
                left = left[super().write(left) :]
            if self.signals:
                raise _Interrupted
        return len(pieces)


def _write_aside(path: Path, data: bytes | Callable[[BinaryIO], None], signals: list[int]) -> None:
    """Write a file of another name in the same folder, then rename it."""
    # the name is known before the file is there, so there is no moment at which it could be left
    stem = path.name.encode()[:200].decode(errors="ignore")  # of 255 bytes that a name may have
    temporary = path.with_name(f".{stem}.{secrets.token_hex(4)}")
    try:
        with _Interruptible(temporary, "x+") as stream:
            stream.signals = signals
            if isinstance(data, bytes):
                stream.write(data)
            else:
                data(cast(BinaryIO, stream))
            os.fsync(stream.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def read_bytes(path: str | Path, limit: int = 2**33) -> bytes:
    """The whole file, refused if missing, not a regular file, or above `limit` bytes."""
    path = Path(path)
    try:
        size = _size(path)
        if size > limit:
            raise StorageError(f"{size} bytes, more than the {limit} allowed", place=str(path))
        return path.read_bytes()
    except OSError as error:
        raise StorageError(f"cannot be read: {error.strerror}", place=str(path)) from None


def map_bytes(path: str | Path) -> mmap.mmap | bytes:
    """The whole file as a buffer that the system reads where it is looked at, and drops again.

    However large it is, no memory is taken. Whoever shortens the file meanwhile ends the process.
    Refused: files that are missing or not regular.
    """
    path = Path(path)
    try:
        if _size(path) == 0:  # cannot be mapped
            return b""
        with open(path, "rb") as stream:
            return mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
    except OSError as error:
        raise StorageError(f"cannot be read: {error.strerror}", place=str(path)) from None


class BufferFile(io.RawIOBase):
    """A buffer as a file to be read: nothing of it is copied but what is asked for."""

    def __init__(self, data: bytes | mmap.mmap) -> None:
        self._data, self._at = memoryview(data), 0

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """See `io.IOBase.seek`."""
        begins = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: len(self._data)}[whence]
        if begins + offset < 0:
            raise ValueError(f"no place {begins + offset} in a file")
        self._at = begins + offset
        return self._at

    def tell(self) -> int:
        """See `io.IOBase.tell`."""
        return self._at

    def readinto(self, buffer: Any) -> int:
        """See `io.RawIOBase.readinto`."""
        piece = self._data[self._at : self._at + len(buffer)]
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)


def _size(path: Path) -> int:
    """Bytes of a regular file."""
    if not path.exists():
        raise StorageError("no such file", place=str(path))
    if not path.is_file():
        raise StorageError("not a regular file", place=str(path))
    return path.stat().st_size


def check_output(path: str | Path, *inputs: str | Path | None) -> None:
    """Refuse, before any work, an output that cannot be written or would destroy an input.

    Raises
    ------
    UsageError
        It is one of the inputs, an existing folder, or in a folder that does not exist.
    """
    path = Path(path)
    if path.is_dir():
        raise UsageError("is a folder; name a file", place=str(path))
    if not path.parent.is_dir():
        raise UsageError(f"there is no folder {path.parent}", place=str(path))
    there = [Path(source) for source in inputs if source is not None and Path(source).exists()]
    if path.exists() and any(os.path.samefile(path, source) for source in there):
        raise UsageError("would overwrite an input", place=str(path), remedy="name another file")
