"""Images to train on: `.npz` files, or Fashion-MNIST's IDX files of Debian's package."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np

from neurodeploy.samples import load_samples
from neurodeploy.training.fostdgd.inputs import Encoding, TrainingSamples

__all__ = ["FASHION", "images", "read_idx"]

#: Of the Debian package dataset-fashion-mnist.
FASHION = Path("/usr/share/datasets/fashion-mnist")


def read_idx(path: Path) -> np.ndarray:
    """A gzipped IDX file of unsigned bytes, the format of MNIST's files."""
    raw = gzip.decompress(path.read_bytes())
    rank = raw[3]
    shape = np.frombuffer(raw, ">u4", count=rank, offset=4)
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * rank).reshape(shape)


def images(source: Path, split: str, encoding: Encoding, steps: int) -> TrainingSamples:
    """Flat images of an `.npz` (x, y), or of a folder of IDX files.

    Parameters
    ----------
    split
        ``train`` or ``t10k``: which of a folder's files.
    """
    if source.is_dir():
        x = read_idx(source / f"{split}-images-idx3-ubyte.gz")
        y = read_idx(source / f"{split}-labels-idx1-ubyte.gz")
    else:
        samples = load_samples(source)
        x, y = samples.x, samples.y
        if y is None:
            raise SystemExit(f"{source}: no labels y")
    flat = np.ascontiguousarray(x.reshape(len(x), -1))
    return TrainingSamples(flat, y.astype(np.int64), encoding, steps)
