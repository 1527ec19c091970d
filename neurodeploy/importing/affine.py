"""``y = scale * x + shift`` with constants, as the smallest Network node that says it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from neurodeploy.errors import UnsupportedError
from neurodeploy.importing.builder import Builder, Signal
from neurodeploy.importing.limits import MAX_DIAGONAL
from neurodeploy.importing.operation import float32
from neurodeploy.network import Conv, Dense, Permute, Shape

__all__ = ["affine", "merge_affine", "per_sample"]

#: Spatial axes that ONNX Runtime convolves.
_MAX_SPATIAL = 3


def per_sample(values: np.ndarray, shape: Shape, batch: int) -> np.ndarray:
    """A constant as it meets each sample: as many axes as `shape`, each of its size or 1.

    Raises
    ------
    UnsupportedError
        The constant would enlarge the activation, or differs from sample to sample.
    """
    full = (batch, *shape)
    try:
        joined = np.broadcast_shapes(values.shape, full)
    except ValueError:
        joined = ()
    if joined != full:
        raise UnsupportedError(
            f"its constant of shape {values.shape} does not fit an activation of shape {full}",
            remedy="export with constants that broadcast to the activation's shape",
        )
    if values.ndim == len(full):
        if values.shape[0] > 1 and not (values == values[:1]).all():
            raise UnsupportedError("its constant differs between the samples of a batch")
        values = values[0]
    return values.reshape((1,) * (len(shape) - values.ndim) + values.shape)


def _by_channel(values: np.ndarray) -> bool:
    return all(n == 1 for n in values.shape[1:])


def _column(values: np.ndarray, size: int) -> np.ndarray:
    return np.broadcast_to(values.reshape(-1), (size,))


def merge_affine(net: Builder, x: Signal, scale: np.ndarray, shift: np.ndarray) -> bool:
    """Fold into the linear node that made `x`; False if that is not possible.

    The caller makes sure that nothing else reads `x`. Arithmetic is in float64.
    """
    node = net[x.name]
    if not isinstance(node, Dense | Conv) or not (_by_channel(scale) and _by_channel(shift)):
        return False
    out = node.weight.shape[0]
    factor = _column(scale, out).astype(np.float64)
    rows = factor.reshape((-1,) + (1,) * (node.weight.ndim - 1))
    bias = node.bias * factor + _column(shift, out)
    net.exchange(
        replace(
            node,
            weight=float32(node.weight * rows, "the scaled weight"),
            bias=float32(bias, "the scaled bias"),
        )
    )
    return True


def affine(net: Builder, name: str, x: Signal, scale: np.ndarray, shift: np.ndarray) -> Signal:
    """Add ``scale * x + shift``.

    1. Constant per channel of a map: a depthwise `Conv` of kernel 1.
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
    if not shape:
        raise UnsupportedError(
            "works on a single number a sample",
            remedy="keep an axis of size 1 behind the batch axis",
        )
    if len(shape) == 1 and shape[0] <= MAX_DIAGONAL:
        diagonal = np.diag(_column(float32(scale, "the scale"), shape[0]))
        bias = _column(float32(shift, "the shift"), shape[0]).copy()
        return net.add(Dense(name, weight=diagonal, bias=bias), x)
    spatial = len(shape) - 1
    if 1 <= spatial <= _MAX_SPATIAL and _by_channel(scale) and _by_channel(shift):
        return net.add(_depthwise(name, shape[0], spatial, scale, shift), x)
    size = int(np.prod(shape))
    flat = net.add(Permute(net.unique(f"{name}/flat"), shape=(size, 1)), x)
    scale, shift = (np.broadcast_to(v, shape).reshape(-1, 1) for v in (scale, shift))
    scaled = net.add(_depthwise(net.unique(f"{name}/affine"), size, 1, scale, shift), flat)
    return net.add(Permute(name, shape=shape), scaled)


def _depthwise(
    name: str, channels: int, spatial: int, scale: np.ndarray, shift: np.ndarray
) -> Conv:
    weight = _column(float32(scale, "the scale"), channels)
    return Conv(
        name,
        weight=weight.reshape((channels,) + (1,) * (spatial + 1)).copy(),
        bias=_column(float32(shift, "the shift"), channels).copy(),
        stride=(1,) * spatial,
        padding=(0,) * (2 * spatial),
        dilation=(1,) * spatial,
        groups=channels,
    )
