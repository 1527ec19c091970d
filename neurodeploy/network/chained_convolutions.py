"""Two convolutions in a row, without an activation between, as one (linear bottlenecks)."""

from __future__ import annotations

import numpy as np

from neurodeploy.network.nodes import Conv, Shape

__all__ = ["chained"]

#: Weights of a product, at most: a kernel of this size is a layer of its own.
_MAX_WEIGHTS = 50_000_000


def chained(first: Conv, second: Conv, shape: Shape) -> Conv | None:
    """``second(first(x))`` as one convolution (biases are left out).

    The product has one weight a pair of outer channels and cell of the joint kernel. Written out
    as a matrix it would have as many a position.

    Cases
    -----
    1. A second without padding: kernels of any size; the joint kernel reaches
       ``(K1 - 1) d1 + (K2 - 1) d2 s1 + 1`` cells.
    2. A padded second behind a first of one cell without padding: what the padding stands for is
       zero, with or without the first.
    3. None where the second's padding would meet what a larger first makes of the map's border,
       or its windows end inside the map.

    Parameters
    ----------
    shape
        Of x.
    """
    rank = len(first.kernel)
    one_cell = set(first.kernel) == {1} and not any(first.padding)
    if any(second.padding) and not one_cell:
        return None
    outputs, groups = second.weight.shape[0], _groups(first, second)
    inputs = shape[0] // groups
    reach = [
        [(first.kernel[a] - 1) * first.dilation[a] + 1 for a in range(rank)],
        [(second.kernel[a] - 1) * second.dilation[a] * first.stride[a] for a in range(rank)],
    ]
    size = [reach[0][a] + reach[1][a] for a in range(rank)]
    # one cell stays one cell however far apart the second's are
    spread = one_cell and max(second.kernel) > 1
    kernel = list(second.kernel) if spread else size
    if outputs * inputs * int(np.prod(kernel)) > _MAX_WEIGHTS:
        return None
    padding = _padding(first, second, shape, size)
    if padding is None:
        return None
    weight = _product(first, second, groups, kernel, spread)
    steps = [second.dilation[a] * first.stride[a] for a in range(rank)]
    return Conv(
        second.name,
        weight.astype(np.float32),
        second.bias,
        tuple(second.stride[a] * first.stride[a] for a in range(rank)),
        padding,
        tuple(steps) if spread else (1,) * rank,
        groups,
    )


def _groups(first: Conv, second: Conv) -> int:
    """Groups of the product: those of both where they are the same, else all channels mix."""
    return first.groups if first.groups == second.groups else 1


def _padding(first: Conv, second: Conv, shape: Shape, size: list[int]) -> Shape | None:
    """Padding of the product, so that it has as many windows as the second."""
    rank = len(size)
    counts = second.output_shape([first.output_shape([shape])])[1:]
    begins, ends = [], []
    for axis in range(rank):
        begin = first.padding[axis] + second.padding[axis] * first.stride[axis]
        stride = second.stride[axis] * first.stride[axis]
        end = (counts[axis] - 1) * stride + size[axis] - shape[1 + axis] - begin
        if end <= -stride:  # there would be one window more
            return None
        begins.append(begin)
        ends.append(max(end, 0))
    return (*begins, *ends)


def _product(first: Conv, second: Conv, groups: int, kernel: list[int], spread: bool) -> np.ndarray:
    """Sums over the channels between, float64 (outputs, inputs / groups, *kernel)."""
    rank = len(kernel)
    one, two = (_grouped(conv, groups) for conv in (first, second))
    outputs, inputs = two.shape[1], one.shape[2]
    found = np.zeros((groups, outputs, inputs, *kernel))
    for at in np.ndindex(*second.kernel):
        part = two[(slice(None), slice(None), slice(None), *at)]
        between = np.einsum("gom,gmi...->goi...", part, one, optimize=True)
        if spread:
            found[(slice(None), slice(None), slice(None), *at)] = between.reshape(
                groups, outputs, inputs
            )
            continue
        begin = [at[a] * second.dilation[a] * first.stride[a] for a in range(rank)]
        cells = tuple(
            slice(
                begin[a],
                begin[a] + (first.kernel[a] - 1) * first.dilation[a] + 1,
                first.dilation[a],
            )
            for a in range(rank)
        )
        found[(slice(None), slice(None), slice(None), *cells)] += between
    return found.reshape(groups * outputs, inputs, *kernel)


def _grouped(conv: Conv, groups: int) -> np.ndarray:
    """Weights as (groups, outputs, inputs, *kernel), zeros where finer groups do not meet."""
    outputs, inputs = conv.weight.shape[:2]
    kernel = conv.weight.shape[2:]
    weight = conv.weight.astype(np.float64)
    if groups == conv.groups:
        return weight.reshape(groups, outputs // groups, inputs, *kernel)
    whole = np.zeros((outputs, conv.groups, inputs, *kernel))
    own = np.repeat(np.arange(conv.groups), outputs // conv.groups)
    whole[np.arange(outputs), own] = weight
    return whole.reshape(1, outputs, conv.groups * inputs, *kernel)
