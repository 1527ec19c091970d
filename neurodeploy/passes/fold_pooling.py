"""Average pooling into the linear layer beside it, so that it costs neither neurons nor bits."""

from __future__ import annotations

from dataclasses import dataclass

from neurodeploy.network import Network, Pool
from neurodeploy.passes.base import fold_pairs

__all__ = ["FoldPooling"]


@dataclass(frozen=True)
class FoldPooling:
    """Fold average pooling.

    Cases
    -----
    1. Pool, Conv: the kernel is spread over the windows. Each weight is repeated, none is
       summed (windows that do not overlap), so after quantisation the integers are those of
       the layer itself and 1/k^2 is part of its scale.
    2. Conv, Pool: one larger kernel (weights add up).
    3. Pool, Dense: columns repeated, as in 1.

    Left alone (conversion then builds the exact sparse connection): padded pooling,
    overlapping windows or left-over rows before a zero-padded Conv.
    """

    name: str = "fold-pooling"

    def apply(self, network: Network) -> Network:
        """The network without average poolings where the cases allow."""
        # a pooling between two layers goes to the later one: there its weights stay integers
        network = fold_pairs(network, lambda first, second: isinstance(first, Pool))
        return fold_pairs(network, lambda first, second: isinstance(second, Pool))
