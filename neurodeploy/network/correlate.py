"""Correlation of one sample in float64, any number of spatial axes."""

from __future__ import annotations

from math import prod

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
    extent = [conv.dilation[a] * (conv.kernel[a] - 1) + 1 for a in range(rank)]
    size = [(padded.shape[1 + a] - extent[a]) // conv.stride[a] + 1 for a in range(rank)]
    outputs, inputs = conv.weight.shape[:2]
    weight = conv.weight.astype(np.float64)
    weight = weight.reshape(conv.groups, outputs // conv.groups, inputs, *conv.kernel)
    total = np.zeros((conv.groups, outputs // conv.groups, prod(size)))
    # tap by tap: no copy of each window
    for tap in np.ndindex(*conv.kernel):
        seen = tuple(
            slice(begin, begin + (size[a] - 1) * conv.stride[a] + 1, conv.stride[a])
            for a, begin in enumerate(t * conv.dilation[a] for a, t in enumerate(tap))
        )
        read = padded[(slice(None), *seen)].reshape(conv.groups, inputs, -1)
        total += weight[(slice(None), slice(None), slice(None), *tap)] @ read
    return total.reshape(outputs, *size)
