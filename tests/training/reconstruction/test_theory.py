"""The convex program is the network: on data small enough to enumerate every pattern."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("sklearn")

from neurodeploy.errors import ConversionError, UsageError
from neurodeploy.training.reconstruction.branches import Branches, Layer
from neurodeploy.training.reconstruction.column_generation import generate
from neurodeploy.training.reconstruction.enumeration import all_patterns
from neurodeploy.training.reconstruction.fitting import Plan, Reading, fit_branches
from neurodeploy.training.reconstruction.losses import loss_named
from neurodeploy.training.reconstruction.problem import Problem
from neurodeploy.training.reconstruction.solving import solve
from neurodeploy.training.reconstruction.witness import witness


def sequences(n, steps, seed):
    """Points in general position, and an input that is always 1."""
    x = np.random.default_rng(seed).normal(size=(n, steps, 2))
    x[..., 1] = 1.0
    return x


def gaussian_recurrent(rng, count):
    """One unit a branch: any weights, any threshold."""
    shape = (count, 1)
    layer = Layer(
        rng.normal(size=(count, 2, 1)).astype(np.float32),
        rng.normal(size=(count, 1, 1)).astype(np.float32),
        np.zeros(shape, np.float32),
        np.full(shape, 0.1, np.float32),
    )
    return Branches((layer,))


@pytest.fixture(scope="module", params=[(5, 1), (3, 3)], ids=["feed-forward", "recurrent"])
def small(request):
    n, steps = request.param
    x = sequences(n, steps, seed=n)
    return x, all_patterns(x), np.arange(n) % 2


@pytest.mark.parametrize("name", ["squared", "logistic", "cross-entropy"])
def test_sampling_reaches_the_optimum_over_all_patterns(small, name):
    x, every, y = small
    loss = loss_named(name)
    targets = loss.targets(y, 2)
    full = np.unique(every[:, :, -1], axis=0).T
    optimum = solve(Problem(full, targets, loss, 0.05), tolerance=1e-9)
    found = generate(
        gaussian_recurrent, x, y, targets, loss, 0.05, np.random.default_rng(0),
        reading=Reading(), plan=Plan(rounds=3, candidates=2000, keep=60, tolerance=1e-8),
    )  # fmt: skip
    assert abs(found.objective - optimum.value) < 1e-6
    assert found.gap < 1e-6
    assert found.violation < 1 + 1e-3
    scores = found.branches.run(x)[:, -1] @ found.coefficients + found.intercept
    value = loss.value(scores, targets, np.full(len(y), 1 / len(y)))
    assert value + 0.05 * np.abs(found.coefficients).sum() == pytest.approx(found.objective)


@pytest.mark.parametrize("method", ["svm", "pseudo-inverse"])
def test_a_network_rebuilt_from_patterns_alone_gives_the_same_outputs(small, method):
    x, every, y = small
    if method == "pseudo-inverse":
        x, every, y = x[:2, :1], every[:, :2, :1], y[:2]  # inputs of full row rank
        every = np.unique(every, axis=0)
    loss = loss_named("cross-entropy")
    targets = loss.targets(y, 2)
    _, first = np.unique(every[:, :, -1], axis=0, return_index=True)
    dictionary = every[first, :, -1].T
    optimum = solve(Problem(dictionary, targets, loss, 0.05), tolerance=1e-9)
    kept = np.flatnonzero(np.abs(optimum.coefficients).max(1) > 1e-9)
    assert len(kept) <= len(y) + 1
    rebuilt = witness(x, every[first][kept], method)
    again = fit_branches(
        rebuilt, x, y, targets, loss, 0.05, reading=Reading(), plan=Plan(tolerance=1e-8)
    )[0]
    assert abs(again.objective - optimum.value) < 1e-6
    mean = dictionary.mean(0)
    expected = (dictionary - mean) @ optimum.coefficients + optimum.intercept
    outputs = rebuilt.run(x)[:, -1] @ optimum.coefficients[kept]
    outputs += optimum.intercept - mean @ optimum.coefficients
    np.testing.assert_allclose(outputs, expected, atol=1e-6)


def test_patterns_of_a_plane_are_counted():
    """n points on a line are cut by thresholds into 2 n patterns (Cover 1965)."""
    for n in (2, 4, 6):
        assert len(all_patterns(sequences(n, 1, seed=n))) == 2 * n


def test_every_sampled_pattern_is_among_the_enumerated():
    x = sequences(3, 3, seed=1)
    every = {p.tobytes() for p in all_patterns(x)}
    drawn = gaussian_recurrent(np.random.default_rng(0), 3000).run(x).transpose(2, 0, 1)
    seen = {np.ascontiguousarray(p).tobytes() for p in drawn}
    assert seen <= every
    assert len(seen) > len(every) / 2


def test_patterns_that_no_unit_has_are_refused():
    x = np.ones((1, 3, 1))
    with pytest.raises(ConversionError, match="no weights found"):
        witness(x, np.array([[[0, 0, 1]]], np.uint8))  # the second step would have to fire, too
    with pytest.raises(UsageError, match="too many"):
        all_patterns(np.ones((4, 4, 1)))
    with pytest.raises(ConversionError, match="always 1"):
        witness(np.array([[[1.0]], [[0.0]], [[-1.0]]]), np.array([[[0], [1], [1]]], np.uint8))
