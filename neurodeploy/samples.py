"""What a user passes as samples, as arrays: files, arrays, batches; never pickle, never a guess."""

from __future__ import annotations

import mmap
import os
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from neurodeploy.errors import DataError, NeuroDeployError
from neurodeploy.files import map_bytes
from neurodeploy.npy import HEADER_BYTES, read_header
from neurodeploy.sample_shapes import shape_remedy

__all__ = [
    "Samples",
    "array_names",
    "is_batched",
    "items_of",
    "load_arrays",
    "load_samples",
    "read_labels",
    "read_samples",
]

#: Largest array that is read into memory.
MAX_BYTES = 2**33
_REMEDY = "write it with numpy.savez(path, x=samples, y=labels)"
_TAKEN = "give an array, the path of an .npz or .npy file, or an iterable of batches"


@dataclass(frozen=True)
class Samples:
    """Samples and, where there are any, their labels.

    Attributes
    ----------
    x
        (n, ...): float32 as the model takes them, or integers such as uint8.
    y
        (n, ...), integers or floats as `metrics.labels` reads them; None without labels.
    """

    x: np.ndarray
    y: np.ndarray | None

    def limit(self, n: int | None) -> Samples:
        """The first ones.

        Parameters
        ----------
        n
            Number of samples; None: all.

        Returns
        -------
        Samples
            Views of the same arrays.
        """
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
    held = load_arrays(path, ("x", "y") if labels else ("x",), "x")
    x = _samples(held["x"], place)
    y = held.get("y")
    if y is not None:
        y = _labels(y, x, place)
    return Samples(x, y)


