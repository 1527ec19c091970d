"""Random synapses: all kinds that a compiler makes, and some that none would."""

from __future__ import annotations

from dataclasses import replace
from math import prod
from typing import Any

import numpy as np

from neurodeploy.lava.layout import row_bound
from neurodeploy.network import Conv
from neurodeploy.network.matrix import as_matrix
from neurodeploy.program import Convolution, Dense, Sparse, Synapses

__all__ = ["between", "chance", "convolution", "flat", "identity", "one_of", "volume", "within"]

Shape = tuple[int, ...]
#: Output channels of large convolutions: those that vectors are made for, and others.
_CHANNELS = (16, 32, 48, 64, 5, 17, 33)


def chance(rng: np.random.Generator, probability: float) -> bool:
    """Whether something happens this time."""
    return bool(rng.random() < probability)


def one_of(rng: np.random.Generator, *choices: Any) -> Any:
    """One of them; Python objects stay what they are."""
    return choices[int(rng.integers(len(choices)))]


def convolution(rng: np.random.Generator, source: Shape, wide: bool = False) -> Convolution:
    """Any that reads maps of shape `source`.

    1. Anything: strides, dilations, groups, padding.
    2. Of the source's own size (a skip connection may follow).
    3. With pooling folded in: weights that repeat over windows as large as the stride.

    Parameters
    ----------
    wide
        Whether it may have many output channels.
    """
    channels = source[0]
    if chance(rng, 0.2):
        return _same(rng, source, channels)
    if chance(rng, 0.35) and max(map(max, _windows(source))) > 1:
        return _pooling(rng, source, wide)
    groups = one_of(rng, *[g for g in range(1, channels + 1) if channels % g == 0])
    if wide and chance(rng, 0.5):
        groups = 1
    padding = tuple(int(n) for n in rng.integers(0, one_of(rng, 3, 3, 3, 6), 4))
    if chance(rng, 0.5):  # alike at both ends, as Lava's own convolution has it
        padding = padding[:2] * 2
    rows, columns = source[1] + padding[0] + padding[2], source[2] + padding[1] + padding[3]
    kernel, dilation = [], []
    for size in (rows, columns):
        dilation.append(int(rng.integers(1, 3)))
        kernel.append(int(rng.integers(1, min(4, (size - 1) // dilation[-1] + 1) + 1)))
    return Convolution(
        _weights(rng, (_outputs(rng, groups, wide), channels // groups, *kernel)),
        stride=(int(rng.integers(1, 4)), int(rng.integers(1, 4))),
        padding=padding,  # type: ignore[arg-type]
        dilation=(dilation[0], dilation[1]),
        groups=groups,
    )


def flat(rng: np.random.Generator, source: Shape, targets: int) -> Dense | Sparse:
    """From any population to `targets` neurons, without regard to where they are.

    1. Dense, weights at random.
    2. Dense after pooling, down to a mean over the map: weights that repeat over windows.
    3. Any list of synapses: rows may be empty, a pair may occur twice.
    """
    sources = prod(source)
    if chance(rng, 0.5):
        if len(source) == 3 and chance(rng, 0.4):
            high, wide = (one_of(rng, *sizes, sizes[-1]) for sizes in _divisors(source))
            few = _weights(rng, (targets, source[0], source[1] // high, source[2] // wide))
            return Dense(few.repeat(high, 2).repeat(wide, 3).reshape(targets, sources))
        return Dense(_weights(rng, (targets, sources)))
    fan_in = rng.integers(0, min(sources, 8) + 1, targets)
    starts = np.concatenate([[0], np.cumsum(fan_in)]).astype(np.int64)
    columns = rng.integers(0, sources, starts[-1]).astype(np.int32)
    return Sparse(_weights(rng, (int(starts[-1]),)), columns, starts, sources)


def between(rng: np.random.Generator, source: Shape, target: Shape) -> Synapses:
    """To a population whose shape is settled; one to one or by position where that fits."""
    if source == target and chance(rng, 0.6):
        return identity(rng, prod(source))
    if len(source) == len(target) == 3 and source[1:] == target[1:] and chance(rng, 0.6):
        return _same(rng, source, target[0])
    return flat(rng, source, prod(target))


def identity(rng: np.random.Generator, size: int) -> Sparse:
    """Each neuron to its counterpart."""
    columns, starts = np.arange(size, dtype=np.int32), np.arange(size + 1, dtype=np.int64)
    return Sparse(_weights(rng, (size,)), columns, starts, size)


def volume(rng: np.random.Generator, size: int) -> Sparse:
    """A three-dimensional convolution of some (C, D, H, W) of `size` neurons, as it is compiled."""
    shape: list[int] = []
    for _ in range(3):
        left = size // prod(shape)
        shape.append(one_of(rng, *[n for n in range(1, left + 1) if left % n == 0]))
    shape.append(size // prod(shape))
    kernel = [int(rng.integers(1, min(n, 3) + 1)) for n in shape[1:]]
    before, after = ([int(rng.integers(0, n)) for n in kernel] for _ in range(2))
    outputs = int(rng.integers(1, 4))
    conv = Conv(
        "volume",
        _weights(rng, (outputs, shape[0], *kernel)),
        np.zeros(outputs),
        stride=tuple(int(n) for n in rng.integers(1, 3, 3)),
        padding=(*before, *after),
        dilation=(1, 1, 1),
    )
    matrix = as_matrix(conv, tuple(shape))
    columns, starts = matrix.indices.astype(np.int32), matrix.indptr.astype(np.int64)
    return Sparse(matrix.data.astype(np.int8), columns, starts, size)


def within(
    rng: np.random.Generator, synapses: Synapses, room: int, extreme: bool
) -> tuple[Synapses, int]:
    """Synapses and an exponent by which no target receives more than `room`."""
    weights = synapses.weights.astype(np.int16)
    while (bound := row_bound(synapses)) > room:
        weights = weights // 2 + (weights < 0)  # towards zero: -1 // 2 would stay -1
        synapses = replace(synapses, weights=weights.astype(np.int8))
    exponent = 0
    wanted = 7 if extreme else int(rng.integers(0, 4))
    while exponent < wanted and bound << (exponent + 1) <= room:
        exponent += 1
    return synapses, exponent


def _weights(rng: np.random.Generator, shape: Shape) -> np.ndarray:
    """int8; all of the range, small, or only its ends (for all synapses of a target the same)."""
    style = rng.integers(5)
    if style < 2:
        drawn = shape if style else (shape[0], *[1] * (len(shape) - 1))
        return np.broadcast_to(rng.choice(np.array([-128, 127], np.int8), drawn), shape)
    limit = 128 if style == 2 else 12
    weights = rng.integers(-limit, limit, shape)
    return np.where(rng.random(shape) < 0.1, 0, weights).astype(np.int8)


def _outputs(rng: np.random.Generator, groups: int, wide: bool) -> int:
    if wide and groups == 1:
        return int(one_of(rng, *_CHANNELS))
    return groups * int(rng.integers(1, 4))


def _same(rng: np.random.Generator, source: Shape, outputs: int) -> Convolution:
    """Of 1 or 3 columns and rows, to maps of the same size."""
    rows, columns = one_of(rng, 1, 3), one_of(rng, 1, 3)
    ends = (rows // 2, columns // 2)
    return Convolution(_weights(rng, (outputs, source[0], rows, columns)), padding=ends * 2)


def _pooling(rng: np.random.Generator, source: Shape, wide: bool) -> Convolution:
    """A convolution of stride 1 of maps that were pooled before."""
    high, across = (one_of(rng, *sizes, sizes[-1]) for sizes in _windows(source))
    padding = tuple(int(n) for n in rng.integers(0, 2, 4))
    rows = source[1] // high + padding[0] + padding[2]
    columns = source[2] // across + padding[1] + padding[3]
    kernel = (int(rng.integers(1, min(rows, 3) + 1)), int(rng.integers(1, min(columns, 3) + 1)))
    few = _weights(rng, (_outputs(rng, 1, wide), source[0], *kernel))
    top, left, bottom, right = padding
    return Convolution(
        few.repeat(high, 2).repeat(across, 3),
        stride=(high, across),
        padding=(top * high, left * across, bottom * high, right * across),
    )


def _windows(source: Shape) -> list[list[int]]:
    """Strides of pooling that divide the height, and the width, of a map."""
    return [[n for n in (1, 2, 3) if size % n == 0] for size in source[1:]]


def _divisors(source: Shape) -> list[list[int]]:
    return [[n for n in range(1, size + 1) if size % n == 0] for size in source[1:]]
