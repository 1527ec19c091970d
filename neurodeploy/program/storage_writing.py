"""The `.ndp` file, written; `storage` tells what it is.

It asks a program for its parts and does not import the class: `Program.save` stands on it.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from neurodeploy.files import write_atomically
from neurodeploy.program.manifest_writing import program_to

__all__ = ["MANIFEST", "SCHEMA", "SEAL_LENGTH", "save", "seal", "to_bytes"]

#: Version of the manifest. A reader refuses newer ones.
SCHEMA = 1
MANIFEST = "manifest.json"
_SEAL = b"sha256:"
SEAL_LENGTH = len(_SEAL) + 64
#: Bytes read at once to be summed up.
_PIECE = 2**22
_DATE = (1980, 1, 1, 0, 0, 0)


def _npy(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array(stream, np.ascontiguousarray(array), (1, 0), allow_pickle=False)
    return stream.getvalue()


def seal(data: bytes) -> bytes:
    return _SEAL + hashlib.sha256(data).hexdigest().encode()


def to_bytes(program: Any) -> bytes:
    """The `.ndp` file's content of a `Program`; equal programs give equal bytes."""
    stream = io.BytesIO()
    _write(program, stream)
    return stream.getvalue()


def _write(program: Any, stream: BinaryIO) -> None:
    """Write tensor by tensor to a file that is open to be written and read."""
    graph, tensors = program_to(program)
    told = {}
    for name, array in sorted(tensors.items()):
        data = _npy(array)
        told[f"{name}.npy"] = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    manifest = {"schema": SCHEMA, "program": graph, "tensors": told}
    text = json.dumps(manifest, sort_keys=True, indent=1, allow_nan=False).encode()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(_member(MANIFEST), text)
        for name, array in sorted(tensors.items()):
            archive.writestr(_member(f"{name}.npy"), _npy(array))
        archive.comment = b"." * SEAL_LENGTH
    stream.seek(-SEAL_LENGTH, io.SEEK_END)
    size = stream.tell()
    stream.seek(0)
    digest = hashlib.sha256()
    while size:
        piece = stream.read(min(size, _PIECE))
        digest.update(piece)
        size -= len(piece)
    stream.write(_SEAL + digest.hexdigest().encode())


def _member(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, _DATE)
    info.create_system = 3  # as on Unix everywhere: part of the bytes
    info.external_attr = 0o644 << 16
    return info


def save(program: Any, path: str | Path) -> None:
    """Write a program; the file is whole or not there.

    Raises
    ------
    StorageError
        The folder is missing, not writable, or the disk is full.
    """
    write_atomically(path, lambda stream: _write(program, stream))
