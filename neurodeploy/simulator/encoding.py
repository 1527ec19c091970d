"""Samples to input messages; `docs/semantics.md`, section 1. Integers only, deterministic."""

from __future__ import annotations

import numpy as np

from neurodeploy.errors import DataError
from neurodeploy.program.bit_planes import split_levels
from neurodeploy.program.codec import Encoder
from neurodeploy.sample_shapes import shape_remedy

__all__ = ["check_samples", "encode", "levels"]


def check_samples(x: np.ndarray, shape: tuple[int, ...], place: str = "samples") -> np.ndarray:
    """The samples as (n, *shape), or a clear error.

    Parameters
    ----------
    x
        Any numeric dtype, (n, *shape); axes of size 1 may be missing or added, so (n, 28, 28)
        serves a network that reads (1, 28, 28).
    shape
        Shape of one sample.

    Raises
    ------
    DataError
        Not numeric, empty, of another shape, or holding NaN or infinity.
    """
    x = np.asarray(x)
    expected = "(n, " + ", ".join(map(str, shape)) + ")"
    if x.dtype.kind not in "fiu":
        raise DataError(
            f"dtype {x.dtype} is not numeric", place=place, remedy="store float32 or uint8"
        )
    if x.ndim < 1 or x.shape[0] == 0:
        raise DataError(f"no samples in an array of shape {x.shape}", place=place)
    squeezed = tuple(n for n in x.shape[1:] if n != 1)
    if squeezed != tuple(n for n in shape if n != 1):
        raise DataError(
            f"shape {x.shape} does not fit, the network reads {expected}",
            place=place,
            remedy=shape_remedy(x.shape, shape),
        )
    if x.dtype.kind == "f" and not _is_finite(x):
        raise DataError("NaN or infinity (in float32) among the samples", place=place)
    return x.reshape((x.shape[0], *shape))


def _is_finite(x: np.ndarray) -> bool:
    """Whether no value is NaN or infinite in float32; some samples at a time, for a mapped file
    may be larger than the memory."""
    rows = max(1, 2**20 // max(1, x[0].size))
    with np.errstate(over="ignore"):
        return all(
            np.isfinite(x[first : first + rows].astype(np.float32, copy=False)).all()
            for first in range(0, len(x), rows)
        )


def levels(encoder: Encoder, x: np.ndarray) -> np.ndarray:
    """The integer that each input stands for.

    Parameters
    ----------
    x
        Samples (n, *sample shape), integers (preprocessed here) or floats (network input).

    Returns
    -------
    int32 (n, inputs), ``clip(round_half_even((x - offset) / unit), low, high)``; with bit planes
    (n, lines), see `split_levels`.
    """
    real = encoder.preprocessing.apply(x).astype(np.float64).reshape(x.shape[0], -1)
    scaled = np.rint((real - encoder.input_offsets) / encoder.input_units)
    level = np.clip(scaled, encoder.low, encoder.high).astype(np.int32)
    if not encoder.bit_planes:
        return level
    return split_levels(level, encoder.bit_planes, encoder.input_shape[0])


def encode(
    encoder: Encoder, level: np.ndarray, steps: int, index: int, part: range | None = None
) -> np.ndarray:
    """Messages of one sample.

    Parameters
    ----------
    level
        int32 (inputs,), from `levels`.
    steps
        Length of the sample.
    index
        Position of the sample in its data set; the Poisson stream depends on seed and index
        only, so a split of the data changes nothing.
    part
        Only these steps (from 0) of the sample, one after the other; default: all.

    Returns
    -------
    int32 (steps, inputs): the payload at each step, 0 for no message.
    """
    part = range(steps) if part is None else part
    return encoder.code.encode(encoder, level, steps, index, part)
