"""Moves of whole channels (slices, shuffles, branches of a concatenation) beside a convolution.

Written out, a move in front of a convolution makes a list of single synapses of it. But a
convolution of moved channels is a convolution of the channels with its weights moved.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from neurodeploy.network.by_rows import by_rows
from neurodeploy.network.nodes import Conv, Dense, Node, Permute, Shape

__all__ = [
    "joined_moves",
    "moved_channels",
    "moved_columns",
    "through_move",
    "with_moved_outputs",
]


def joined_moves(chain: Iterable[Node]) -> list[Node]:
    """The chain with moves that follow each other made one."""
    done: list[Node] = []
    for node in chain:
        before = done[-1] if done else None
        if isinstance(node, Permute) and isinstance(before, Permute):
            done[-1] = Permute(node.name, node.shape, _composed(before.indices, node.indices))
        else:
            done.append(node)
    return done


def _composed(first: np.ndarray | None, second: np.ndarray | None) -> np.ndarray | None:
    if first is None or second is None:
        return first if second is None else second
    return np.where(second < 0, -1, first[second])


def moved_channels(move: Node, shape: Shape) -> np.ndarray | None:
    """The channel that each channel of the result is, -1 for zeros; None if others are moved too.

    Parameters
    ----------
    shape
        Of what is moved.
    """
    if not isinstance(move, Permute) or move.indices is None or len(shape) < 2:
        return None
    if len(move.shape) != len(shape) or move.shape[1:] != shape[1:]:
        return None
    places = move.indices.reshape(move.shape[0], -1)
    area = places.shape[1]
    channel = np.where(places[:, 0] < 0, -1, places[:, 0] // area)
    whole = channel[:, None] * area + np.arange(area)
    return channel if np.array_equal(places, np.where(whole < 0, -1, whole)) else None


def through_move(move: Node, conv: Conv, shape: Shape) -> Conv | None:
    """``conv(move(x))`` as one convolution (biases are left out); None for groups.

    Parameters
    ----------
    shape
        Of x.
    """
    channel = moved_channels(move, shape)
    if channel is None or conv.groups != 1:
        return None
    by_input = np.zeros((shape[0], len(conv.weight), *conv.kernel), conv.weight.dtype)
    there = channel >= 0
    np.add.at(by_input, channel[there], conv.weight[:, there].swapaxes(0, 1))
    return replace(conv, weight=np.ascontiguousarray(by_input.swapaxes(0, 1)))


def with_moved_outputs(conv: Conv, move: Node, shape: Shape) -> Conv | None:
    """``move(conv(x))`` as one convolution, its name the move's; None for groups.

    Parameters
    ----------
    shape
        Of x.
    """
    channel = moved_channels(move, conv.output_shape([shape]))
    if channel is None or conv.groups != 1:
        return None
    there = (channel >= 0).reshape((-1,) + (1,) * (conv.weight.ndim - 1))
    weight = np.where(there, conv.weight[channel], 0).astype(conv.weight.dtype)
    return replace(conv, name=move.name, weight=weight, bias=np.zeros(len(weight), np.float32))


def moved_columns(move: Permute, dense: Dense, inputs: int) -> Dense:
    """``dense(move(x))`` as one layer of so many inputs (biases are left out)."""
    if move.indices is None:
        return dense
    there = np.flatnonzero(move.indices >= 0)
    order = there[np.argsort(move.indices[there], kind="stable")]
    target, begins = np.unique(move.indices[order], return_index=True)

    def moved(weight: np.ndarray) -> np.ndarray:
        found = np.zeros((len(weight), inputs), np.float32)
        if order.size:  # an input that is read several times has the sum of its weights
            found[:, target] = np.add.reduceat(weight[:, order], begins, axis=1, dtype=np.float64)
        return found

    return Dense(dense.name, by_rows(moved, dense.weight), dense.bias)
