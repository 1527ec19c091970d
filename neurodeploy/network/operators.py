"""The linear operator between two stages: Conv or Dense where possible, else a sparse matrix."""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from math import prod
from typing import TypeAlias

import numpy as np
from scipy import sparse

from neurodeploy.network import Conv, Dense, Node, Pool, Shape
from neurodeploy.network.by_rows import by_rows
from neurodeploy.network.channel_moves import joined_moves
from neurodeploy.network.compose import compose, is_reshape
from neurodeploy.network.concat_branches import narrowed
from neurodeploy.network.correlate import correlate
from neurodeploy.network.matrix import as_matrix, pool_as_conv

__all__ = [
    "Operator",
    "apply_operator",
    "chain_operator",
    "identity_operator",
    "operator_matrix",
    "population_shape",
    "times",
    "two_dimensional",
]

Operator: TypeAlias = "Dense | Conv | sparse.csr_matrix"


def operator_matrix(operator: Operator, shape: Shape) -> sparse.csr_matrix:
    """An operator as a matrix (targets, sources); `shape` is that of its source."""
    return as_matrix(operator, shape) if isinstance(operator, Dense | Conv) else operator


def apply_operator(operator: Operator, x: np.ndarray) -> np.ndarray:
    """What an operator makes of one sample, without a matrix where it is a convolution.

    Parameters
    ----------
    x
        In the shape of the operator's source.

    Returns
    -------
    float64 (targets,), flat; biases left out.
    """
    if isinstance(operator, Conv):
        return correlate(operator, x).reshape(-1)
    flat = x.reshape(-1).astype(np.float64)
    if isinstance(operator, Dense):
        return by_rows(lambda weight: weight.astype(np.float64) @ flat, operator.weight)
    return operator @ flat


def population_shape(shape: Shape) -> Shape:
    """(C, H, W) for maps (one-dimensional ones get height 1), (N,) for everything else."""
    if len(shape) == 3:
        return shape
    if len(shape) == 2:
        return (shape[0], 1, shape[1])
    return (prod(shape),)


def chain_operator(shape: Shape, chain: list[Node], result: Shape) -> Operator:
    """One operator for a chain of linear nodes: Conv or Dense where possible, else a matrix."""
    start = shape
    merged: list[tuple[Node, Shape]] = []  # with the shape each one reads
    for node in joined_moves(narrowed(chain, shape)):
        reads, shape = shape, node.output_shape([shape])
        while merged and (both := compose(merged[-1][0], node, merged[-1][1])) is not None:
            node, reads = both, merged.pop()[1]
        merged.append((node, reads))
    real = [(node, reads) for node, reads in merged if not is_reshape(node)]
    if len(real) == 1:
        node, reads = real[0]
        if isinstance(node, Pool):
            node = pool_as_conv(node, reads) or node
        if isinstance(node, Dense):
            return node
        fits = population_shape(start) == population_shape(reads)
        lands = population_shape(node.output_shape([reads])) == population_shape(result)
        if isinstance(node, Conv) and fits and lands and len(reads) in (2, 3):
            return two_dimensional(node)
        if isinstance(node, Conv) and _reads_all(node, reads):
            flat = np.zeros(len(node.weight), np.float32)
            return Dense(node.name, node.weight.reshape(len(flat), -1), flat)
    if not real:
        same = population_shape(start) == population_shape(result)
        return identity_operator(population_shape(start) if same else (prod(start),))
    return reduce(lambda done, step: as_matrix(*step) @ done, real[1:], as_matrix(*real[0]))


def _reads_all(conv: Conv, shape: Shape) -> bool:
    """Whether each output reads the whole map once, in order: a dense layer."""
    apart = any(d != 1 and k != 1 for d, k in zip(conv.dilation, conv.kernel, strict=True))
    return conv.kernel == shape[1:] and conv.groups == 1 and not any(conv.padding) and not apart


def identity_operator(shape: Shape) -> Operator:
    """Each neuron to its counterpart: of maps a convolution channel by channel, else a matrix."""
    if len(shape) != 3:
        return sparse.identity(prod(shape), format="csr")
    channels = shape[0]
    ones = np.ones((channels, 1, 1, 1), np.float32)
    return Conv("identity", ones, np.zeros(channels, np.float32), groups=channels)


def times(operator: Operator, factor: float) -> Operator:
    """The operator with all weights multiplied by a number."""
    if isinstance(operator, Conv | Dense):
        return replace(operator, weight=operator.weight * np.float32(factor))
    return operator * factor


def two_dimensional(conv: Conv) -> Conv:
    """A one-dimensional convolution as a two-dimensional one of height 1."""
    if conv.weight.ndim == 4:
        return conv
    before, after = conv.padding
    return Conv(
        conv.name,
        conv.weight[:, :, None, :],
        conv.bias[..., None, :] if conv.bias.ndim > 1 else conv.bias,
        (1, *conv.stride),
        (0, before, 0, after),
        (1, *conv.dilation),
        conv.groups,
    )
