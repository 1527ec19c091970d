"""Stride, dilation and padding of a sliding window, as Conv and the poolings share them."""

from __future__ import annotations

from dataclasses import dataclass

from neurodeploy.errors import ModelError, UnsupportedError
from neurodeploy.importing.building.operation import Operation
from neurodeploy.network import Shape

__all__ = ["Window", "read_kernel", "read_window"]

#: Spatial axes that ONNX Runtime slides over.
_MAX_SPATIAL = 3


@dataclass(frozen=True)
class Window:
    """A window along each spatial axis; `padding` is begins, then ends."""

    kernel: Shape
    stride: Shape
    dilation: Shape
    padding: Shape

    def extent(self, axis: int) -> int:
        """Cells the kernel spans."""
        return self.dilation[axis] * (self.kernel[axis] - 1) + 1


def _positive(operation: Operation, name: str, rank: int) -> Shape:
    values = operation.ints(name, (1,) * rank)
    if values is None or len(values) != rank or any(n < 1 for n in values):
        raise ModelError(f"{name} {values} is not {rank} positive numbers")
    return values


def read_kernel(operation: Operation, size: Shape, kernel: Shape) -> Window:
    """Kernel, stride and dilation of a node, without padding; parameters as of `read_window`.

    Refused: more than three spatial axes, lists of wrong length, numbers below one, a
    ``kernel_shape`` that is not `kernel`.
    """
    rank = len(size)
    if not 1 <= rank <= _MAX_SPATIAL:
        raise UnsupportedError(f"slides over {rank} axes; 1 to {_MAX_SPATIAL} are supported")
    if len(kernel) != rank or any(n < 1 for n in kernel):
        raise ModelError(f"kernel {kernel} does not fit an input of {rank} spatial axes {size}")
    if operation.ints("kernel_shape", kernel) != kernel:
        raise ModelError(f"kernel_shape {operation.ints('kernel_shape')} is not that of its weight")
    stride = _positive(operation, "strides", rank)
    dilation = _positive(operation, "dilations", rank)
    return Window(kernel, stride, dilation, (0,) * (2 * rank))


def read_window(operation: Operation, size: Shape, kernel: Shape) -> Window:
    """The window of a node.

    1. ``pads`` as given; ``auto_pad`` VALID is none.
    2. SAME_UPPER and SAME_LOWER: as much as makes the output ``ceil(size / stride)``, the odd cell
       at the end or at the begin.
    3. Refused: negative pads, what `read_kernel` refuses.

    Parameters
    ----------
    size
        Of the input, spatial axes only.
    kernel
        Kernel size.
    """
    rank = len(size)
    plain = read_kernel(operation, size, kernel)
    stride, dilation = plain.stride, plain.dilation
    mode = operation.text("auto_pad", "NOTSET")
    if mode == "VALID":
        return plain
    if mode in ("SAME_UPPER", "SAME_LOWER"):
        begins, ends = [], []
        for axis, (n, step) in enumerate(zip(size, stride, strict=True)):
            total = max((-(-n // step) - 1) * step + plain.extent(axis) - n, 0)
            small, large = total // 2, total - total // 2
            begins.append(small if mode == "SAME_UPPER" else large)
            ends.append(large if mode == "SAME_UPPER" else small)
        return Window(kernel, stride, dilation, (*begins, *ends))
    if mode != "NOTSET":
        raise ModelError(f"auto_pad {mode!r} does not exist")
    pads = operation.ints("pads", (0,) * (2 * rank)) or ()
    if len(pads) != 2 * rank:
        raise ModelError(f"pads {pads} are not {2 * rank} numbers")
    if any(n < 0 for n in pads):
        raise UnsupportedError(
            f"pads {pads} cut instead of padding", remedy="use a Slice before this node"
        )
    return Window(kernel, stride, dilation, pads)
