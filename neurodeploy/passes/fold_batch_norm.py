"""Batch norm (scale and shift of each channel) into the convolution or dense layer beside it."""

from __future__ import annotations

from dataclasses import dataclass

from neurodeploy.network import Network, Node, Pool
from neurodeploy.network.compose import is_channel_affine
from neurodeploy.passes.base import fold_pairs

__all__ = ["FoldBatchNorm"]


@dataclass(frozen=True)
class FoldBatchNorm:
    """Fold channel-wise scales and shifts.

    Cases
    -----
    1. Conv, batch norm: output channels scaled.
    2. Batch norm (after a ReLU), Conv: input channels scaled; the shift becomes a bias, one
       for each neuron where zero padding makes the border differ.
    3. Dense, batch norm and batch norm, Dense: likewise.

    Left alone: a batch norm whose input or result is used elsewhere too; conversion then
    takes it as a linear map of its own.
    """

    name: str = "fold-batch-norm"

    def apply(self, network: Network) -> Network:
        """The network without batch norms where the cases allow."""

        def wanted(first: Node, second: Node) -> bool:
            affine = is_channel_affine(first) or is_channel_affine(second)
            return affine and not isinstance(first, Pool) and not isinstance(second, Pool)

        return fold_pairs(network, wanted)
