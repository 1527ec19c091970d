"""Linear maps between layers, dense or convolutional, without bias; and their transposes."""

from __future__ import annotations

import math
import re

import torch
from torch import nn
from torch.nn import functional, grad

from neurodeploy.errors import UsageError, shown

__all__ = ["ConvolutionalSynapses", "DenseSynapses", "Shape", "Synapses", "layers_of"]

Shape = tuple[int, ...]
_CONVOLUTION = re.compile(r"(\d+)c(\d+)(?:s(\d+))?(?:p(\d+))?")
_SYNTAX = "write 784-300-10, or 2x34x34-8c5s2-16c3s2p1-100-10 (channels, kernel, stride, padding)"
#: Weights of one layer, and inputs or neurons of one: far above what trains here.
_MOST = 2**28


class Synapses(nn.Module):
    """A linear map; arrays have any axes before those of its shapes.

    Attributes
    ----------
    weight
        The parameter.
    shape
        Of what it yields.
    """

    weight: nn.Parameter
    shape: Shape

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """What spikes or currents x bring."""
        raise NotImplementedError

    def transposed(self, d: torch.Tensor) -> torch.Tensor:
        """Gradient of the input, from that of the output."""
        raise NotImplementedError

    def weight_gradient(self, d: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        """Gradient of the weights, summed over all axes before the layer's."""
        raise NotImplementedError


class DenseSynapses(Synapses):
    """``weight`` (outputs, inputs); the input is read flat, in C order."""

    def __init__(self, inputs: Shape, outputs: int, std: float, seed: torch.Generator) -> None:
        super().__init__()
        self.inputs, self.shape = inputs, (outputs,)
        size = (outputs, math.prod(inputs))
        self.weight = nn.Parameter(torch.randn(size, generator=seed) * std)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """See `Synapses.forward`."""
        return functional.linear(x.flatten(x.ndim - len(self.inputs)), self.weight)

    def transposed(self, d: torch.Tensor) -> torch.Tensor:
        """See `Synapses.transposed`."""
        return (d @ self.weight).unflatten(-1, self.inputs)

    def weight_gradient(self, d: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        """See `Synapses.weight_gradient`."""
        return d.flatten(0, -2).t() @ x.reshape(-1, self.weight.shape[1])


class ConvolutionalSynapses(Synapses):
    """``weight`` (channels, input channels, height, width)."""

    def __init__(
        self,
        inputs: Shape,
        channels: int,
        kernel: int,
        stride: int,
        padding: int,
        std: float,
        seed: torch.Generator,
    ) -> None:
        super().__init__()
        self.inputs, self.stride, self.padding = inputs, stride, padding
        height, width = ((n + 2 * padding - kernel) // stride + 1 for n in inputs[1:])
        self.shape = (channels, height, width)
        size = (channels, inputs[0], kernel, kernel)
        self.weight = nn.Parameter(torch.randn(size, generator=seed) * std)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """See `Synapses.forward`."""
        maps = x.reshape(-1, *self.inputs)
        made = functional.conv2d(maps, self.weight, stride=self.stride, padding=self.padding)
        return made.reshape(*x.shape[:-3], *self.shape)

    def transposed(self, d: torch.Tensor) -> torch.Tensor:
        """See `Synapses.transposed`."""
        maps = d.reshape(-1, *self.shape)
        made = grad.conv2d_input(
            (len(maps), *self.inputs), self.weight, maps, self.stride, self.padding
        )
        return made.reshape(*d.shape[:-3], *self.inputs)

    def weight_gradient(self, d: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        """See `Synapses.weight_gradient`."""
        return grad.conv2d_weight(
            x.reshape(-1, *self.inputs),
            list(self.weight.shape),
            d.reshape(-1, *self.shape),
            self.stride,
            self.padding,
        )


def layers_of(text: str, seed: torch.Generator, gain: float = 1.0) -> tuple[Shape, list[Synapses]]:
    """The input's shape and the layers of a network, in words.

    Parameters
    ----------
    text
        ``784-300-10``: inputs, neurons of each layer, the last one the read-out. ``16c3s2p1``: a
        convolution of 16 channels, kernel 3, stride 2 (1 if left out), padding 1 (0).
    seed
        Of the weights: normal, standard deviation ``gain * sqrt(2 / fan-in)``.

    Raises
    ------
    UsageError
        It is written otherwise, or a kernel is larger than its map.
    """
    first, *others = text.split("-")
    if not re.fullmatch(r"\d+(x\d+x\d+)?", first) or not others:
        raise UsageError(f"{shown(text)} is not a network", place="layers", remedy=_SYNTAX)
    shape: Shape = tuple(map(int, first.split("x")))
    inputs, found = shape, list[Synapses]()
    for word in others:
        made = _layer(word, shape, seed, gain)
        found.append(made)
        shape = made.shape
    if len(shape) != 1:
        raise UsageError("the last layer, the read-out, is not dense", place="layers")
    return inputs, found


def _layer(word: str, shape: Shape, seed: torch.Generator, gain: float) -> Synapses:
    convolution = _CONVOLUTION.fullmatch(word)
    if convolution and len(shape) == 3:
        channels, kernel = int(convolution[1]), int(convolution[2])
        stride, padding = int(convolution[3] or 1), int(convolution[4] or 0)
        fan_in = shape[0] * kernel**2
        spans = [n + 2 * padding - kernel for n in shape[1:]]
        if min(channels, kernel, stride) > 0 and padding < kernel and min(spans) >= 0:
            _check_size(word, channels * fan_in, channels * math.prod(spans))
            std = gain * math.sqrt(2 / fan_in)
            return ConvolutionalSynapses(shape, channels, kernel, stride, padding, std, seed)
    elif word.isdecimal() and int(word) > 0 and math.prod(shape) > 0:
        outputs, fan_in = int(word), math.prod(shape)
        _check_size(word, outputs * fan_in, outputs)
        return DenseSynapses(shape, outputs, gain * math.sqrt(2 / fan_in), seed)
    raise UsageError(
        f"{shown(word)} is no layer that reads {'x'.join(map(str, shape))}",
        place="layers",
        remedy=_SYNTAX,
    )


def _check_size(word: str, *sizes: int) -> None:
    if max(sizes) > _MOST:
        raise UsageError(f"{shown(word)} takes {max(sizes):,} numbers", place="layers")
