"""Files written whole or not at all, and read with their size known before memory is taken."""

from __future__ import annotations

import mmap
import os
import tempfile
from pathlib import Path

from neurodeploy.errors import StorageError, UsageError

__all__ = ["check_output", "map_bytes", "read_bytes", "write_atomically"]


def write_atomically(path: str | Path, data: bytes) -> None:
    """Write aside, flush to disk, then rename: `path` is old or new, never half.

    A link is followed; a device or pipe is written to, not replaced.

    Raises
    ------
    StorageError
        The folder is missing or read-only, or the disk is full. Nothing is left behind.
    """
    path = Path(os.path.realpath(path))
    temporary = None
    try:
        if path.exists() and not path.is_file():
            with open(path, "wb") as stream:
                stream.write(data)
            return
        descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)  # mkstemp's 0600 is meant for secrets
        os.replace(temporary, path)
        temporary = None
    except OSError as error:
        raise StorageError(
            f"cannot be written: {error.strerror or error}",
            place=str(path),
            remedy="free some space, or name a folder that exists and is writable",
        ) from None
    finally:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)


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
