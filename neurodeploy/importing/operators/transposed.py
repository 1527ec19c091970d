"""ConvTranspose."""

from __future__ import annotations

import numpy as np

from neurodeploy.errors import ModelError, UnsupportedError
from neurodeploy.importing.building.builder import Builder, Signal
from neurodeploy.importing.building.operation import Operation
from neurodeploy.importing.building.permuting import check_size, elements, move
from neurodeploy.importing.building.sliding_window import Window, read_kernel
from neurodeploy.importing.registry import register
from neurodeploy.network import Conv, Shape

__all__ = ["transposed_convolution"]


@register("ConvTranspose")
def transposed_convolution(operation: Operation, net: Builder) -> Signal:
    """``ConvTranspose`` over one, two or three axes, as a `Conv` of the input with zeros between.

    1. Zeros between the cells of the input, ``stride - 1`` of them: a `Permute`. None for stride 1.
    2. A `Conv` of stride 1 with the kernel turned round, in and out channels exchanged.
    3. Cells that pads or output_shape drop beyond the kernel's reach are dropped by the `Permute`.
    4. Refused: negative pads, an output larger than the kernel reaches, shapes that do not fit.
    """
    x = operation.signal(0)
    weight = operation.required(1)
    bias = operation.weights(2)
    groups = operation.integer("group", 1)
    if weight.ndim < 3 or weight.ndim != len(x.shape) + 1 or weight.shape[0] != x.shape[0]:
        raise ModelError(f"weight {weight.shape} does not fit an input of shape {x.shape}")
    if groups < 1 or weight.shape[0] % groups or not weight.size:
        raise ModelError(f"{weight.shape[0]} input channels do not divide into {groups} groups")
    window = read_kernel(operation, x.shape[1:], tuple(int(n) for n in weight.shape[2:]))
    channels = weight.shape[1] * groups
    extra, pads = _padding(operation, window, x.shape[1:])
    rank = len(x.shape) - 1
    reach = [window.extent(axis) - 1 for axis in range(rank)]
    begins = [reach[axis] - pads[axis] for axis in range(rank)]
    ends = [reach[axis] - pads[rank + axis] + extra[axis] for axis in range(rank)]
    sources = []
    for axis, n in enumerate(x.shape[1:]):
        cells = (n - 1) * window.stride[axis] + 1
        inside = begins[axis] < 0 or ends[axis] < 0
        before, after = (begins[axis], ends[axis]) if inside else (0, 0)
        if inside:
            begins[axis] = ends[axis] = 0
        check_size((before + cells + after,), "the input with zeros between its cells")
        sources.append(_spread(n, window.stride[axis], before, before + cells + after))
    check_size((x.shape[0], *(s.size for s in sources)), "the input with zeros between its cells")
    node = Conv(
        net.unique(operation.name),
        weight=_turned(weight, groups),
        bias=np.zeros(channels, np.float32) if bias is None else bias,
        stride=(1,) * rank,
        padding=(*begins, *ends),
        dilation=window.dilation,
        groups=groups,
    )
    return net.add(node, move(net, f"{operation.name}/spread", x, _cells(x, sources)))


def _spread(size: int, stride: int, before: int, length: int) -> np.ndarray:
    """For each of `length` cells the input cell that lies there, or -1 for a zero."""
    cell, between = np.divmod(np.arange(length) - before, stride)
    return np.where((between == 0) & (cell >= 0) & (cell < size), cell, -1)


def _cells(x: Signal, sources: list[np.ndarray]) -> np.ndarray:
    """Indices into `x` from those along each spatial axis; -1 wherever one of them is -1."""
    grid = np.ix_(np.arange(x.shape[0]), *sources)
    chosen = elements(x)[grid]
    empty: np.ndarray = np.zeros((), bool)
    for along in grid[1:]:
        empty = empty | (along < 0)
    return np.where(empty, -1, chosen)


def _turned(weight: np.ndarray, groups: int) -> np.ndarray:
    """ConvTranspose weight (in, out / groups, ...) as Conv weight (out, in / groups, ...)."""
    kernel = weight.shape[2:]
    split = weight.reshape(groups, weight.shape[0] // groups, weight.shape[1], *kernel)
    merged = split.swapaxes(1, 2).reshape(-1, weight.shape[0] // groups, *kernel)
    return np.ascontiguousarray(np.flip(merged, tuple(range(2, weight.ndim))))


def _padding(operation: Operation, window: Window, size: Shape) -> tuple[Shape, Shape]:
    """Cells that output_padding adds at the end, and the pads: begins, then ends.

    ``output_shape`` and SAME derive pads from the size; the odd one is at the end for SAME_UPPER,
    else at the begin.
    """
    rank = len(size)
    extra = operation.ints("output_padding", (0,) * rank) or ()
    pairs = zip(extra, window.stride, window.dilation, strict=False)
    if len(extra) != rank or any(not 0 <= n < max(s, d) for n, s, d in pairs):
        raise ModelError(f"output_padding {extra} is not {rank} numbers below stride or dilation")
    mode = operation.text("auto_pad", "NOTSET")
    pads = operation.ints("pads", (0,) * (2 * rank)) or ()
    if mode not in ("NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"):
        raise ModelError(f"auto_pad {mode!r} does not exist")
    if len(pads) != 2 * rank or any(n < 0 for n in pads):
        raise ModelError(f"pads {pads} are not {2 * rank} numbers from 0")
    if mode != "NOTSET" and any(pads):
        raise ModelError(f"gives pads {pads} beside auto_pad {mode}")
    wanted = operation.ints("output_shape")
    if wanted is None and not mode.startswith("SAME"):
        return extra, pads
    if wanted is None:
        wanted = tuple(n * step for n, step in zip(size, window.stride, strict=True))
    if len(wanted) != rank or any(n < 1 for n in wanted):
        raise ModelError(f"output_shape {wanted} is not {rank} positive numbers")
    begins, ends = [], []
    for axis, n in enumerate(size):
        reached = window.stride[axis] * (n - 1) + extra[axis] + window.extent(axis)
        surplus = reached - wanted[axis]
        if surplus < 0:
            raise UnsupportedError(
                f"shall give {wanted} cells, but its kernel reaches {reached} along axis {axis}; "
                "runtimes disagree on the rest",
                remedy="export with pads and output_padding in place of output_shape or auto_pad",
            )
        small, large = surplus // 2, surplus - surplus // 2
        begins.append(small if mode == "SAME_UPPER" else large)
        ends.append(large if mode == "SAME_UPPER" else small)
    return extra, (*begins, *ends)
