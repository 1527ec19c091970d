"""Samples and labels from `.npz` and `.npy` files, without pickle and within stated memory."""

from __future__ import annotations

import mmap
import zipfile
from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np

from neurodeploy.errors import DataError, NeuroDeployError
from neurodeploy.files import map_bytes
from neurodeploy.npy import HEADER_BYTES, read_header

__all__ = ["Samples", "load_samples"]

#: Largest array that is read into memory.
MAX_BYTES = 2**33
_REMEDY = "write it with numpy.savez(path, x=samples, y=labels)"


@dataclass(frozen=True)
class Samples:
    """Samples x (n, ...) and, where the file has them, labels y (n,)."""

    x: np.ndarray
    y: np.ndarray | None

    def limit(self, n: int | None) -> Samples:
        """The first n."""
        if n is None:
            return self
        return Samples(self.x[:n], None if self.y is None else self.y[:n])


def load_samples(path: str | Path, labels: bool = True) -> Samples:
    """Read `x` and, if there, `y` from a `.npz` file, or `x` alone from a `.npy` file.

    A `.npy` file is mapped: its samples are read when they are looked at and take no memory, so
    it may be of any size. The arrays are read-only.

    Parameters
    ----------
    labels
        Whether to look for `y`; what nobody needs may be of any form.

    Raises
    ------
    DataError
        Not such a file, no `x`, an object dtype, too large, damaged, or labels that do not fit.
    """
    place = str(path)
    try:
        data = map_bytes(path)
    except NeuroDeployError as error:
        raise DataError(error.message, place=place) from None
    if data[:6] == b"\x93NUMPY":
        return Samples(_samples(_array(data, len(data), place), place), None)
    try:
        with zipfile.ZipFile(path) as archive:
            sizes = {info.filename: info.file_size for info in archive.infolist()}
            for name in ("x.npy", "y.npy"):
                if archive.namelist().count(name) > 1:
                    raise DataError(f"holds {name} twice", place=place, remedy=_REMEDY)
            if "x.npy" not in sizes:
                held = ", ".join(sorted(sizes)[:10]) or "nothing"
                raise DataError(f"holds {held}, but no array x", place=place, remedy=_REMEDY)
            x = _member(archive, "x.npy", sizes, place)
            y = _member(archive, "y.npy", sizes, place) if labels and "y.npy" in sizes else None
    except (zipfile.BadZipFile, EOFError, OSError, RuntimeError, NotImplementedError) as error:
        raise DataError(
            f"not an .npz file ({str(error)[:200]})", place=place, remedy=_REMEDY
        ) from None
    except Exception as error:  # zlib.error and lzma's have no common base
        if isinstance(error, NeuroDeployError):
            raise
        raise DataError(f"damaged ({str(error)[:200]})", place=place, remedy=_REMEDY) from None
    x = _samples(x, place)
    if y is not None:
        y = _labels(y, x, place)
    return Samples(x, y)


def _samples(x: np.ndarray, place: str) -> np.ndarray:
    if x.ndim == 0:
        raise DataError("x is a single number, not samples", place=place, remedy=_REMEDY)
    return x


def _member(archive: zipfile.ZipFile, name: str, sizes: dict[str, int], place: str) -> np.ndarray:
    if sizes[name] > MAX_BYTES:
        raise DataError(
            f"{name} claims {sizes[name]} bytes (limit {MAX_BYTES})",
            place=place,
            remedy="split the samples over several files",
        )
    with archive.open(name) as stream:
        # never more than was claimed, whatever the compressed stream unfolds to
        return _array(stream.read(sizes[name] + 1), sizes[name], place)


def _array(data: bytes | mmap.mmap, size: int, place: str) -> np.ndarray:
    """The array of a `.npy` file whose header is held against the bytes that are there."""
    try:
        shape, fortran, dtype, begins = read_header(data[:HEADER_BYTES])
    except ValueError as error:
        raise DataError(f"not an array: {error}", place=place, remedy=_REMEDY) from None
    count = prod(shape)
    if len(data) != size or count * dtype.itemsize != size - begins:
        raise DataError("does not hold what its header says", place=place, remedy=_REMEDY)
    array = np.frombuffer(data, dtype, count, begins) if count else np.empty(0, dtype)
    return array.reshape(shape, order="F" if fortran else "C")


def _labels(y: np.ndarray, x: np.ndarray, place: str) -> np.ndarray:
    if y.dtype.kind not in "iu" or y.size != (x.shape[0] if x.ndim else 0):
        raise DataError(
            f"labels y are {y.dtype} {y.shape} for samples {x.shape}",
            place=place,
            remedy="give one whole number a sample, or leave y out",
        )
    return y.reshape(-1)
