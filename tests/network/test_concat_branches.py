"""A branch among zeros, seen by the layers behind: the same map, with the zeros gone."""

from __future__ import annotations

from functools import reduce

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurodeploy.network import Conv, Dense, Permute, Pool
from neurodeploy.network.compose import apply_linear
from neurodeploy.network.concat_branches import Embed, embed, narrowed
from neurodeploy.network.matrix import as_matrix


def matrix(chain, shape):
    def step(done, node):
        whole, reads = done
        return as_matrix(node, reads) @ whole, node.output_shape([reads])

    size = int(np.prod(shape))
    return reduce(step, chain, (np.eye(size), shape))[0]


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.integers(0, 2**32 - 1))
def test_the_same_map(seed):
    rng = np.random.default_rng(seed)
    shape = (int(rng.integers(1, 4)), 6, 6)
    current, chain = shape, []

    def add(node):
        nonlocal current
        chain.append(node)
        current = node.output_shape([current])

    for number in range(int(rng.integers(1, 3))):
        whole = (current[0] + int(rng.integers(0, 4)), *current[1:])
        offset = int(rng.integers(0, whole[0] - current[0] + 1))
        add(embed(f"e{number}", current, whole, 0, offset))
        for _ in range(int(rng.integers(0, 3))):
            count = current[0]
            kind = rng.integers(0, 4)
            if kind == 0:
                scale = rng.standard_normal((count, 1, 1, 1)).astype(np.float32)
                add(Conv("a", scale, np.zeros(count, np.float32), groups=count))
            elif kind == 1 and current[1] >= 4:
                add(Pool("p", "average"))
            elif kind == 2:
                weight = rng.standard_normal((3, count, 3, 3)).astype(np.float32)
                add(Conv("c", weight, np.zeros(3, np.float32), padding=(1,) * 4))
            elif count % 2 == 0:
                weight = rng.standard_normal((count, count // 2, 1, 1)).astype(np.float32)
                add(Conv("g", weight, np.zeros(count, np.float32), groups=2))
    if rng.random() < 0.5:
        size = int(np.prod(current))
        if rng.random() < 0.5:
            add(Permute("flat", (size,)))
        add(Dense("d", rng.standard_normal((2, size)).astype(np.float32), np.zeros(2, np.float32)))
    expected = matrix(chain, shape)
    found = matrix(narrowed(chain, shape), shape)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("last", ["conv", "dense", "flat dense"])
def test_the_zeros_are_gone(last):
    rng = np.random.default_rng(0)
    shape = (2, 4, 4)
    chain = [embed("e", shape, (5, 4, 4), 0, 1)]
    if last == "conv":
        weight = rng.standard_normal((3, 5, 3, 3)).astype(np.float32)
        chain.append(Conv("c", weight, np.zeros(3, np.float32), padding=(1,) * 4))
    else:
        chain += [Permute("f", (80,))] * (last == "flat dense")
        weight = rng.standard_normal((3, 80)).astype(np.float32)
        chain.append(Dense("d", weight, np.zeros(3, np.float32)))
    found = narrowed(chain, shape)
    assert not any(isinstance(node, Embed) for node in found)
    x = rng.standard_normal(shape)
    exact = reduce(lambda value, node: apply_linear(node, value), chain, x)
    np.testing.assert_allclose(
        reduce(lambda value, node: apply_linear(node, value), found, x), exact, atol=1e-9
    )
