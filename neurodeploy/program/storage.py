"""The `.ndp` file: a zip of `manifest.json` and one `.npy` a tensor, sealed by a checksum.

The bytes depend on the program alone: members in a fixed order, stored uncompressed, dated
1980. The zip's comment is the SHA-256 of everything before it, so any changed byte shows.
Read with NumPy and the standard library; pickle never. A member's size is checked against
the file before memory is taken.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from neurodeploy.errors import NeuroDeployError, StorageError, shown
from neurodeploy.files import read_bytes
from neurodeploy.npy import read_header
from neurodeploy.program.manifest_reading import program_from
from neurodeploy.program.program import Program
from neurodeploy.program.storage_writing import MANIFEST, SCHEMA, SEAL_LENGTH, save, seal, to_bytes

__all__ = ["SCHEMA", "from_bytes", "load", "save", "to_bytes"]

#: Bytes of a manifest; each of its values takes some thirty times as much in memory.
_MANIFEST_BYTES = 2**24
_AGAIN = "copy the file again, or compile the model again"


def load(path: str | Path) -> Program:
    """Read a program and check every part of it.

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
    return from_bytes(read_bytes(path), str(path))


def from_bytes(data: bytes, place: str) -> Program:
    """The program of a `.ndp` file's content; `place` names it in errors, which are `load`'s."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = _members(archive, len(data), place)
            manifest = _manifest(archive, members, place)
            tensors = {}
            missing = sorted(set(manifest["tensors"]) - set(members))
            if missing:
                raise StorageError(f"tensor {missing[0]} is missing", place=place)
            if data[-SEAL_LENGTH:] != seal(data[:-SEAL_LENGTH]):
                raise StorageError(
                    "the checksum does not match: the file was altered or damaged",
                    place=place,
                    remedy="copy it again, or compile the model again",
                )
            for name in manifest["tensors"]:
                content = archive.read(members[name])
                if hashlib.sha256(content).hexdigest() != manifest["tensors"][name]["sha256"]:
                    raise StorageError(f"tensor {name} was altered", place=place)
                tensors[name.removesuffix(".npy")] = _array(content, name, place)
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
    ) as error:
        raise StorageError(
            f"not a program, or a damaged one ({type(error).__name__}: {str(error)[:200]})",
            place=place,
            remedy="name a .ndp file that `neurodeploy compile` wrote",
        ) from None


def _members(archive: zipfile.ZipFile, size: int, place: str) -> dict[str, zipfile.ZipInfo]:
    """Members by name; only stored ones, each once, none larger than the file itself."""
    members: dict[str, zipfile.ZipInfo] = {}
    for info in archive.infolist():
        if info.filename in members:
            raise StorageError(f"two members are called {info.filename!r}", place=place)
        if info.compress_type != zipfile.ZIP_STORED or info.file_size > size:
            raise StorageError(f"member {info.filename!r} is not stored plainly", place=place)
        members[info.filename] = info
    return members


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
    if schema != SCHEMA:
        raise StorageError(f"schema {shown(schema)} is unknown", place=place)
    return manifest


def _array(content: bytes, name: str, place: str) -> np.ndarray:
    """The array in a `.npy` file; its header is held against the bytes that are there."""
    try:
        shape, fortran, dtype, begins = read_header(content)
    except ValueError as error:
        raise StorageError(f"tensor {name}: {error}", place=place, remedy=_AGAIN) from None
    if fortran or prod(shape) * dtype.itemsize != len(content) - begins:
        raise StorageError(
            f"tensor {name} does not hold what its header says", place=place, remedy=_AGAIN
        )
    return np.frombuffer(content, dtype, offset=begins).reshape(shape)
