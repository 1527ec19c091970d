"""The closed set of node kinds of a float Network.

Shapes exclude the batch axis; the order of axes is C, H, W.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Literal

import numpy as np

from neurodeploy.errors import ModelError

__all__ = [
    "Activation",
    "Add",
    "Concat",
    "Conv",
    "Dense",
    "Input",
    "Linear",
    "Node",
    "Output",
    "Permute",
    "Pool",
    "Shape",
]

Shape = tuple[int, ...]


def _window(size: Shape, kernel: Shape, stride: Shape, padding: Shape, dilation: Shape) -> Shape:
    """Output size of a sliding window along each spatial axis (rounded down)."""
    rank = len(size)
    out = []
    for axis in range(rank):
        extent = dilation[axis] * (kernel[axis] - 1) + 1
        free = size[axis] + padding[axis] + padding[rank + axis] - extent
        if free < 0:
            raise ModelError(f"the kernel ({extent}) is larger than its padded input ({size})")
        out.append(free // stride[axis] + 1)
    return tuple(out)


@dataclass(frozen=True, eq=False)
class Node:
    """One operation; `name` is unique in its network and tells where it came from."""

    name: str

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        """Shape of the result, or `ModelError` if the inputs do not fit."""
        raise NotImplementedError

    def _one(self, inputs: Sequence[Shape]) -> Shape:
        if len(inputs) != 1:
            raise ModelError(f"takes one input, has {len(inputs)}", place=self.name)
        return inputs[0]


@dataclass(frozen=True, eq=False)
class Input(Node):
    """The entrance of the network."""

    shape: Shape = ()

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        if inputs:
            raise ModelError("an input takes no input", place=self.name)
        return self.shape


@dataclass(frozen=True, eq=False)
class Output(Node):
    """The exit of the network."""

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        return self._one(inputs)


@dataclass(frozen=True, eq=False)
class Dense(Node):
    """``y = weight @ x + bias`` on an input flattened in C order.

    Attributes
    ----------
    weight
        float32 (outputs, inputs).
    bias
        float32 (outputs,).
    """

    weight: np.ndarray = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    bias: np.ndarray = field(default_factory=lambda: np.zeros(0, np.float32))

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        shape = self._one(inputs)
        if prod(shape) != self.weight.shape[1] or self.bias.shape != self.weight.shape[:1]:
            raise ModelError(
                f"weight {self.weight.shape} and bias {self.bias.shape} "
                f"do not fit an input of shape {shape}",
                place=self.name,
            )
        return (int(self.weight.shape[0]),)


@dataclass(frozen=True, eq=False)
class Conv(Node):
    """n-dimensional correlation (ONNX ``Conv``) with zero padding.

    Attributes
    ----------
    weight
        float32 (out channels, in channels / groups, *kernel).
    bias
        float32 (out channels,), or of the shape of the result where each neuron has its own
        (a shift folded through a zero-padded border).
    stride, dilation
        One a spatial axis.
    padding
        Begins of all spatial axes, then ends (ONNX order).
    """

    weight: np.ndarray = field(default_factory=lambda: np.zeros((0, 0, 0, 0), np.float32))
    bias: np.ndarray = field(default_factory=lambda: np.zeros(0, np.float32))
    stride: Shape = (1, 1)
    padding: Shape = (0, 0, 0, 0)
    dilation: Shape = (1, 1)
    groups: int = 1

    @property
    def kernel(self) -> Shape:
        """Kernel size along each spatial axis."""
        return tuple(int(n) for n in self.weight.shape[2:])

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        shape = self._one(inputs)
        rank = self.weight.ndim - 2
        if (
            len(shape) != rank + 1
            or shape[0] != self.weight.shape[1] * self.groups
            or self.weight.shape[0] % self.groups
            or (len(self.stride), len(self.padding), len(self.dilation)) != (rank, 2 * rank, rank)
        ):
            raise ModelError(
                f"weight {self.weight.shape} in {self.groups} groups "
                f"does not fit an input of shape {shape}",
                place=self.name,
            )
        spatial = _window(shape[1:], self.kernel, self.stride, self.padding, self.dilation)
        result = (int(self.weight.shape[0]), *spatial)
        if self.bias.shape not in (result[:1], result):
            raise ModelError(f"bias {self.bias.shape} does not fit {result}", place=self.name)
        return result


@dataclass(frozen=True, eq=False)
class Pool(Node):
    """Average or maximum over sliding windows, channel by channel.

    A global pooling is one whose kernel is the whole map.

    Attributes
    ----------
    operation
        ``average`` or ``max``.
    count_include_pad
        Average only: whether padded zeros count in the divisor.
    """

    operation: Literal["average", "max"] = "average"
    kernel: Shape = (2, 2)
    stride: Shape = (2, 2)
    padding: Shape = (0, 0, 0, 0)
    dilation: Shape = (1, 1)
    count_include_pad: bool = False

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        shape = self._one(inputs)
        rank = len(self.kernel)
        if len(shape) != rank + 1 or len(self.padding) != 2 * rank:
            raise ModelError(
                f"kernel {self.kernel} does not fit an input of shape {shape}", place=self.name
            )
        spatial = _window(shape[1:], self.kernel, self.stride, self.padding, self.dilation)
        return (shape[0], *spatial)


@dataclass(frozen=True, eq=False)
class Activation(Node):
    """``relu``: ``min(max(x, 0), maximum)``; ``identity``: x, at the output only.

    Attributes
    ----------
    maximum
        Upper clip (6 for ReLU6), or None.
    levels
        L where the network was trained with a staircase, ``clip(floor(x L / maximum + 1/2), 0, L)
        * maximum / L`` (clip-floor-shift; Bu et al. 2022, equation 15); None for a ReLU without
        steps. It needs a maximum.
    """

    function: Literal["relu", "identity"] = "relu"
    maximum: float | None = None
    levels: int | None = None

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        if self.levels is not None and (self.maximum is None or self.levels < 1):
            raise ModelError("levels need a maximum, and at least one of them", place=self.name)
        return self._one(inputs)


@dataclass(frozen=True, eq=False)
class Add(Node):
    """Sum of two or more inputs of equal shape."""

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        if len(inputs) < 2 or any(shape != inputs[0] for shape in inputs):
            raise ModelError(f"inputs {list(inputs)} are not of one shape", place=self.name)
        return inputs[0]


@dataclass(frozen=True, eq=False)
class Concat(Node):
    """Inputs joined along `axis` (0 is the channel axis)."""

    axis: int = 0

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        ranks = {len(shape) for shape in inputs}
        rest = {shape[: self.axis] + shape[self.axis + 1 :] for shape in inputs}
        if len(inputs) < 1 or len(ranks) != 1 or len(rest) != 1:
            raise ModelError(f"inputs {list(inputs)} do not join", place=self.name)
        first = inputs[0]
        total = sum(shape[self.axis] for shape in inputs)
        return (*first[: self.axis], total, *first[self.axis + 1 :])


@dataclass(frozen=True, eq=False)
class Permute(Node):
    """Elements moved, repeated, dropped or zero-filled: reshape, transpose, slice, pad.

    ``y.flat[i] = x.flat[indices[i]]``, or 0 where the index is -1.

    Attributes
    ----------
    shape
        Of the result.
    indices
        int64 (prod(shape),), or None for a pure reshape.
    """

    shape: Shape = ()
    indices: np.ndarray | None = None

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        source = prod(self._one(inputs))
        size = prod(self.shape)
        if self.indices is None:
            fits = size == source
        else:
            fits = self.indices.shape == (size,) and bool(
                size == 0 or (self.indices.min() >= -1 and self.indices.max() < source)
            )
        if not fits:
            raise ModelError(f"{inputs[0]} does not become {self.shape}", place=self.name)
        return self.shape


#: Nodes that carry weights.
Linear = Dense | Conv
