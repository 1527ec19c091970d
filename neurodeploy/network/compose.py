"""Two linear nodes in a row as one, where the result is a plain Conv or Dense.

`compose` numbers the cases. Biases are exact everywhere: where a zero-padded border sees
another bias than the middle, the result has one bias for each neuron.
"""

from __future__ import annotations

from math import prod

import numpy as np

from neurodeploy.network.chained_convolutions import chained
from neurodeploy.network.channel_moves import moved_columns, through_move, with_moved_outputs
from neurodeploy.network.correlate import correlate
from neurodeploy.network.matrix import as_matrix, is_linear
from neurodeploy.network.nodes import Conv, Dense, Linear, Node, Permute, Pool, Shape
from neurodeploy.network.picking_convolutions import through_pick

__all__ = ["apply_linear", "bias_map", "compose", "is_channel_affine"]

#: A matrix or kernel of more weights is not made by composition.
_MAX_DENSE = 50_000_000


def is_channel_affine(node: Node) -> bool:
    """Whether a node scales and shifts each channel by itself (an inference batch norm)."""
    return (
        isinstance(node, Conv)
        and prod(node.kernel) == 1
        and node.weight.shape[1] == 1
        and node.weight.shape[0] == node.groups
        and set(node.stride) <= {1}
        and not any(node.padding)
    )


def bias_map(node: Node, shape: Shape) -> np.ndarray:
    """The bias that a linear node adds, float64 of the shape of its result.

    Parameters
    ----------
    shape
        Shape of the node's input.
    """
    out = node.output_shape([shape])
    if isinstance(node, Conv) and node.bias.ndim == 1:
        spread = node.bias.astype(np.float64).reshape((-1,) + (1,) * (len(out) - 1))
        return np.broadcast_to(spread, out).copy()
    if isinstance(node, Linear):
        return node.bias.astype(np.float64).reshape(out)
    return np.zeros(out)


def apply_linear(node: Node, x: np.ndarray) -> np.ndarray:
    """A linear node, bias included, on one sample: float64 in, float64 out."""
    bias = bias_map(node, x.shape)
    if isinstance(node, Conv):
        return correlate(node, x) + bias
    return (as_matrix(node, x.shape) @ x.reshape(-1)).reshape(bias.shape) + bias


def compose(first: Node, second: Node, shape: Shape) -> Conv | Dense | None:
    """One node that computes ``second(first(x))`` exactly, or None.

    Parameters
    ----------
    shape
        Shape of x.

    Cases
    -----
    1. Channel affine, then Conv: the kernel's input channels are scaled.
    2. Conv, then channel affine: the kernel's output channels are scaled.
    3. Average Pool, then Conv: the kernel is spread over the pooled windows; every weight
       stays what it was, over the window's size. Not where the Conv's zero padding would
       meet pixels of the map: overlapping windows, or rows that the pooling left over.
       Not with padded pooling.
    4. Conv without padding behind it, then average Pool without padding: one larger kernel.
    5. Anything linear, then Dense, up to fifty million weights; of moves any number.
    6. Conv that picks one cell of each window, then Conv: the kernel is spread by the stride.
    7. Conv, then Conv: one kernel, where the second's padding does not meet the first's border
       (`chained_convolutions`): linear bottlenecks.
    8. A move of whole channels (slice, shuffle), then Conv, or the reverse: the weights are moved.
    """
    if not (is_linear(first) and is_linear(second)):
        return None
    middle = first.output_shape([shape])
    weight: Conv | Dense | None = None
    if isinstance(second, Dense):
        if isinstance(first, Permute):
            weight = moved_columns(first, second, prod(shape))
        elif second.weight.shape[0] * prod(shape) <= _MAX_DENSE:
            matrix = (as_matrix(first, shape).T @ second.weight.astype(np.float64).T).T
            weight = Dense(second.name, np.ascontiguousarray(matrix, np.float32), second.bias)
    elif isinstance(second, Conv) and is_channel_affine(first):
        weight = _scale_inputs(first, second)
    elif isinstance(first, Conv) and is_channel_affine(second):
        weight = _scale_outputs(first, second)
    elif isinstance(first, Permute) and isinstance(second, Conv):
        weight = through_move(first, second, shape)
    elif isinstance(first, Conv) and isinstance(second, Permute):
        weight = with_moved_outputs(first, second, shape)
    elif isinstance(first, Pool) and isinstance(second, Conv):
        weight = _spread(first, second, shape)
    elif isinstance(first, Conv) and isinstance(second, Conv):
        weight = through_pick(first, second, shape) or chained(first, second, shape)
    elif isinstance(first, Conv) and isinstance(second, Pool) and not any(second.padding):
        weight = _widen(first, second)
    if weight is None:
        return None
    bias = bias_map(second, middle)
    if np.any(bias_map(first, shape)):
        bias = apply_linear(second, bias_map(first, shape))
    return _finish(weight, second.name, bias)


