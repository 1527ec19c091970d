"""Files written whole or not at all, and read with their size known before memory is taken."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from neurodeploy.errors import StorageError

__all__ = ["read_bytes", "write_atomically"]


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
        if not path.exists():
            raise StorageError("no such file", place=str(path))
        if not path.is_file():
            raise StorageError("not a regular file", place=str(path))
        size = path.stat().st_size
        if size > limit:
            raise StorageError(f"{size} bytes, more than the {limit} allowed", place=str(path))
        return path.read_bytes()
    except OSError as error:
        raise StorageError(f"cannot be read: {error.strerror}", place=str(path)) from None
