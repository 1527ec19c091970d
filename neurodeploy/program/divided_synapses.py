"""Synapses divided by their sources, for sums in parts, and put together again."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

from neurodeploy.program.synapse import Convolution, Dense, Shape, Sparse, Synapses
from neurodeploy.program.triplets import triplets

__all__ = ["MOST_LISTED", "Divided", "divide", "divisors", "put_together"]

#: Synapses that are written out as a list where nothing shorter says which sources a part has.
MOST_LISTED = 2**24


@dataclass(frozen=True, eq=False)
class Divided:
    """A connection as two: to neurons that each add up a part of the sources, and from them on.

    Attributes
    ----------
    shape
        Of the population of helpers.
    parts
        From the sources to the helpers.
    gather
        From the helpers, with weights of 1.
    """

    shape: Shape
    parts: Synapses
    gather: Sparse


def divisors(synapses: Synapses, source: Shape) -> tuple[int, ...]:
    """Into how many parts the sources can be divided, rising; 1 is not among them.

    1. Maps with all their channels (a convolution, a matrix behind maps): divisors of their number.
    2. Else any number, where a list of synapses is not too long.
    """
    channels = _channels(synapses, source)
    if channels > 1:
        return tuple(n for n in range(2, channels + 1) if channels % n == 0)
    if isinstance(synapses, Convolution) or synapses.weights.size > MOST_LISTED:
        return ()
    return tuple(range(2, min(prod(source), 1 << 10) + 1))


def divide(synapses: Synapses, source: Shape, target: Shape, number: int) -> Divided:
    """The same sums in so many parts, one of `divisors`.

    A part of maps is a convolution in groups: it takes no more weights than the whole.
    """
    if _channels(synapses, source) > 1:
        conv = _as_convolution(synapses, source)
        assert conv is not None
        groups, (out, within, *kernel) = conv.groups, conv.weights.shape
        each = out // groups
        cut = conv.weights.reshape(groups, each, number, within // number, *kernel)
        weights = cut.swapaxes(1, 2).reshape(out * number, within // number, *kernel)
        parts = Convolution(weights, conv.stride, conv.padding, conv.dilation, groups * number)
        shape = parts.output_shape(source)
        return Divided(shape, parts, _gather(groups, number, each, prod(shape[1:])))
    targets, sources = prod(target), prod(source)
    to, at, weights = triplets(synapses, source)
    row = at * number // sources * targets + to
    order = np.argsort(row, kind="stable")
    starts = np.zeros(number * targets + 1, np.int64)
    np.cumsum(np.bincount(row, minlength=number * targets), out=starts[1:])
    listed = Sparse(weights[order], at[order].astype(np.int32), starts, sources)
    return Divided((number * targets,), listed, _gather(1, number, targets, 1))


def put_together(
    parts: Synapses, gather: Synapses, source: Shape, helpers: Shape, target: Shape
) -> Synapses | None:
    """The synapses that `divide` divided; None where these are none of its making."""
    number, rest = divmod(prod(helpers), prod(target))
    if rest or number < 2 or not isinstance(gather, Sparse):
        return None
    if isinstance(parts, Convolution):
        groups, rest = divmod(parts.groups, number)
        each = parts.weights.shape[0] // parts.groups
        positions = prod(helpers[1:])
        if rest or not _alike(gather, _gather(groups, number, each, positions)):
            return None
        _, within, *kernel = parts.weights.shape
        cut = parts.weights.reshape(groups, number, each, within, *kernel)
        weights = cut.swapaxes(1, 2).reshape(groups * each, number * within, *kernel)
        whole = Convolution(weights, parts.stride, parts.padding, parts.dilation, groups)
        if whole.output_shape(source) == target:
            return whole
        covers = groups == 1 and tuple(kernel) == source[1:] and positions == 1
        return Dense(weights.reshape(prod(target), -1)) if covers else None
    if not isinstance(parts, Sparse) or not _alike(gather, _gather(1, number, prod(target), 1)):
        return None
    to, at, weights = triplets(parts, source)
    to = to % prod(target)
    order = np.argsort(to, kind="stable")
    to, at, weights = to[order], at[order], weights[order]
    pairs = prod(target), prod(source)
    if weights.size == prod(pairs) and (at.reshape(pairs) == np.arange(pairs[1])).all():
        return Dense(weights.reshape(pairs))
    starts = np.zeros(prod(target) + 1, np.int64)
    np.cumsum(np.bincount(to, minlength=prod(target)), out=starts[1:])
    return Sparse(weights, at.astype(np.int32), starts, prod(source))


def _channels(synapses: Synapses, source: Shape) -> int:
    """Channels of maps that each sum reads all of; 1 where there are none."""
    conv = _as_convolution(synapses, source)
    return 1 if conv is None else int(conv.weights.shape[1])


def _as_convolution(synapses: Synapses, source: Shape) -> Convolution | None:
    """Itself, or a matrix behind maps as a convolution over whole maps."""
    if isinstance(synapses, Convolution):
        return synapses
    if isinstance(synapses, Dense) and len(source) == 3 and source[0] > 1:
        return Convolution(synapses.weights.reshape(-1, *source))
    return None


def _gather(groups: int, number: int, each: int, positions: int) -> Sparse:
    """To each neuron its helpers, which lie group by group, part by part."""
    size = groups * number * each * positions
    index = np.arange(size, dtype=np.int32).reshape(groups, number, each, positions)
    columns = np.ascontiguousarray(np.moveaxis(index, 1, -1).reshape(-1))
    starts = np.arange(0, size + 1, number, dtype=np.int64)
    return Sparse(np.ones(size, np.int8), columns, starts, size)


def _alike(one: Sparse, other: Sparse) -> bool:
    return (
        one.sources == other.sources
        and np.array_equal(one.row_starts, other.row_starts)
        and np.array_equal(one.columns, other.columns)
        and np.array_equal(one.weights, other.weights)
    )
