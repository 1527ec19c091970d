"""``y = scale * x + shift`` with constants, as the smallest Network node that says it."""

from __future__ import annotations

from dataclasses import replace
from math import prod

import numpy as np

from neurodeploy.errors import UnsupportedError
from neurodeploy.importing.building.builder import Builder, Signal
from neurodeploy.importing.building.operation import float32
from neurodeploy.importing.limits import MAX_DIAGONAL
from neurodeploy.network import Conv, Dense, Permute, Shape

__all__ = ["affine", "fit", "merge_affine", "per_sample"]

#: Spatial axes that ONNX Runtime convolves.
_MAX_SPATIAL = 3


def fit(values: np.ndarray, shape: Shape, batch: int) -> tuple[np.ndarray, Shape]:
    """A constant as it meets each sample, and the shape that both have together.

    Returns
    -------
    values
        With as many axes as `shape`, each of its size or 1.
    shape
        That of a sample of the result; larger than `shape` where the constant enlarges it.

    Raises
    ------
    UnsupportedError
        The constant differs from sample to sample, moves the batch axis, or does not fit.
    """
    full = (batch, *shape)
    try:
        joined = np.broadcast_shapes(values.shape, full)
    except ValueError:
        joined = ()
    if joined[:1] != full[:1] or len(joined) != len(full):
        raise UnsupportedError(
            f"its constant of shape {values.shape} does not fit an activation of shape {full}",
            remedy="export with constants that broadcast to the activation's shape",
        )
    if values.ndim == len(full):
        if values.shape[0] > 1 and not (values == values[:1]).all():
            raise UnsupportedError(
                "its constant differs between the samples of a batch",
                remedy="export with a batch of one, or with constants that are the same for all",
            )
        values = values[0]
    return values.reshape((1,) * (len(shape) - values.ndim) + values.shape), joined[1:]


def per_sample(values: np.ndarray, shape: Shape, batch: int) -> np.ndarray:
    """`fit`, where the constant must not enlarge the activation either."""
    fitted, joined = fit(values, shape, batch)
    if joined != shape:
        raise UnsupportedError(
            f"its constant of shape {values.shape} does not fit an activation of shape "
            f"{(batch, *shape)}",
            remedy="export with constants that broadcast to the activation's shape",
        )
    return fitted


def _by_channel(values: np.ndarray) -> bool:
    return all(n == 1 for n in values.shape[1:])


def _column(values: np.ndarray, size: int) -> np.ndarray:
    return np.broadcast_to(values.reshape(-1), (size,))


def _along(values: np.ndarray, rank: int) -> np.ndarray:
    """One value a channel, against arrays of `rank` axes of which the first is the channels."""
    return values.reshape((-1,) + (1,) * (rank - 1)) if values.ndim == 1 else values


def merge_affine(net: Builder, x: Signal, scale: np.ndarray, shift: np.ndarray) -> bool:
    """Fold into the linear node that made `x`; False if that is not possible.

    The caller makes sure that nothing else reads `x`. Arithmetic is in float64. A shift that
    differs within a channel becomes a bias of each neuron.
    """
    node = net[x.name]
    if not isinstance(node, Dense | Conv) or not _by_channel(scale):
        return False
    out = node.weight.shape[0]
    factor = _column(scale, out).astype(np.float64)
    bias = node.bias * _along(factor, node.bias.ndim)
    if _by_channel(shift):
        bias = bias + _along(_column(shift, out), bias.ndim)
    else:
        bias = np.broadcast_to(_along(bias, len(x.shape)) + shift, x.shape)
    net.exchange(
        replace(
            node,
            weight=float32(node.weight * _along(factor, node.weight.ndim), "the scaled weight"),
            bias=float32(bias, "the scaled bias"),
        )
    )
    return True


def affine(net: Builder, name: str, x: Signal, scale: np.ndarray, shift: np.ndarray) -> Signal:
    """Add ``scale * x + shift``.

    1. Scale constant per channel of a map: a depthwise `Conv` of kernel 1; its bias is one a
       channel, or one a neuron where the shift differs within a channel.
    2. Flat, up to `MAX_DIAGONAL` values: a `Dense` with a diagonal matrix.
    3. Everything else: each element is a channel of a depthwise `Conv`, between two reshapes.

    Parameters
    ----------
    name
        Of the node that carries the result.
    scale, shift
        As from `per_sample`.
    """
    shape = x.shape
    name = net.unique(name)
    if len(shape) <= 1 and prod(shape) <= MAX_DIAGONAL:
        size = prod(shape)
        diagonal = np.diag(_column(float32(scale, "the scale"), size))
        bias = _column(float32(shift, "the shift"), size).copy()
        if shape:
            return net.add(Dense(name, weight=diagonal, bias=bias), x)
        scaled = net.add(Dense(net.unique(f"{name}/affine"), weight=diagonal, bias=bias), x)
        return net.add(Permute(name, shape=shape), scaled)
    spatial = len(shape) - 1
    if 1 <= spatial <= _MAX_SPATIAL and _by_channel(scale):
        return net.add(_depthwise(name, shape, scale, shift), x)
    size = prod(shape)
    flat = net.add(Permute(net.unique(f"{name}/flat"), shape=(size, 1)), x)
    scale, shift = (np.broadcast_to(v, shape).reshape(-1, 1) for v in (scale, shift))
    scaled = net.add(_depthwise(net.unique(f"{name}/affine"), flat.shape, scale, shift), flat)
    return net.add(Permute(name, shape=shape), scaled)


def _depthwise(name: str, shape: Shape, scale: np.ndarray, shift: np.ndarray) -> Conv:
    channels, spatial = shape[0], len(shape) - 1
    weight = _column(float32(scale, "the scale"), channels)
    offset = float32(shift, "the shift")
    wide = _column(offset, channels) if _by_channel(offset) else np.broadcast_to(offset, shape)
    return Conv(
        name,
        weight=weight.reshape((channels,) + (1,) * (spatial + 1)).copy(),
        bias=wide.copy(),
        stride=(1,) * spatial,
        padding=(0,) * (2 * spatial),
        dilation=(1,) * spatial,
        groups=channels,
    )
