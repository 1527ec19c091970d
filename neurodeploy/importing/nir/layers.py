"""NIR's linear nodes as nodes of the Network."""

from __future__ import annotations

from collections.abc import Callable
from math import prod

import numpy as np

from neurodeploy.errors import ModelError, UnsupportedError
from neurodeploy.importing.limits import MAX_DIAGONAL, MAX_DIMENSION
from neurodeploy.importing.nir.hdf5 import RawNode
from neurodeploy.network import Conv, Dense, Node, Permute, Pool, Shape

__all__ = ["LAYERS", "Layer", "scaled"]

#: The node that a layer becomes (None: nothing), and the factor that its reader has to apply.
Layer = tuple[Node | None, float]


def _array(raw: RawNode, key: str) -> np.ndarray:
    value = raw.fields.get(key)
    if not isinstance(value, np.ndarray):
        raise ModelError(f"has no numbers {key!r}")
    return value


def _pair(raw: RawNode, key: str, rank: int) -> tuple[int, ...]:
    """One whole number for each spatial axis, from one for all or one each."""
    value = _array(raw, key)
    if value.dtype.kind not in "iu" or value.size not in (1, rank):
        raise ModelError(f"{key} {value.shape} is not {rank} whole numbers")
    numbers = [int(n) for n in value.reshape(-1)]
    if any(not 0 <= n <= MAX_DIMENSION for n in numbers):
        raise ModelError(f"{key} {numbers} is out of range")
    return tuple(numbers * rank if len(numbers) == 1 else numbers)


def _positive(raw: RawNode, key: str, rank: int) -> tuple[int, ...]:
    found = _pair(raw, key, rank)
    if 0 in found:
        raise ModelError(f"{key} {found} is not above 0")
    return found


def _dense(raw: RawNode, shape: Shape, factor: float) -> Layer:
    weight = _array(raw, "weight").astype(np.float64)
    if weight.ndim != 2 or weight.shape[1] != prod(shape):
        raise ModelError(
            f"weight {weight.shape} does not read {shape}",
            remedy="put a Flatten before it" if len(shape) > 1 else "",
        )
    bias = np.zeros(len(weight))
    if raw.kind == "Affine":
        bias = _array(raw, "bias").astype(np.float64).reshape(-1)
        if bias.size != len(weight):
            raise ModelError(f"bias {bias.shape} does not fit weight {weight.shape}")
    return Dense(raw.name, (weight * factor).astype(np.float32), bias.astype(np.float32)), 1.0


def _convolution(rank: int) -> Callable[[RawNode, Shape, float], Layer]:
    def make(raw: RawNode, shape: Shape, factor: float) -> Layer:
        weight = _array(raw, "weight").astype(np.float64)
        if weight.ndim != rank + 2 or len(shape) != rank + 1 or 0 in weight.shape:
            raise ModelError(f"weight {weight.shape} does not read {shape}")
        dilation = _positive(raw, "dilation", rank)
        stride = _positive(raw, "stride", rank)
        said = raw.fields.get("padding")
        padding = said if isinstance(said, str) else ""
        if padding == "valid":
            around: tuple[int, ...] = (0,) * (2 * rank)
        elif padding == "same":
            if set(stride) != {1}:
                raise ModelError("padding 'same' with a stride above 1")
            total = [d * (k - 1) for d, k in zip(dilation, weight.shape[2:], strict=True)]
            around = (*(n // 2 for n in total), *(n - n // 2 for n in total))
        else:
            around = _pair(raw, "padding", rank) * 2
        groups = _positive(raw, "groups", 1)[0]
        bias = np.zeros(len(weight))
        if isinstance(raw.fields.get("bias"), np.ndarray):
            bias = _array(raw, "bias").astype(np.float64).reshape(-1)
        return (
            Conv(
                raw.name,
                (weight * factor).astype(np.float32),
                bias.astype(np.float32),
                stride,
                around,
                dilation,
                groups,
            ),
            1.0,
        )

    return make


def _pooling(raw: RawNode, shape: Shape, factor: float) -> Layer:
    """An average, and for a sum the window's size as a factor on what reads it."""
    if len(shape) != 3:
        raise ModelError(f"reads {shape}, not maps (C, H, W)")
    kernel = _positive(raw, "kernel_size", 2)
    pool = Pool(
        raw.name,
        "average",
        kernel,
        _positive(raw, "stride", 2),
        _pair(raw, "padding", 2) * 2,
        (1, 1),
        count_include_pad=True,
    )
    return pool, factor * (prod(kernel) if raw.kind == "SumPool2d" else 1)


def _flatten(raw: RawNode, shape: Shape, factor: float) -> Layer:
    rank = len(shape)
    ends = []
    for key in ("start_dim", "end_dim"):
        value = _array(raw, key)
        if value.size != 1 or value.dtype.kind not in "iu":
            raise ModelError(f"{key} is not a whole number")
        at = int(value.reshape(()))
        ends.append(at + rank if at < 0 else at)
    first, last = ends
    if not 0 <= first <= last < rank:
        raise ModelError(f"axes {first}..{last} do not lie in {shape}")
    flat = (*shape[:first], prod(shape[first : last + 1]), *shape[last + 1 :])
    return Permute(raw.name, shape=flat), factor


def _scale(raw: RawNode, shape: Shape, factor: float) -> Layer:
    value = _array(raw, "scale").astype(np.float64)
    if value.size and np.all(value == value.flat[0]):
        return None, factor * float(value.flat[0])
    try:
        every = np.broadcast_to(value.reshape(shape) if value.size == prod(shape) else value, shape)
    except ValueError:
        raise ModelError(f"scale {value.shape} does not fit {shape}") from None
    return scaled(raw.name, every, shape), factor


def scaled(name: str, factor: float | np.ndarray, shape: Shape) -> Node:
    """Each element, or each channel, times its own factor.

    Raises
    ------
    UnsupportedError
        Factors that differ within a channel of a large map.
    """
    every = np.broadcast_to(np.asarray(factor, np.float64), shape)
    channels = every.reshape(shape[0], -1)
    if len(shape) > 1 and np.all(channels == channels[:, :1]):
        rank = len(shape) - 1
        weight = channels[:, 0].reshape(-1, *(1,) * (rank + 1)).astype(np.float32)
        zeros = np.zeros(shape[0], np.float32)
        return Conv(
            name, weight, zeros, (1,) * rank, (0,) * (2 * rank), (1,) * rank, groups=shape[0]
        )
    if every.size > MAX_DIAGONAL or len(shape) > 1:
        raise UnsupportedError(
            f"scales each of {every.size} elements by its own factor",
            remedy="multiply the factors into the layer before it, or use one a channel",
        )
    diagonal = np.diag(every.reshape(-1)).astype(np.float32)
    return Dense(name, diagonal, np.zeros(every.size, np.float32))


LAYERS: dict[str, Callable[[RawNode, Shape, float], Layer]] = {
    "Affine": _dense,
    "AvgPool2d": _pooling,
    "Conv1d": _convolution(1),
    "Conv2d": _convolution(2),
    "Flatten": _flatten,
    "Linear": _dense,
    "Scale": _scale,
    "SumPool2d": _pooling,
}
