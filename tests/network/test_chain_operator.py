"""Chains of linear nodes as one operator: the layer that it is, and the same function."""

from __future__ import annotations

import numpy as np
import pytest

from neurodeploy.network import Conv, Dense, Permute, Pool
from neurodeploy.network.compose import apply_linear
from neurodeploy.network.operators import apply_operator, chain_operator

RNG = np.random.default_rng(0)


def conv(outputs, per_group, kernel, *, groups=1, padding=0, stride=1):
    weight = RNG.standard_normal((outputs, per_group, kernel, kernel)).astype(np.float32)
    return Conv(
        "conv", weight, np.zeros(outputs, np.float32), (stride,) * 2, (padding,) * 4, groups=groups
    )


def shuffle(channels, groups, side):
    """Channels dealt out to groups, as ShuffleNet does."""
    order = np.arange(channels).reshape(groups, -1).T.reshape(-1)
    places = order[:, None] * side**2 + np.arange(side**2)
    return Permute("shuffle", (channels, side, side), places.reshape(-1))


def reshaped(*shape):
    return Permute("reshape", shape)


CHAINS = {
    "bottleneck": ([conv(3, 8, 1), conv(16, 3, 1)], Conv),
    "bottleneck, wide": ([conv(3, 8, 1, stride=2), conv(5, 3, 3, padding=1)], Conv),
    "separable": ([conv(8, 1, 3, groups=8, padding=1), conv(5, 8, 1)], Conv),
    "shuffled groups": ([conv(8, 4, 1, groups=2), shuffle(8, 2, 6), conv(5, 8, 1)], Conv),
    "identity": ([reshaped(8, 6, 6)], Conv),
    "pooling": ([Pool("pool")], Conv),
    "head": ([Pool("pool", kernel=(6, 6)), conv(5, 8, 1), reshaped(5)], Dense),
    "whole map": ([conv(5, 8, 6), reshaped(5)], Dense),
}


@pytest.mark.parametrize("name", CHAINS)
def test_is_a_layer(name):
    chain, kind = CHAINS[name]
    shape = result = (8, 6, 6)
    x = y = RNG.standard_normal(shape)
    for node in chain:
        y, result = apply_linear(node, y), node.output_shape([result])
    operator = chain_operator(shape, chain, result)
    assert isinstance(operator, kind)
    np.testing.assert_allclose(apply_operator(operator, x), y.reshape(-1), rtol=1e-4, atol=1e-4)