def array_names(path: str | Path) -> frozenset[str]:
    """Names of the arrays in a `.npz` file; empty where it is no such file."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError):
        return frozenset()
    return frozenset(name[:-4] for name in names if name.endswith(".npy"))


def load_arrays(path: str | Path, wanted: Iterable[str], needed: str = "") -> dict[str, np.ndarray]:
    """Those of some arrays that a `.npz` file has; never pickle, never more than it claims.

    Raises
    ------
    DataError
        Not such a file, an array twice, an object dtype, too large, damaged, or without `needed`.
    """
    place = str(path)
    try:
        with zipfile.ZipFile(path) as archive:
            sizes = {info.filename: info.file_size for info in archive.infolist()}
            members = [f"{name}.npy" for name in wanted]
            for name in members:
                if archive.namelist().count(name) > 1:
                    raise DataError(f"holds {name} twice", place=place, remedy=_REMEDY)
            if needed and f"{needed}.npy" not in sizes:
                held = ", ".join(sorted(sizes)[:10]) or "nothing"
                raise DataError(f"holds {held}, but no array {needed}", place=place, remedy=_REMEDY)
            return {
                name[:-4]: _member(archive, name, sizes, place) for name in members if name in sizes
            }
    except (zipfile.BadZipFile, EOFError, OSError, RuntimeError, NotImplementedError) as error:
        raise DataError(
            f"not an .npz file ({str(error)[:200]})", place=place, remedy=_REMEDY
        ) from None
    except Exception as error:  # zlib.error and lzma's have no common base
        if isinstance(error, NeuroDeployError):
            raise
        raise DataError(f"damaged ({str(error)[:200]})", place=place, remedy=_REMEDY) from None


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
    """Labels of as many samples; what they say is read where the outputs are known."""
    n = x.shape[0]
    if y.dtype.kind not in "biuf" or not (y.size == n or (y.ndim and len(y) == n and y.size)):
        raise DataError(
            f"labels y are {y.dtype} {y.shape} for samples {x.shape}",
            place=place,
            remedy="give labels (n, ...) for samples (n, ...): classes, one-hot rows, masks or "
            "numbers; or leave y out",
        )
    return y.reshape(-1) if y.size == n else y


def read_samples(
    given: Any,
    shape: tuple[int, ...],
    place: str = "samples",
    limit: int | None = None,
    labels: bool = False,
) -> Samples:
    """Whatever a user passes as samples, as an array (n, ...), not yet held against the shape.

    1. An array, or what makes itself one (a tensor, a data frame, nested lists of numbers).
    2. The path of a `.npz` or `.npy` file (`load_samples`), or a mapping with `x`.
    3. An iterable of batches (n, ...) or of single samples, each alone or with its labels, as
       data loaders yield them. No more of it is read than `limit` asks for.

    Parameters
    ----------
    shape
        Of one sample: tells a batch from a sample, and a pair of samples from one with labels.
    limit
        Only the first so many.
    labels
        Whether labels are wanted, where there are some.

    Raises
    ------
    DataError
        Anything else, by its type; batches of several kinds of numbers; more than 8 GiB.
    """
    if isinstance(given, Samples):
        return given.limit(limit)
    if isinstance(given, str | os.PathLike):
        return load_samples(os.fspath(given), labels).limit(limit)
    if isinstance(given, Mapping):
        if "x" not in given:
            raise DataError(f"a {_kind(given)} without x", place=place, remedy=_TAKEN)
        y = given["y"] if labels and "y" in given else None
        x = _as_array(given["x"], place)
        return Samples(x, None if y is None else _labels(_as_array(y, place), x, place)).limit(
            limit
        )
    if not _is_iterable(given):
        raise DataError(f"a {_kind(given)} is not samples", place=place, remedy=_TAKEN)
    if not is_batched(given):
        return Samples(_as_array(given, place)[slice(limit) if limit else ...], None)
    return _gathered(given, shape, place, limit, labels)


def is_batched(given: Any) -> bool:
    """Whether samples come one after the other, as a loader or a data set yields them."""
    if isinstance(given, Samples | Mapping | str | os.PathLike) or _is_array(given):
        return False
    if isinstance(given, list | tuple):
        return any(_is_array(item) or _holds_arrays(item) for item in given)
    return _is_iterable(given)


def items_of(given: Any) -> Iterator[Any]:
    """The items of a loader, a generator, or a data set that has a length and an index."""
    if hasattr(given, "__iter__"):
        return iter(given)
    return (given[index] for index in range(len(given)))


def _holds_arrays(item: Any) -> bool:
    """Whether it is a pair of samples and labels, or a mapping of them."""
    if isinstance(item, Mapping):
        return "x" in item
    return isinstance(item, list | tuple) and len(item) == 2 and _is_array(item[0])


def read_labels(given: Any, place: str = "labels") -> np.ndarray:
    """Whatever a user passes as labels, as one array: an array, a path, or batches of labels."""
    if isinstance(given, str | os.PathLike):
        held = load_samples(os.fspath(given))
        # an .npy file holds one array, which here is the labels
        if held.y is None and Path(given).suffix.lower() == ".npz":
            raise DataError("holds no array y", place=os.fspath(given), remedy=_REMEDY)
        return held.x if held.y is None else held.y
    if not _is_iterable(given):
        raise DataError(f"a {_kind(given)} is not labels", place=place, remedy=_TAKEN)
    if _is_array(given) or isinstance(given, list | tuple):
        return _as_array(given, place)
    parts = [np.atleast_1d(np.asarray(part)) for part in given]
    if not parts:
        raise DataError("an iterable without a batch", place=place, remedy=_TAKEN)
    return _as_array(np.concatenate(parts), place)


def _gathered(
    given: Iterable[Any],
    shape: tuple[int, ...],
    place: str,
    limit: int | None,
    labels: bool,
) -> Samples:
    """The batches of an iterable in one array."""
    xs: list[np.ndarray] = []
    ys: list[np.ndarray] = []
    held = 0
    for x, y in _batches(given, shape, place):
        if xs and x.dtype.kind != xs[0].dtype.kind:
            # floats are the network's input, integers are scaled: joined they would be neither
            raise DataError(
                f"batches of {xs[0].dtype} and of {x.dtype}",
                place=place,
                remedy="give all batches in one dtype",
            )
        xs.append(x)
        held += x.nbytes
        if held > MAX_BYTES:
            raise DataError(
                f"the batches hold more than {MAX_BYTES} bytes", place=place, remedy="set a limit"
            )
        if y is not None and labels:
            ys.append(np.atleast_1d(y))
        if limit is not None and sum(map(len, xs)) >= limit:
            break
    if not xs:
        raise DataError("an iterable without a batch", place=place, remedy=_TAKEN)
    joined = np.concatenate(xs)
    if not ys:
        return Samples(joined, None).limit(limit)
    return Samples(joined, _labels(np.concatenate(ys), joined, place)).limit(limit)


def _batches(
    given: Iterable[Any], shape: tuple[int, ...], place: str
) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
    """Each item as a batch (n, *shape) with the labels that came with it."""
    for index, item in enumerate(items_of(given)):
        where = f"{place}: batch {index}"
        y = None
        if isinstance(item, Mapping) and "x" in item:
            item, y = item["x"], item.get("y")
        elif _is_pair(item, shape):
            item, y = item
        if not _is_iterable(item) or isinstance(item, str | bytes | Mapping):
            raise DataError(f"a {_kind(item)} is not a batch", place=where, remedy=_TAKEN)
        x = _as_array(item, where)
        if not _fits(x.shape, shape):
            raise DataError(
                f"shape {x.shape} is neither a batch nor a sample of what the network reads, "
                f"{shape}",
                place=where,
                remedy=shape_remedy(x.shape, shape),
            )
        yield x.reshape(-1, *shape), None if y is None else _as_array(np.atleast_1d(y), where)


def _is_pair(item: Any, shape: tuple[int, ...]) -> bool:
    """Whether it is samples with their labels, and not two samples."""
    if not isinstance(item, list | tuple) or len(item) != 2:
        return False
    first, second = (_shape(part) for part in item)
    return _is_array(item[0]) and _fits(first, shape) and not _fits(second, shape)


def _shape(value: Any) -> tuple[int, ...]:
    """The shape of an array or a number; of anything else one that fits nothing."""
    return tuple(getattr(value, "shape", () if np.isscalar(value) else (0,)))


def _fits(found: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    """Whether it is the shape of a sample or of a batch, but for axes of size 1."""
    bare = tuple(n for n in shape if n != 1)
    return any(
        tuple(n for n in part if n != 1) == bare and prod(part) == prod(shape)
        for part in (found, found[1:])
    )


def _is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray) or hasattr(value, "__array__")


def _is_iterable(value: Any) -> bool:
    """Whether there may be samples in it; texts, bytes and messages of protobuf have none."""
    if isinstance(value, str | bytes | bytearray):
        return False
    return _is_array(value) or hasattr(value, "__iter__") or _is_sequence(value)


def _is_sequence(value: Any) -> bool:
    """Whether it has a length and items by index, as the data sets of torch do."""
    return hasattr(value, "__len__") and hasattr(value, "__getitem__")


def _kind(value: Any) -> str:
    """The name of a type, short whatever the value is."""
    return type(value).__name__


def _as_array(value: Any, place: str) -> np.ndarray:
    if np.ma.is_masked(value):
        raise DataError(
            "a masked array: what lies under the mask would count",
            place=place,
            remedy="fill it (x.filled(value)), or leave those samples out",
        )
    if hasattr(value, "detach") and hasattr(value, "cpu"):  # a tensor: NumPy takes no other
        value = value.detach().cpu()
    try:
        array = np.asarray(value)
    except Exception as error:  # ragged lists, tensors on a device or with a gradient
        told = (str(error).splitlines() or [_kind(error)])[0][:200]
        raise DataError(
            f"a {_kind(value)} that is no array ({told})", place=place, remedy=_TAKEN
        ) from None
    if array.dtype.kind in "OSUV" or array.ndim == 0:
        raise DataError(f"a {_kind(value)} is not an array of numbers", place=place, remedy=_TAKEN)
    return array
