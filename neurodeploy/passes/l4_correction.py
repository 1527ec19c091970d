"""The L4-norm correction: equal noise at a common threshold under Poisson input.

Allred & Roy (2021, arXiv 2111.09446) observe that with Poisson input the standard deviation of
the pre-firing membrane is proportional to the L4 norm of a neuron's weights,
``||w_i||_4 * sqrt(t * ||r||_2 * cos(phi))``. Their abstract gives no adjustment formula; the one
below is ours (`docs/l4.md`).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

from neurodeploy.network import Activation, Conv, Dense, Linear, Network, Node, Permute, Shape

__all__ = ["L4Correction"]


@dataclass(frozen=True)
class L4Correction:
    """Scale row i of a layer by ``c_i = median_k ||w_k||_4 / ||w_i||_4``, bounded.

    The next layer's column i is scaled by 1/c_i: ReLU's homogeneity keeps the function.
    Layers are taken front to back; a layer's norms see what the one before did to its columns.

    Attributes
    ----------
    bound
        c_i is kept within 1/bound..bound.

    Cases
    -----
    1. Conv or Dense, ReLU without clip, then only Conv or Dense layers (a reshape between
       allowed): corrected.
    2. A clipped ReLU is not homogeneous; Add, Concat, pooling or the output behind it would
       carry the scale along: left as they are.
    """

    bound: float = 4.0
    name: str = "l4-correction"

    def apply(self, network: Network) -> Network:
        """The rescaled network."""
        for node in list(network):
            if isinstance(node, Activation) and node.function == "relu" and node.maximum is None:
                network = self._balance(network, node)
        return network

    def _balance(self, network: Network, activation: Activation) -> Network:
        (source,) = network.inputs_of(activation.name)
        layer = network[source]
        if not isinstance(layer, Linear) or len(network.consumers_of(source)) != 1:
            return network
        shape = network.shapes[activation.name]
        readers = _linear_readers(network, activation.name)
        if not readers:
            return network
        rows = layer.weight.reshape(layer.weight.shape[0], -1).astype(np.float64)
        norms = (rows**4).sum(1) ** 0.25
        living = norms > 0
        if not living.any():
            return network
        factor = np.ones(norms.size)
        factor[living] = np.median(norms[living]) / norms[living]
        factor = np.clip(factor, 1 / self.bound, self.bound)
        changed: list[Node] = [_scale_rows(layer, factor)]
        changed += [_scale_columns(reader, 1 / factor, shape) for reader in readers]
        return network.replace(*changed)


def _linear_readers(network: Network, name: str) -> list[Conv | Dense]:
    """The layers that read a result, reshapes between allowed; none if anything else does."""
    readers: list[Conv | Dense] = []
    for consumer in network.consumers_of(name):
        node = network[consumer]
        if isinstance(node, Linear):
            readers.append(node)
        elif isinstance(node, Permute) and node.indices is None:
            behind = _linear_readers(network, consumer)
            if not behind or any(isinstance(reader, Conv) for reader in behind):
                return []
            readers += behind
        else:
            return []
    return readers


def _scale_rows(layer: Conv | Dense, factor: np.ndarray) -> Conv | Dense:
    def rows(array: np.ndarray) -> np.ndarray:
        return (array * factor.reshape((-1,) + (1,) * (array.ndim - 1))).astype(np.float32)

    return _with(layer, rows(layer.weight), rows(layer.bias))


def _scale_columns(layer: Conv | Dense, factor: np.ndarray, shape: Shape) -> Conv | Dense:
    """Scale what the layer reads from each channel (or neuron) of a result of that shape."""
    weight = layer.weight.astype(np.float64)
    if isinstance(layer, Dense):
        weight = weight * np.repeat(factor, prod(shape) // factor.size)
    else:
        split = factor.reshape(layer.groups, 1, layer.weight.shape[1], 1)
        weight = weight.reshape(layer.groups, -1, layer.weight.shape[1], prod(layer.kernel))
        weight = (weight * split).reshape(layer.weight.shape)
    return _with(layer, weight.astype(np.float32), layer.bias)


def _with(layer: Conv | Dense, weight: np.ndarray, bias: np.ndarray) -> Conv | Dense:
    if isinstance(layer, Dense):
        return Dense(layer.name, weight, bias)
    return Conv(layer.name, weight, bias, layer.stride, layer.padding, layer.dilation, layer.groups)
