"""Cross-layer equalisation of channels whose weights are far out of the layer's range.

A layer has one threshold and one weight scale. A channel a hundred times larger than its
neighbours takes both, and leaves the neighbours no resolution. ReLU's homogeneity lets a channel
be scaled by f where it is written and by 1/f where it is read (Nagel et al. 2019, section 4.1).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from neurodeploy.network import Linear, Network, Node
from neurodeploy.passes.channels import Channels, columns, rows, spread_columns, trace

__all__ = ["Equalize"]

#: Factors stay within 2**-_FAR..2**_FAR, so that float32 holds what is scaled.
_FAR = 64


@dataclass(frozen=True)
class Equalize:
    """Scale a channel by ``f = sqrt(q / p)``, rounded to a power of two, where that is far from 1.

    p is the largest weight that writes the channel over the median of that layer's channels, q
    the same of the weights that read it; of several writers or readers the largest. So what is
    written and what is read end equally far from their medians: half-way, by square roots. Powers
    of two change no digit of any weight.

    Attributes
    ----------
    least
        Channels with f within 1/least..least stay as they are: ordinary networks do not change.

    Cases
    -----
    1. Whatever lies between writers and readers is followed: ReLU, sums, concatenations,
       poolings, moves. What a sum adds is scaled alike (identity skips: one factor from the block
       that begins the chain to the one that ends it).
    2. A channel that nothing reads is brought down to the median, its bias too.
    3. A row of small weights whose bias is an ordinary one counts as ordinary: it would become a
       large constant.
    4. Left alone: the input, the output, clipped ReLUs and what is added to any of them; channels
       without weights.
    """

    least: float = 4.0
    name: str = "equalize"

    def apply(self, network: Network) -> Network:
        """The rescaled network, or the same where no channel is far out."""
        channels = trace(network)
        factor = self._factors(network, channels)
        if (factor == 1).all():
            return network
        changed: list[Node] = []
        for node in network:
            if isinstance(node, Linear):
                reads = factor[channels.read_by(node.name)]
                writes = factor[channels.written_by(node.name)]
                if (reads != 1).any() or (writes != 1).any():
                    changed.append(_scaled(node, writes, reads))
        return network.replace(*changed)

    def _factors(self, network: Network, channels: Channels) -> np.ndarray:
        written = np.zeros(channels.count)
        read = np.zeros(channels.count)
        constant = np.zeros(channels.count)
        for node in network:
            if isinstance(node, Linear):
                own = channels.written_by(node.name)
                np.maximum.at(constant, own, _relative(rows(node.bias)))
                size = rows(node.weight)
                np.maximum.at(
                    written,
                    own,
                    np.where(size > 0, np.maximum(_relative(size), _bias(node)), 0),
                )
                np.maximum.at(read, channels.read_by(node.name), _relative(columns(network, node)))
        factor = np.ones(channels.count)
        free = (written > 0) & ~channels.fixed
        both = free & (read > 0)
        factor[both] = np.sqrt(read[both]) / np.sqrt(written[both])
        unread = free & (read == 0)
        factor[unread] = 1 / np.maximum(np.maximum(written, constant)[unread], 1)
        power = np.clip(np.rint(np.log2(factor)), -_FAR, _FAR)
        return np.where(np.abs(np.log2(factor)) > np.log2(self.least), 2.0**power, 1.0)


def _relative(sizes: np.ndarray) -> np.ndarray:
    """Sizes over their median, zeros not counted."""
    living = sizes[sizes > 0]
    return sizes / np.median(living) if living.size else sizes


def _bias(node: Linear) -> np.ndarray:
    """Size of each channel's bias over the median, at most 1."""
    return np.minimum(_relative(rows(node.bias)), 1)


def _scaled(node: Linear, writes: np.ndarray, reads: np.ndarray) -> Linear:
    def by_row(array: np.ndarray) -> np.ndarray:
        return array * writes.reshape((-1,) + (1,) * (array.ndim - 1))

    weight = by_row(node.weight.astype(np.float64)) / spread_columns(node, reads)
    bias = by_row(node.bias.astype(np.float64)).astype(np.float32)
    return replace(node, weight=weight.astype(np.float32), bias=bias)
