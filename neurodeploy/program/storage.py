"""The `.ndp` file: a zip of `manifest.json` and one `.npy` a tensor, sealed by a checksum.

The bytes depend on the program alone: members in a fixed order, dated 1980; tensors that get a good
deal shorter are compressed (schema 2), all others stored. The zip's comment is the SHA-256 of
everything before it, so any changed byte shows. Read with NumPy and the standard library; pickle
never. A member's size is checked against the file before memory is taken. Large files are mapped:
weights that are stored stay in the file until somebody looks at them.
"""

from __future__ import annotations

import hashlib
import io
import json
import mmap
import os
import zipfile
import zlib
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from neurodeploy.errors import NeuroDeployError, StorageError, shown
from neurodeploy.files import BufferFile, map_bytes, read_bytes
from neurodeploy.npy import HEADER_BYTES, read_header
from neurodeploy.program.manifest_reading import program_from
from neurodeploy.program.program import Program
from neurodeploy.program.storage_writing import (
    MANIFEST,
    PLAIN,
    SCHEMA,
    SEAL_LENGTH,
    most_unpacked,
    save,
    seal,
    to_bytes,
)

__all__ = ["SCHEMA", "from_bytes", "load", "save", "to_bytes"]

#: Bytes of a manifest; each of its values takes some thirty times as much in memory.
_MANIFEST_BYTES = 2**24
#: Files from so many bytes on are mapped.
_MAPPED = 2**26
#: Bytes of a zip's local header before the member's name.
_LOCAL_HEADER = 30
_AGAIN = "copy the file again, or compile the model again"


def load(path: str | Path) -> Program:
    """Read a program and check every part of it.

    A large file must not be overwritten in place while its program is in use; `save` replaces it
    as a whole.

    Parameters
    ----------
    path
        Of the ``.ndp`` file.

    Returns
    -------
    Program

    Raises
    ------
    StorageError
        Missing, truncated, altered, of a newer schema, or with a tensor missing.
    """
    data: bytes | mmap.mmap = b""
    if os.name == "posix":  # elsewhere a file that is mapped cannot be replaced
        data = map_bytes(path)
    if len(data) < _MAPPED:
        data = read_bytes(path)
    return from_bytes(data, str(path))


def from_bytes(data: bytes | mmap.mmap, place: str) -> Program:
    """The program of a `.ndp` file's content; `place` names it in errors, which are `load`'s."""
    try:
        with zipfile.ZipFile(io.BufferedReader(BufferFile(data))) as archive:
            members = _members(archive, len(data), place)
            manifest = _manifest(archive, members, place)
            tensors = {}
            missing = sorted(set(manifest["tensors"]) - set(members))
            if missing:
                raise StorageError(f"tensor {missing[0]} is missing", place=place)
            content = memoryview(data)
            if content[-SEAL_LENGTH:] != seal(content[:-SEAL_LENGTH]):
                raise StorageError(
                    "the checksum does not match: the file was altered or damaged",
                    place=place,
                    remedy="copy it again, or compile the model again",
                )
            for name in manifest["tensors"]:
                read = _read(archive, members[name], content)
                if hashlib.sha256(read).hexdigest() != manifest["tensors"][name]["sha256"]:
                    raise StorageError(f"tensor {name} was altered", place=place)
                tensors[name.removesuffix(".npy")] = _array(read, name, place)
        return program_from(manifest["program"], tensors)
    except NeuroDeployError as error:
        if isinstance(error, StorageError):
            raise
        where = f"{place}: {error.place}" if error.place else place
        raise StorageError(error.message, place=where, remedy=error.remedy) from None
    except (
        zipfile.BadZipFile,
        KeyError,
        TypeError,
        ValueError,
        AttributeError,
        IndexError,
        EOFError,
        RuntimeError,
        NotImplementedError,
        OverflowError,
        RecursionError,
        zlib.error,
    ) as error:
        raise StorageError(
            f"not a program, or a damaged one ({type(error).__name__}: {str(error)[:200]})",
            place=place,
            remedy="name a .ndp file that `neurodeploy compile` wrote",
        ) from None


def _members(archive: zipfile.ZipFile, size: int, place: str) -> dict[str, zipfile.ZipInfo]:
    """Members by name, each once; all that they unpack to is in proportion to the file."""
    members: dict[str, zipfile.ZipInfo] = {}
    for info in archive.infolist():
        if info.filename in members:
            raise StorageError(f"two members are called {info.filename!r}", place=place)
        stored = info.compress_type == zipfile.ZIP_STORED
        packed = info.compress_type == zipfile.ZIP_DEFLATED and info.filename != MANIFEST
        if not (stored or packed) or (stored and info.file_size > size):
            raise StorageError(f"member {info.filename!r} is not stored plainly", place=place)
        members[info.filename] = info
    if sum(info.file_size for info in members.values()) > most_unpacked(size):
        raise StorageError("its tensors claim far more than its bytes hold", place=place)
    return members


def _read(archive: zipfile.ZipFile, info: zipfile.ZipInfo, data: memoryview) -> Any:
    """A member's bytes: where they lie, if they are stored; else unpacked."""
    if info.compress_type != zipfile.ZIP_STORED:
        return archive.read(info)
    with archive.open(info):  # holds the local header against the directory
        pass
    head = data[info.header_offset : info.header_offset + _LOCAL_HEADER]
    name, extra = (int.from_bytes(head[at : at + 2], "little") for at in (26, 28))
    begins = info.header_offset + _LOCAL_HEADER + name + extra
    if begins + info.file_size > len(data):
        raise EOFError("a member ends behind the file")
    return data[begins : begins + info.file_size]


def _manifest(
    archive: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo], place: str
) -> dict[str, Any]:
    if MANIFEST not in members:
        raise StorageError("not a program: it has no manifest.json", place=place)
    if members[MANIFEST].file_size > _MANIFEST_BYTES:
        raise StorageError(
            f"manifest.json has {members[MANIFEST].file_size} bytes; "
            f"the limit is {_MANIFEST_BYTES}",
            place=place,
        )
    manifest = json.loads(archive.read(members[MANIFEST]))
    schema = manifest["schema"]
    if type(schema) is int and schema > SCHEMA:
        raise StorageError(
            f"written by a newer neurodeploy (schema {shown(schema)}, this one reads up to "
            f"{SCHEMA})",
            place=place,
            remedy="upgrade neurodeploy, or compile the model again with this version",
        )
    if schema not in (PLAIN, SCHEMA) or type(schema) is not int:
        raise StorageError(f"schema {shown(schema)} is unknown", place=place)
    for name, info in members.items():
        if info.compress_type != zipfile.ZIP_STORED and schema == PLAIN:
            raise StorageError(f"member {name!r} is not stored plainly", place=place)
    return manifest


def _array(content: bytes | memoryview, name: str, place: str) -> np.ndarray:
    """The array in a `.npy` file; its header is held against the bytes that are there."""
    try:
        shape, fortran, dtype, begins = read_header(bytes(content[:HEADER_BYTES]))
    except ValueError as error:
        raise StorageError(f"tensor {name}: {error}", place=place, remedy=_AGAIN) from None
    if fortran or prod(shape) * dtype.itemsize != len(content) - begins:
        raise StorageError(
            f"tensor {name} does not hold what its header says", place=place, remedy=_AGAIN
        )
    return np.frombuffer(content, dtype, offset=begins).reshape(shape)