def _finish(node: Conv | Dense, name: str, bias: np.ndarray) -> Conv | Dense:
    """The node with that name and bias; one number a channel where the bias is constant."""
    if isinstance(node, Dense):
        return Dense(name, node.weight, bias.astype(np.float32))
    flat = bias.reshape(bias.shape[0], -1)
    if np.allclose(flat, flat[:, :1], rtol=1e-9, atol=0):
        bias = flat[:, 0]
    return Conv(
        name,
        node.weight,
        bias.astype(np.float32),
        node.stride,
        node.padding,
        node.dilation,
        node.groups,
    )


def _scale_inputs(affine: Node, conv: Conv) -> Conv:
    assert isinstance(affine, Conv)
    scale = affine.weight.reshape(conv.groups, 1, conv.weight.shape[1])
    split = conv.weight.reshape(conv.groups, -1, conv.weight.shape[1], prod(conv.kernel))
    weight = (split * scale[..., None]).reshape(conv.weight.shape)
    return Conv(conv.name, weight, conv.bias, conv.stride, conv.padding, conv.dilation, conv.groups)


def _scale_outputs(conv: Conv, affine: Node) -> Conv:
    assert isinstance(affine, Conv)
    scale = affine.weight.reshape((-1,) + (1,) * (conv.weight.ndim - 1))
    weight = conv.weight * scale
    return Conv(conv.name, weight, conv.bias, conv.stride, conv.padding, conv.dilation, conv.groups)


def _spread(pool: Pool, conv: Conv, shape: Shape) -> Conv | None:
    rank = len(pool.kernel)
    pooled = pool.output_shape([shape])[1:]
    if any(pool.padding) or set(pool.dilation) != {1}:
        return None
    for axis in range(rank):
        before, after = conv.padding[axis], conv.padding[rank + axis]
        if before and pool.kernel[axis] > pool.stride[axis]:
            return None
        if after and pooled[axis] * pool.stride[axis] < shape[1 + axis]:
            return None
        if after and pool.kernel[axis] > pool.stride[axis]:
            return None
    step = [conv.dilation[a] * pool.stride[a] for a in range(rank)]
    size = [(conv.kernel[a] - 1) * step[a] + pool.kernel[a] for a in range(rank)]
    if conv.weight.shape[0] * conv.weight.shape[1] * prod(size) > _MAX_DENSE:
        return None
    weight = np.zeros((*conv.weight.shape[:2], *size), np.float64)
    for offset in np.ndindex(*pool.kernel):
        at = tuple(
            slice(offset[a], offset[a] + (conv.kernel[a] - 1) * step[a] + 1, step[a])
            for a in range(rank)
        )
        weight[(slice(None), slice(None), *at)] += conv.weight
    return Conv(
        conv.name,
        (weight / prod(pool.kernel)).astype(np.float32),
        conv.bias,
        tuple(conv.stride[a] * pool.stride[a] for a in range(rank)),
        tuple(conv.padding[a] * pool.stride[a % rank] for a in range(2 * rank)),
        (1,) * rank,
        conv.groups,
    )


def _widen(conv: Conv, pool: Pool) -> Conv:
    rank = len(pool.kernel)
    extent = [conv.dilation[a] * (conv.kernel[a] - 1) + 1 for a in range(rank)]
    step = [conv.stride[a] * pool.dilation[a] for a in range(rank)]
    size = [extent[a] + (pool.kernel[a] - 1) * step[a] for a in range(rank)]
    weight = np.zeros((*conv.weight.shape[:2], *size), np.float64)
    for offset in np.ndindex(*pool.kernel):
        at = tuple(
            slice(offset[a] * step[a], offset[a] * step[a] + extent[a], conv.dilation[a])
            for a in range(rank)
        )
        weight[(slice(None), slice(None), *at)] += conv.weight
    return Conv(
        conv.name,
        (weight / prod(pool.kernel)).astype(np.float32),
        conv.bias,
        tuple(conv.stride[a] * pool.stride[a] for a in range(rank)),
        conv.padding,
        (1,) * rank,
        conv.groups,
    )


def is_reshape(node: Node) -> bool:
    """Whether a node only renames the axes."""
    return isinstance(node, Permute) and node.indices is None
