"""Tile, Expand, DepthToSpace, SpaceToDepth and Trilu: more ways to move elements."""

from __future__ import annotations

import numpy as np

from neurodeploy.errors import ModelError, UnsupportedError
from neurodeploy.importing.building.builder import Builder, Signal
from neurodeploy.importing.building.operation import Operation
from neurodeploy.importing.building.permuting import check_size, elements, move
from neurodeploy.importing.registry import register

__all__ = ["depth_to_space", "expand", "space_to_depth", "tile", "trilu"]

_MIXES = "samples of a batch do not meet in a spiking network"


@register("Tile", integers="moves")
def tile(operation: Operation, net: Builder) -> Signal:
    """``Tile``: copies along any axis but the batch."""
    x = operation.signal(0)
    repeats = operation.ints_at(1)
    if repeats is None or len(repeats) != len(x.shape) + 1 or any(n < 1 for n in repeats):
        raise ModelError(f"repeats {repeats} are not {len(x.shape) + 1} positive numbers")
    if repeats[0] != 1:
        raise UnsupportedError(f"repeats the batch: {_MIXES}", remedy="repeat other axes")
    check_size([n * times for n, times in zip(x.shape, repeats[1:], strict=True)], "repeating")
    return move(net, operation.name, x, np.tile(elements(x), repeats[1:]))


@register("Expand", integers="moves")
def expand(operation: Operation, net: Builder) -> Signal:
    """``Expand``: axes of size 1 repeated, the batch axis left first and as it is."""
    x = operation.signal(0)
    full = (net.batch, *x.shape)
    wanted = operation.ints_at(1)
    if wanted is None or any(n < 1 for n in wanted):
        raise ModelError(f"shape {wanted} is not a list of positive numbers")
    check_size(wanted, "expanding")
    try:
        joined = np.broadcast_shapes(full, wanted)
    except ValueError:
        raise ModelError(f"an input of shape {full} does not expand to {wanted}") from None
    if len(joined) != len(full) or joined[0] != net.batch:
        raise UnsupportedError(
            f"expands an input of shape {full} to {joined}, whose first axis is not its batch",
            remedy="keep the batch axis first, and expand other axes",
        )
    check_size(joined, "expanding")
    return move(net, operation.name, x, np.broadcast_to(elements(x), joined[1:]))


def _block(operation: Operation, x: Signal) -> int:
    block = operation.integer("blocksize", 0)
    if block < 1 or len(x.shape) != 3:
        raise ModelError(f"blocks of {block} do not fit an input of shape {x.shape}")
    return block


def _order(operation: Operation) -> str:
    mode = operation.text("mode", "DCR")
    if mode not in ("DCR", "CRD"):
        raise ModelError(f"mode {mode!r} does not exist")
    return mode


@register("DepthToSpace", integers="moves")
def depth_to_space(operation: Operation, net: Builder) -> Signal:
    """``DepthToSpace``: channels become blocks of cells, in the order DCR or CRD."""
    x = operation.signal()
    block = _block(operation, x)
    channels, height, width = x.shape
    if channels % block**2:
        raise ModelError(f"{channels} channels do not divide into blocks of {block} x {block}")
    depth = channels // block**2
    if _order(operation) == "DCR":
        parts = elements(x).reshape(block, block, depth, height, width).transpose(2, 3, 0, 4, 1)
    else:
        parts = elements(x).reshape(depth, block, block, height, width).transpose(0, 3, 1, 4, 2)
    return move(net, operation.name, x, parts.reshape(depth, height * block, width * block))


@register("SpaceToDepth", integers="moves")
def space_to_depth(operation: Operation, net: Builder) -> Signal:
    """``SpaceToDepth``: blocks of cells become channels, in the order DCR or CRD."""
    x = operation.signal()
    block = _block(operation, x)
    channels, height, width = x.shape
    if height % block or width % block:
        raise ModelError(f"a map of {height} x {width} does not divide into blocks of {block}")
    high, wide = height // block, width // block
    parts = elements(x).reshape(channels, high, block, wide, block)
    parts = parts.transpose((2, 4, 0, 1, 3) if _order(operation) == "DCR" else (0, 2, 4, 1, 3))
    return move(net, operation.name, x, parts.reshape(channels * block**2, high, wide))


@register("Trilu")
def trilu(operation: Operation, net: Builder) -> Signal:
    """``Trilu``: the upper or lower triangle of the last two axes, zeros elsewhere."""
    x = operation.signal(0)
    if len(x.shape) < 2:
        raise UnsupportedError(
            f"takes a triangle across the batch: {_MIXES}",
            remedy="give the input two axes behind the batch",
        )
    given = operation.ints_at(1)
    if given is not None and len(given) != 1:
        raise ModelError(f"k {given} is not one number")
    reach = sum(x.shape)  # beyond the last diagonal nothing changes
    k = 0 if given is None else max(-reach, min(given[0], reach))
    cut = np.triu if operation.integer("upper", 1) else np.tril
    return move(net, operation.name, x, cut(elements(x) + 1, k) - 1)
