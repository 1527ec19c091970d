"""Labelled images for training: a folder of MNIST's files, or of `train.npz` and `test.npz`."""

from __future__ import annotations

import gzip
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from neurodeploy.errors import DataError
from neurodeploy.samples import load_arrays

__all__ = ["Images", "read_images"]

_IDX = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}


@dataclass(frozen=True)
class Images:
    """uint8 images (n, C, H, W) and int64 labels (n,), to train with and to test with."""

    train_x: np.ndarray
    train_y: np.ndarray
    test_x: np.ndarray
    test_y: np.ndarray

    def limited(self, train: int | None, test: int | None = None) -> Images:
        """The first so many of each."""
        return replace(
            self,
            train_x=self.train_x[:train],
            train_y=self.train_y[:train],
            test_x=self.test_x[:test],
            test_y=self.test_y[:test],
        )


def read_images(folder: Path) -> Images:
    """The images of a folder.

    1. ``train-images-idx3-ubyte`` and the other three files of MNIST and Fashion-MNIST, as they are
       or gzipped (the Debian package `dataset-fashion-mnist` has them in
       ``/usr/share/datasets/fashion-mnist``).
    2. ``train.npz`` and ``test.npz`` of ``x``, uint8 (n, H, W), (n, C, H, W) or (n, H, W, 3), and
       ``y``.

    Raises
    ------
    DataError
        The folder has neither, or a file that is off.
    """
    if (folder / "train.npz").exists():
        parts = [_of_npz(folder / f"{part}.npz") for part in ("train", "test")]
    else:
        parts = [_of_idx(folder, *_IDX[part]) for part in ("train", "test")]
    (train_x, train_y), (test_x, test_y) = parts
    if train_x.shape[1:] != test_x.shape[1:]:
        raise DataError(
            f"images {train_x.shape[1:]} to train with and {test_x.shape[1:]} to test with",
            place=str(folder),
        )
    return Images(train_x, train_y, test_x, test_y)


def _of_npz(path: Path) -> tuple[np.ndarray, np.ndarray]:
    arrays = load_arrays(path, ("x", "y"))
    missing = {"x", "y"} - set(arrays)
    if missing:
        raise DataError(f"has no array {missing.pop()!r}", place=str(path))
    return _checked(arrays["x"], arrays["y"], path)


def _of_idx(folder: Path, images: str, labels: str) -> tuple[np.ndarray, np.ndarray]:
    return _checked(_read_idx(folder, images), _read_idx(folder, labels), folder / images)


def _read_idx(folder: Path, name: str) -> np.ndarray:
    """An IDX file of unsigned bytes, gzipped or not."""
    for path in (folder / f"{name}.gz", folder / name):
        if path.exists():
            break
    else:
        raise DataError(
            f"there is neither train.npz nor {name}.gz",
            place=str(folder),
            remedy="name a folder of images with --data: the Debian package dataset-fashion-mnist "
            "has one, /usr/share/datasets/fashion-mnist",
        )
    raw = path.read_bytes()
    try:
        raw = gzip.decompress(raw) if path.suffix == ".gz" else raw
        if len(raw) < 4 or raw[:3] != b"\0\0\x08":
            raise ValueError("no IDX file of unsigned bytes")
        shape = np.frombuffer(raw, ">u4", count=raw[3], offset=4).astype(np.int64)
        return np.frombuffer(raw, np.uint8, offset=4 + 4 * raw[3]).reshape(shape).copy()
    except (EOFError, OSError, ValueError) as error:
        raise DataError(f"cannot be read: {error}", place=str(path)) from error


def _checked(x: np.ndarray, y: np.ndarray, path: Path) -> tuple[np.ndarray, np.ndarray]:
    if x.ndim == 4 and x.shape[-1] == 3 != x.shape[1]:
        x = x.transpose(0, 3, 1, 2)
    x = x[:, None] if x.ndim == 3 else x
    if x.dtype != np.uint8 or x.ndim != 4 or y.shape != x.shape[:1] or y.dtype.kind not in "iu":
        raise DataError(
            f"images {x.dtype} {x.shape} and labels {y.dtype} {y.shape} are no uint8 (n, C, H, W) "
            "with a whole number each",
            place=str(path),
        )
    return np.ascontiguousarray(x), y.astype(np.int64)
