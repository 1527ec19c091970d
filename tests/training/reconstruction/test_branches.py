"""Branches step by step, their patterns, and the tasks."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("sklearn")

from neurodeploy.errors import UsageError
from neurodeploy.training.reconstruction.branches import Branches, Layer, joined
from neurodeploy.training.reconstruction.dictionary import patterns, reduced
from neurodeploy.training.reconstruction.sampling import gaussian_branches, grid_branches
from neurodeploy.training.reconstruction.tasks import (
    addition,
    first_last_xor,
    rows_of_images,
    xor_split,
)


def stepped(branches, x):
    """One branch, one sample, one step at a time."""
    n, steps, _ = x.shape
    out = np.zeros((n, steps, len(branches), branches.width))
    for b in range(len(branches)):
        for i in range(n):
            v = [np.zeros(layer.weight.shape[2], np.float32) for layer in branches.layers]
            s = [np.zeros_like(membrane) for membrane in v]
            for t in range(steps):
                message = x[i, t].astype(np.float32)
                for k, layer in enumerate(branches.layers):
                    u = message @ layer.weight[b]
                    if layer.recurrent is not None:
                        u = u + s[k] @ layer.recurrent[b]
                    v[k] = layer.beta[b] * v[k] + u
                    s[k] = (v[k] > layer.theta[b]).astype(np.float32)
                    v[k] = v[k] - layer.theta[b] * s[k]
                    message = s[k]
                out[i, t, b] = message
    return out.reshape(n, steps, -1)


def test_all_branches_together_are_each_alone():
    rng = np.random.default_rng(0)
    x = rng.integers(-2, 3, (4, 9, 3))
    grid = grid_branches(rng, 7, 3)
    np.testing.assert_array_equal(grid.run(x), stepped(grid, x))
    deep = gaussian_branches(rng, 5, 3, (4, 2), beta=0.5)
    np.testing.assert_array_equal(deep.run(x), stepped(deep, x))
    assert grid.run(x).any()
    assert deep.run(x).any()
    some = np.array([5, 2])
    np.testing.assert_array_equal(
        grid.take(some).run(x), grid.run(x).reshape(4, 9, 7, 3)[:, :, some].reshape(4, 9, -1)
    )
    np.testing.assert_array_equal(
        joined([grid.take(np.arange(3)), grid.take(np.arange(3, 7))]).run(x), grid.run(x)
    )


def test_a_lif_unit_is_a_threshold_unit_of_all_earlier_steps():
    """Udupi et al. 2026: weights of earlier steps and of its own spikes are powers of beta."""
    rng = np.random.default_rng(1)
    x = rng.integers(-4, 5, (20, 8, 3)) / 4
    unit = gaussian_branches(rng, 1, 3, beta=0.5)
    spikes = unit.run(x)[:, :, 0].astype(float)
    drive = x @ unit.layers[0].weight[0, :, 0].astype(float)
    for t in range(8):
        powers = 0.5 ** np.arange(t, -1, -1)
        total = drive[:, : t + 1] @ powers - spikes[:, :t] @ powers[:-1]
        np.testing.assert_array_equal(total > 1.0, spikes[:, t] > 0)


def test_what_a_readout_sees():
    rng = np.random.default_rng(2)
    x = rng.integers(0, 2, (6, 5, 2))
    branches = grid_branches(rng, 20, 2)
    spikes = branches.run(x)
    np.testing.assert_array_equal(patterns(branches, x), spikes[:, -1])
    every = patterns(branches, x, every_step=True)
    np.testing.assert_array_equal(every.reshape(spikes.shape), spikes)
    decays = 0.5 ** np.arange(4, -1, -1)
    trace = patterns(branches, x, "trace", trace_beta=0.5)
    np.testing.assert_allclose(trace, np.einsum("t,ntu->nu", decays, spikes), atol=1e-6)
    steps = patterns(branches, x, "trace", trace_beta=0.5, every_step=True)
    np.testing.assert_array_equal(steps.reshape(spikes.shape)[:, -1], trace)


def test_repetitions_go_and_nothing_else():
    rng = np.random.default_rng(3)
    d = rng.integers(0, 2, (30, 6)).astype(np.uint8)
    d = np.column_stack([d, d[:, 2], np.ones(30, np.uint8), d[:, 0]])[rng.integers(0, 30, 80)]
    labels = rng.integers(0, 2, 80)
    small = reduced(d, labels)
    assert set(small.columns) <= set(range(6))
    assert len(np.unique(small.matrix, axis=1).T) == len(small.columns)
    np.testing.assert_array_equal(small.matrix[small.row], d[:, small.columns])
    assert small.counts().sum() == 80
    for row in range(len(small.matrix)):
        assert len(set(labels[small.row == row])) == 1


def test_xor_is_split_by_strings():
    (x, y), (test_x, test_y) = xor_split(8, 128, np.random.default_rng(0))
    assert x.shape == (128, 8, 2)
    assert len(test_x) == 128
    both = np.concatenate([x, test_x])[..., 1]
    assert len(np.unique(both, axis=0)) == 256
    assert np.array_equal(np.concatenate([y, test_y]), both[:, 0] ^ both[:, -1])
    x, y = first_last_xor(np.array([[1, 0, 1], [0, 1, 1]]))
    assert x[0, 0].tolist() == [0, 1]
    assert y.tolist() == [0, 1]
    with pytest.raises(UsageError, match="none to test"):
        xor_split(3, 8, np.random.default_rng(0))


@pytest.mark.parametrize("base", [2, 3, 5])
def test_addition_is_addition(base):
    x, y = addition(base, 6, 50, np.random.default_rng(0))
    powers = base ** np.arange(7)
    a, b = (x[..., k].astype(int) @ powers for k in (0, 1))
    np.testing.assert_array_equal(y @ powers, a + b)
    hot, again = addition(base, 6, 50, np.random.default_rng(0), one_hot=True)
    np.testing.assert_array_equal(hot.reshape(50, 7, 2, base).argmax(3), x)
    np.testing.assert_array_equal(again, y)


def test_images_become_rows_and_shapes_are_checked():
    assert rows_of_images(np.zeros((5, 1, 28, 20))).shape == (5, 28, 20)
    layer = grid_branches(np.random.default_rng(0), 2, 3).layers[0]
    with pytest.raises(UsageError, match="width 4"):
        Branches((layer,)).run(np.zeros((1, 2, 4)))
    with pytest.raises(UsageError, match="theta"):
        Layer(layer.weight, None, layer.beta, 0 * layer.theta)
    with pytest.raises(UsageError, match="do not join"):
        joined([Branches((layer,)), grid_branches(np.random.default_rng(0), 1, 2)])
