"""Samples to input messages; `docs/semantics.md`, section 1. Integers only, deterministic."""

from __future__ import annotations

from math import prod

import numpy as np

from neurodeploy.errors import DataError
from neurodeploy.program.codec import PROBABILITY_ONE, Encoder
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
    int32 (n, inputs), ``clip(round_half_even((x - offset) / unit), low, high)``.
    """
    real = encoder.preprocessing.apply(x).astype(np.float64).reshape(x.shape[0], -1)
    scaled = np.rint((real - encoder.offset) / encoder.unit)
    return np.clip(scaled, encoder.low, encoder.high).astype(np.int32)


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
    if encoder.encoding == "current":
        return np.broadcast_to(level, (len(part), level.size))
    step = np.arange(part.start, part.stop + 1)[:, None]
    if encoder.encoding == "ttfs":
        # level x is one spike, x steps before the window's end
        return (steps - step[:-1] == level).astype(np.int32)
    magnitude = np.abs(level).astype(np.int64)
    sign = np.sign(level)
    if encoder.encoding == "deterministic":
        # the n-th spike comes as soon as the accumulated rate reaches n - 1/2
        count = step * magnitude + PROBABILITY_ONE // 2
        count //= PROBABILITY_ONE
        sends = count[1:] > count[:-1]
    else:
        sends = _draws(encoder.seed, index, part, prod(encoder.shape)) < magnitude
    return np.where(sends, sign, 0).astype(np.int32, copy=False)


def _draws(seed: int, index: int, part: range, inputs: int) -> np.ndarray:
    """Uniform 16-bit integers (steps, inputs) of a counter-based generator (Philox 4x64)."""
    generator = np.random.Philox(key=np.array([seed, index], np.uint64))
    # one count of the generator gives 4 words of 64 bit: 16 draws
    counts, skipped = divmod(part.start * inputs, 16)
    generator.advance(counts)
    wanted = len(part) * inputs
    raw = generator.random_raw(-(-(skipped + wanted) // 4)).astype("<u8", copy=False)
    return raw.view("<u2")[skipped : skipped + wanted].reshape(len(part), inputs)
