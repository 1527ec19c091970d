"""AveragePool, MaxPool and their global forms."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from neurodeploy.errors import ModelError, UnsupportedError
from neurodeploy.importing.building.builder import Builder, Signal
from neurodeploy.importing.building.operation import Operation
from neurodeploy.importing.building.sliding_window import Window, read_window
from neurodeploy.importing.registry import register
from neurodeploy.network import Pool, Shape

__all__ = ["global_pool", "pool"]


def _round_up(window: Window, size: Shape) -> Window:
    """The window with end padding so that rounding down gives what ``ceil_mode`` asks for."""
    rank = len(size)
    padding = list(window.padding)
    for axis in range(rank):
        step, begin, end = window.stride[axis], padding[axis], padding[rank + axis]
        free = size[axis] + begin + end - window.extent(axis)
        if free < 0:
            raise ModelError(f"the kernel is larger than its padded input {size}")
        count = -(-free // step) + 1
        if (count - 1) * step >= size[axis] + begin:
            count -= 1  # a window must start within the input or the padding before it
        needed = (count - 1) * step + window.extent(axis) - size[axis] - begin
        padding[rank + axis] = max(end, needed)
    return replace(window, padding=tuple(padding))


def _sees_nothing(window: Window, size: Shape) -> bool:
    """Whether all cells of some window are padding: a dilated kernel may step over a small map.

    Padding is smaller than the kernel, so a window reaches the map; it steps over it if the first
    cell that is not in the padding before lies behind the map.
    """
    for axis, n in enumerate(size):
        step, stride, before = window.dilation[axis], window.stride[axis], window.padding[axis]
        free = n + before + window.padding[len(size) + axis] - window.extent(axis)
        if step > n and free >= 0:  # then there are few windows
            starts = range(-before, min(0, free - before + 1), stride)
            if any(start % step >= n for start in starts):
                return True
    return False


@register("AveragePool")
@register("MaxPool", integers="moves")
def pool(operation: Operation, net: Builder) -> Signal:
    """A `Pool`: average, or the maximum.

    1. Stride, dilation, pads, auto_pad; count_include_pad, which means nothing without padding.
    2. ceil_mode as end padding, where that is exact: always, but for averages that count padding.
    3. Refused: auto_pad SAME with dilation (ONNX Runtime pads as if there were none), indices as a
       second output, padding as large as the kernel, dilated windows whose every cell is padding,
       averages of ceil_mode that count padding.
    """
    operation.only_first_output()
    x = operation.signal()
    kernel = operation.ints("kernel_shape")
    if kernel is None or len(x.shape) < 2:
        raise ModelError(f"kernel_shape {kernel} does not fit an input of shape {x.shape}")
    window = read_window(operation, x.shape[1:], kernel)
    if operation.text("auto_pad", "NOTSET").startswith("SAME") and max(window.dilation) > 1:
        raise UnsupportedError(
            "pads by auto_pad around a dilated kernel, of which runtimes disagree",
            remedy="export with explicit pads",
        )
    average = operation.op_type == "AveragePool"
    include = average and operation.flag("count_include_pad")
    if not any(window.padding):
        include = False
    if operation.flag("ceil_mode") and operation.text("auto_pad", "NOTSET") == "NOTSET":
        rounded = _round_up(window, x.shape[1:])
        if include and rounded != window:
            raise UnsupportedError(
                "averages over padding with ceil_mode, so windows at the end count fewer cells",
                remedy="export with ceil_mode=0 or count_include_pad=0",
            )
        window = rounded
    if any(pad >= n for pad, n in zip(window.padding, kernel * 2, strict=True)) or _sees_nothing(
        window, x.shape[1:]
    ):
        raise UnsupportedError(
            f"padding {window.padding} is as large as its kernel {kernel} (or its dilation "
            f"{window.dilation} steps over the map): windows see nothing",
            remedy="use less padding",
        )
    operation_kind: Literal["average", "max"] = "average" if average else "max"
    node = Pool(
        net.unique(operation.name),
        operation=operation_kind,
        kernel=kernel,
        stride=window.stride,
        padding=window.padding,
        dilation=window.dilation,
        count_include_pad=include,
    )
    return net.add(node, x)


@register("GlobalAveragePool", "GlobalMaxPool")
def global_pool(operation: Operation, net: Builder) -> Signal:
    """``GlobalAveragePool`` and ``GlobalMaxPool``: a pool whose kernel is the map."""
    x = operation.signal()
    if not 2 <= len(x.shape) <= 4:
        raise ModelError(f"an input of shape {x.shape} has no one to three spatial axes")
    average = operation.op_type == "GlobalAveragePool"
    return net.add(whole_map(net.unique(operation.name), x.shape, average), x)


def whole_map(name: str, shape: Shape, average: bool) -> Pool:
    """A pool over all spatial axes of a map of `shape`."""
    kernel = shape[1:]
    return Pool(
        name,
        operation="average" if average else "max",
        kernel=kernel,
        stride=kernel,
        padding=(0,) * (2 * len(kernel)),
        dilation=(1,) * len(kernel),
    )
