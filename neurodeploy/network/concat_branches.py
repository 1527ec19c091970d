"""Branches of a concatenation, brought to the layer behind it as layers of their own.

A concatenation puts a branch among zeros. Written out, that is a matrix, and with a convolution
behind it all the synapses one by one. But the convolution of a branch among zeros is a
convolution of the branch with the weights that read it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod

import numpy as np

from neurodeploy.network.compose import is_channel_affine, is_reshape
from neurodeploy.network.nodes import Conv, Dense, Node, Permute, Pool, Shape

__all__ = ["Embed", "embed", "narrowed"]


@dataclass(frozen=True, eq=False)
class Embed(Permute):
    """A Permute that puts its input at `offset` of the first axis, zeros elsewhere."""

    offset: int = 0


def embed(name: str, part: Shape, shape: Shape, axis: int, offset: int) -> Permute:
    """The move of a branch of shape `part` into a concatenation of `shape`."""
    indices = np.full(shape, -1, np.int64)
    at = [slice(None)] * len(shape)
    at[axis] = slice(offset, offset + part[axis])
    indices[tuple(at)] = np.arange(prod(part)).reshape(part)
    if axis == 0:
        return Embed(name, shape, indices.reshape(-1), offset)
    return Permute(name, shape, indices.reshape(-1))


def narrowed(chain: Sequence[Node], shape: Shape) -> list[Node]:
    """The chain with each `Embed` as far back as it goes, or gone.

    An Embed passes, or is absorbed by

    1. another Embed: the offsets add up;
    2. a scale and shift of each channel, or a pooling: of the branch's channels alone;
    3. a reshape to one axis: the branch is reshaped;
    4. a Conv without groups, a Dense: only the weights that read the branch are left, and the
       Embed is gone.

    Elsewhere it stays. Biases are not cared for: they are void in operators.

    Parameters
    ----------
    chain
        Linear nodes.
    shape
        What the first of them reads.
    """
    done: list[Node] = []
    waiting: Embed | None = None  # reads `shape`, which the nodes in `done` make
    for node in chain:
        if waiting is None:
            if isinstance(node, Embed):
                waiting = node
                continue
            done.append(node)
            shape = node.output_shape([shape])
            continue
        passed = _passed(node, waiting, shape)
        if passed is None:
            moved = _rebuilt(waiting, shape)
            done += [moved, node]
            shape, waiting = node.output_shape([moved.shape]), None
            continue
        own, waiting = passed
        if own is not None:
            done.append(own)
            shape = own.output_shape([shape])
    if waiting is not None:
        done.append(_rebuilt(waiting, shape))
    return done


def _rebuilt(waiting: Embed, shape: Shape) -> Permute:
    whole = (waiting.shape[0], *shape[1:])
    return embed(waiting.name, shape, whole, 0, waiting.offset)


def _passed(node: Node, waiting: Embed, shape: Shape) -> tuple[Node | None, Embed | None] | None:
    """What a node becomes before the Embed, and the Embed behind it; None if that cannot be."""
    part = slice(waiting.offset, waiting.offset + shape[0])
    if isinstance(node, Embed):
        return None, replace(node, offset=node.offset + waiting.offset)
    if isinstance(node, Pool):
        behind = (waiting.shape[0], *node.output_shape([shape])[1:])
        return node, replace(waiting, shape=behind)
    if isinstance(node, Conv) and is_channel_affine(node):
        own = replace(node, weight=node.weight[part], bias=node.bias[part], groups=shape[0])
        return own, waiting
    if isinstance(node, Conv) and node.groups == 1:
        return replace(node, weight=node.weight[:, part]), None
    if isinstance(node, Dense):
        columns = node.weight.reshape(node.weight.shape[0], waiting.shape[0], -1)[:, part]
        return replace(node, weight=columns.reshape(node.weight.shape[0], -1)), None
    if is_reshape(node) and isinstance(node, Permute) and len(node.shape) == 1:
        area = prod(shape[1:])
        flat = replace(waiting, shape=node.shape, offset=waiting.offset * area)
        return replace(node, shape=(prod(shape),)), flat
    return None
