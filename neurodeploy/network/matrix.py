"""Linear nodes as sparse matrices: the general form behind every fold and every connection."""

from __future__ import annotations

from dataclasses import replace
from math import prod

import numpy as np
from scipy import sparse

from neurodeploy.errors import ConversionError
from neurodeploy.network.nodes import Conv, Dense, Node, Permute, Pool, Shape

__all__ = ["MAX_ENTRIES", "as_matrix", "is_linear", "pool_as_conv"]

#: A matrix of more entries is refused: about 1.5 GiB while it is built.
MAX_ENTRIES = 100_000_000


def is_linear(node: Node) -> bool:
    """Whether the node is linear (up to its bias) in one input."""
    return isinstance(node, Dense | Conv | Permute) or (
        isinstance(node, Pool) and node.operation == "average"
    )


def as_matrix(node: Node, shape: Shape) -> sparse.csr_matrix:
    """The linear part (no bias) of a node.

    Parameters
    ----------
    node
        Dense, Conv, Permute or an average Pool.
    shape
        Shape of its input.

    Returns
    -------
    float64 (outputs, inputs), flat C order on both sides.

    Raises
    ------
    ConversionError
        More than `MAX_ENTRIES` entries.
    """
    if isinstance(node, Dense):
        return sparse.csr_matrix(node.weight.astype(np.float64))
    if isinstance(node, Permute):
        return _permutation(node, prod(shape))
    if isinstance(node, Pool):
        return _windows(_summed(node, shape[0]), shape, node)
    if isinstance(node, Conv):
        return _windows(node, shape, None)
    raise TypeError(f"{type(node).__name__} is not linear")


def _permutation(node: Permute, size: int) -> sparse.csr_matrix:
    indices = np.arange(size) if node.indices is None else node.indices
    rows = np.flatnonzero(indices >= 0)
    return sparse.csr_matrix(
        (np.ones(rows.size), (rows, indices[rows])), shape=(indices.size, size)
    )


def _summed(pool: Pool, channels: int) -> Conv:
    """The sum over each window, channel by channel, divided by the kernel's size."""
    weight = np.full((channels, 1, *pool.kernel), 1 / prod(pool.kernel), np.float64)
    return Conv(
        pool.name, weight, np.zeros(channels), pool.stride, pool.padding, pool.dilation, channels
    )


def pool_as_conv(pool: Pool, shape: Shape) -> Conv | None:
    """An average pooling as a convolution, float32; None where its divisor is not one number."""
    if any(pool.padding) and not pool.count_include_pad:
        return None
    conv = _summed(pool, shape[0])
    return replace(conv, weight=conv.weight.astype(np.float32), bias=conv.bias.astype(np.float32))


def _windows(conv: Conv, shape: Shape, pool: Pool | None) -> sparse.csr_matrix:
    """Every tap of every output position; `pool` corrects the divisor at padded borders."""
    out_shape = conv.output_shape([shape])
    entries = prod(out_shape) * prod(conv.weight.shape[1:])
    if entries > MAX_ENTRIES:
        raise ConversionError(
            f"its connection would hold {entries} synapses one by one (limit {MAX_ENTRIES})",
            place=conv.name,
            remedy="use smaller maps, or have no interpolating resize, channel shuffle, padded "
            "pooling or pooling of odd stride beside this layer, which make a matrix of it",
        )
    rank = len(shape) - 1
    # input index of each (output position, kernel tap), along each axis; outside: dropped
    grids = []
    for axis in range(rank):
        position = np.arange(out_shape[1 + axis])[:, None] * conv.stride[axis]
        tap = np.arange(conv.kernel[axis])[None] * conv.dilation[axis]
        grids.append(position + tap - conv.padding[axis])
    positions, taps = out_shape[1:], conv.kernel
    index = np.zeros((*positions, *taps), np.int64)
    inside = np.ones(index.shape, bool)
    for axis, grid in enumerate(grids):
        view = [1] * (2 * rank)
        view[axis], view[rank + axis] = grid.shape
        grid = grid.reshape(view)
        index = index * shape[1 + axis] + grid
        inside &= (grid >= 0) & (grid < shape[1 + axis])
    index = index.reshape(prod(positions), prod(taps))
    inside = inside.reshape(index.shape)
    at, tap = np.nonzero(inside)
    source = index[at, tap]

    outputs, per_group = conv.weight.shape[:2]
    weight = conv.weight.reshape(outputs, per_group, -1).astype(np.float64)
    if pool is not None and not pool.count_include_pad:
        factor = prod(taps) / inside.sum(1)[at]
    else:
        factor = np.ones(at.size)
    area_out, area_in = prod(positions), prod(shape[1:])
    group_of = np.arange(outputs) // (outputs // conv.groups)
    channel = group_of[:, None] * per_group + np.arange(per_group)[None]
    rows = (np.arange(outputs)[:, None, None] * area_out + at).repeat(per_group, 1)
    columns = channel[:, :, None] * area_in + source
    values = weight[:, :, tap] * factor
    matrix = sparse.csr_matrix(
        (values.reshape(-1), (rows.reshape(-1), columns.reshape(-1))),
        shape=(prod(out_shape), prod(shape)),
    )
    matrix.eliminate_zeros()
    return matrix
