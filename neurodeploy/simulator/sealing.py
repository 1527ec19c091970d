"""Compiled kernels on disk carry a checksum, so that a damaged one is compiled again.

Numba writes aside and renames, but a full disk, a crash of the machine or a copy may damage what
it wrote. It then unpickles whatever it finds and runs the machine code in it: an exception at
best. So the files of our kernels, and of nobody else's, end with a SHA-256 of the rest; what does
not fit it is taken for missing, compiled, and written anew.
"""

from __future__ import annotations

import contextlib
import hashlib
import pickle
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

from numba.core.caching import IndexDataCacheFile

__all__ = ["seal"]

_DIGEST_BYTES = 32
#: Of Numba's own class; a version that has others keeps its kernels as it likes.
_NEEDED = ("_load_index", "_save_index", "_load_data", "_save_data", "_dump", "_open_for_write")


def seal(modules: Iterable[ModuleType]) -> None:
    """Have the compiled functions of these modules keep their machine code under a checksum."""
    if not all(hasattr(IndexDataCacheFile, name) for name in _NEEDED):
        return
    for module in modules:
        for function in vars(module).values():
            kept = getattr(getattr(function, "_cache", None), "_cache_file", None)
            if type(kept) is IndexDataCacheFile:
                kept.__class__ = _SealedFile


class _SealedFile(IndexDataCacheFile):  # type: ignore[misc]
    """Numba's index and data files of one function, checked when they are read."""

    def _load_index(self) -> dict[Any, str]:
        with contextlib.suppress(OSError):
            version, stamp, overloads = pickle.loads(_unsealed(self._index_path))
            if version == self._version and stamp == self._source_stamp:
                return dict(overloads)
        return {}

    def _save_index(self, overloads: dict[Any, str]) -> None:
        self._write(self._index_path, (self._version, self._source_stamp, overloads))

    def _load_data(self, name: str) -> Any:
        return pickle.loads(_unsealed(self._data_path(name)))

    def _save_data(self, name: str, data: Any) -> None:
        self._write(self._data_path(name), data)

    def _write(self, path: str, content: Any) -> None:
        data = self._dump(content)
        # what cannot be kept is compiled again next time
        with contextlib.suppress(OSError), self._open_for_write(path) as stream:
            stream.write(data + hashlib.sha256(data).digest())


def _unsealed(path: str) -> bytes:
    """The content of a file; OSError, as for one that is missing, where it is damaged."""
    sealed = Path(path).read_bytes()
    data = sealed[:-_DIGEST_BYTES]
    if hashlib.sha256(data).digest() != sealed[-_DIGEST_BYTES:]:
        raise OSError("damaged")
    return data
