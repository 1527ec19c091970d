"""Between which values the result of a node lies, where that follows from the graph alone."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, isfinite
from typing import TypeAlias

import numpy as np

from neurodeploy.network import Activation, Concat, Linear, Node, Permute, Pool

__all__ = ["UNKNOWN", "Range", "value_range"]

#: Lowest and highest value; infinite where nothing is known.
Range: TypeAlias = "tuple[float, float]"
UNKNOWN: Range = (-inf, inf)


def value_range(node: Node, sources: Sequence[Range]) -> Range:
    """Range of a node's result from those of its inputs.

    1. A ReLU, the only activation here: from 0 to its maximum.
    2. Moves, poolings and concatenations keep the range; what they pad with is 0.
    3. Layers: by their weights, if the input is bounded on both sides.
    4. Sums, and what else there is: unknown. A sum is fired anew, as behind Add and Relu.
    """
    if isinstance(node, Activation):
        return 0.0, inf if node.maximum is None else node.maximum
    if isinstance(node, Permute | Pool | Concat):
        low, high = min(low for low, _ in sources), max(high for _, high in sources)
        return (min(low, 0.0), max(high, 0.0)) if _pads(node) else (low, high)
    if isinstance(node, Linear) and isfinite(sources[0][0]) and isfinite(sources[0][1]):
        low, high = sources[0]
        if any(getattr(node, "padding", ())):
            low, high = min(low, 0.0), max(high, 0.0)
        axes = tuple(range(1, node.weight.ndim))
        rise = np.maximum(node.weight, 0).sum(axis=axes, dtype=np.float64)
        fall = np.minimum(node.weight, 0).sum(axis=axes, dtype=np.float64)
        bias = node.bias.reshape(len(rise), -1)
        lowest = rise * low + fall * high + bias.min(axis=1)
        highest = rise * high + fall * low + bias.max(axis=1)
        return float(lowest.min()), float(highest.max())
    return UNKNOWN


def _pads(node: Node) -> bool:
    if isinstance(node, Pool):
        return any(node.padding)
    return isinstance(node, Permute) and node.indices is not None and bool((node.indices < 0).any())
