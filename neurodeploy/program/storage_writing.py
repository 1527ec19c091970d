"""The `.ndp` file, written; `storage` tells what it is.

It asks a program for its parts and does not import the class: `Program.save` stands on it.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
import zlib
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from neurodeploy.files import write_atomically
from neurodeploy.program.manifest_writing import program_to

__all__ = [
    "MANIFEST",
    "PLAIN",
    "SCHEMA",
    "SEAL_LENGTH",
    "most_unpacked",
    "save",
    "seal",
    "to_bytes",
]

#: Version of the manifest. A reader refuses newer ones. Files without compressed tensors are of
#: the first, so that older readers take them.
SCHEMA, PLAIN = 2, 1
MANIFEST = "manifest.json"
_SEAL = b"sha256:"
SEAL_LENGTH = len(_SEAL) + 64
#: Bytes read at once to be summed up.
_PIECE = 2**22
_DATE = (1980, 1, 1, 0, 0, 0)
#: A tensor is compressed where that saves a quarter of pieces of it, and it is not short.
_PAYS, _SHORT, _TRIED = 0.75, 2**12, 2**16
_LEVEL = 6
#: What a file may unpack to, at most: so many bytes, and so many for each of its own.
_UNPACKED, _EACH = 2**26, 16


def _npy(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array(stream, np.ascontiguousarray(array), (1, 0), allow_pickle=False)
    return stream.getvalue()


def seal(data: bytes | memoryview) -> bytes:
    return _SEAL + hashlib.sha256(data).hexdigest().encode()


def to_bytes(program: Any) -> bytes:
    """The `.ndp` file's content of a `Program`; equal programs give equal bytes.

    With the same zlib, where tensors are compressed.
    """
    stream = io.BytesIO()
    _write(program, stream)
    return stream.getvalue()


def most_unpacked(size: int) -> int:
    """Bytes of all tensors of a file of `size` bytes, at most: readers refuse what claims more."""
    return _UNPACKED + _EACH * size


def _pays(data: bytes) -> bool:
    """Whether compression makes a tensor a good deal shorter, by two pieces of it."""
    if len(data) < _SHORT:
        return False
    middle = max(0, len(data) // 2 - _TRIED // 2)
    piece = data[:_TRIED] + (data[middle : middle + _TRIED] if middle >= _TRIED else b"")
    return len(zlib.compress(piece, 1)) < _PAYS * len(piece)


def _write(program: Any, stream: BinaryIO) -> None:
    """Write tensor by tensor to a file that is open to be written and read."""
    graph, tensors = program_to(program)
    told: dict[str, Any] = {}
    packed: set[str] = set()
    for name, array in sorted(tensors.items()):
        data = _npy(array)
        told[f"{name}.npy"] = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
        if _pays(data):
            packed.add(name)
    _write_members(graph, tensors, told, packed, stream)
    whole = sum(entry["bytes"] for entry in told.values())
    if packed and whole > most_unpacked(stream.seek(0, io.SEEK_END)):
        stream.seek(0)  # no reader would take so much out of so little
        stream.truncate()
        _write_members(graph, tensors, told, set(), stream)


def _write_members(
    graph: dict[str, Any],
    tensors: dict[str, np.ndarray],
    told: dict[str, Any],
    packed: set[str],
    stream: BinaryIO,
) -> None:
    manifest = {"schema": SCHEMA if packed else PLAIN, "program": graph, "tensors": told}
    text = json.dumps(manifest, sort_keys=True, indent=1, allow_nan=False).encode()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(_member(MANIFEST), text)
        for name, array in sorted(tensors.items()):
            way = zipfile.ZIP_DEFLATED if name in packed else zipfile.ZIP_STORED
            archive.writestr(_member(f"{name}.npy"), _npy(array), way, _LEVEL)
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
