"""Correlation of one sample in float64, any number of spatial axes."""

from __future__ import annotations

import numpy as np

from neurodeploy.network.nodes import Conv

__all__ = ["correlate"]


def correlate(conv: Conv, x: np.ndarray) -> np.ndarray:
    """The linear part (no bias) of a Conv on one sample.

    Parameters
    ----------
    x
        (channels, *spatial).

    Returns
    -------
    float64 (out channels, *out spatial).
    """
    rank = x.ndim - 1
    pads = [(0, 0)] + [(conv.padding[a], conv.padding[rank + a]) for a in range(rank)]
    padded = np.pad(x.astype(np.float64), pads)
    extent = tuple(conv.dilation[a] * (conv.kernel[a] - 1) + 1 for a in range(rank))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (1, *extent)).squeeze(rank + 1)
    positions = tuple(slice(None, None, step) for step in conv.stride)
    taps = tuple(slice(None, None, step) for step in conv.dilation)
    windows = windows[(slice(None), *positions, *taps)]
    per_group_in = conv.weight.shape[1]
    per_group_out = conv.weight.shape[0] // conv.groups
    parts = []
    for group in range(conv.groups):
        weight = conv.weight[group * per_group_out : (group + 1) * per_group_out]
        seen = windows[group * per_group_in : (group + 1) * per_group_in]
        axes = [0, *range(1 + rank, 1 + 2 * rank)]
        parts.append(
            np.tensordot(weight.astype(np.float64), seen, (list(range(1, 2 + rank)), axes))
        )
    return np.concatenate(parts)
