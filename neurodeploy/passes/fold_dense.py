"""Reshapes and other linear maps into the dense layer behind them."""

from __future__ import annotations

from dataclasses import dataclass

from neurodeploy.network import Dense, Network
from neurodeploy.passes.base import fold_pairs

__all__ = ["FoldDense"]


@dataclass(frozen=True)
class FoldDense:
    """Fold what comes before a Dense.

    Cases
    -----
    1. Permute (flatten, transpose, slice, zero padding), Dense: columns moved.
    2. Dense, Dense without an activation between: multiplied.
    3. Conv, Dense without an activation between: multiplied, up to fifty million weights.
    """

    name: str = "fold-dense"

    def apply(self, network: Network) -> Network:
        """The network with Dense nodes that read activations directly."""
        return fold_pairs(network, lambda first, second: isinstance(second, Dense))
