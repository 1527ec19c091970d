"""Every solver reaches the optimum that interior points find, and the gap never lies."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("sklearn")

from hypothesis import given, settings
from hypothesis import strategies as st

from neurodeploy.errors import UsageError
from neurodeploy.training.reconstruction.losses import LOSSES, loss_named
from neurodeploy.training.reconstruction.problem import Problem
from neurodeploy.training.reconstruction.solving import solve


def problem(name, group, rows=40, columns=60, classes=2, rho=0.02, seed=0):
    rng = np.random.default_rng(seed)
    d = rng.integers(0, 2, (rows, columns)).astype(np.uint8)
    y = rng.integers(0, classes, rows)
    loss = loss_named(name)
    return Problem(d, loss.targets(y, classes), loss, rho, group, rng.integers(1, 4, rows))


CASES = [
    ("squared", 2),
    ("squared", 3),
    ("logistic", 2),
    ("cross-entropy", 2),
    ("cross-entropy", 3),
]


@pytest.mark.parametrize("group", [False, True], ids=["lasso", "group"])
@pytest.mark.parametrize(("name", "classes"), CASES)
def test_solvers_agree_with_interior_points(name, classes, group):
    pytest.importorskip("cvxpy")
    asked = problem(name, group, classes=classes)
    judge = solve(asked, "clarabel")
    ours = solve(asked, "proximal-gradient", tolerance=1e-8)
    assert judge.gap < 1e-5  # a bound by its residual; its value is nearer
    assert abs(ours.value - judge.value) < 1e-6
    assert ours.gap <= 1e-8
    if name == "squared":
        assert abs(solve(asked, tolerance=1e-8).value - judge.value) < 1e-6


@pytest.mark.parametrize("group", [False, True], ids=["lasso", "group"])
@pytest.mark.parametrize("name", list(LOSSES))
def test_the_optimum_is_sparse_and_no_column_violates_it(name, group):
    asked = problem(name, group)
    found = solve(asked, tolerance=1e-9)
    assert found.correlation.max() <= asked.rho * (1 + 1e-3)
    active = np.flatnonzero(np.abs(found.coefficients).max(1) > 1e-9)
    # theorem 2.2 of Ergen et al. 2023: no more than a sample has units, and one
    assert 0 < len(active) <= len(asked.targets) + 1
    np.testing.assert_allclose(found.correlation[active], asked.rho, rtol=1e-2)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(list(LOSSES)), st.booleans())
def test_the_gap_bounds_the_distance_to_the_optimum(seed, name, group):
    rng = np.random.default_rng(seed)
    asked = problem(name, group, rows=12, columns=8, rho=float(rng.uniform(0.005, 0.2)), seed=seed)
    best = solve(asked, "proximal-gradient", tolerance=1e-9)
    wild = rng.normal(0, rng.uniform(0, 1), best.coefficients.shape)
    point = asked.point(wild, np.zeros(asked.outputs))
    assert point.gap >= point.value - best.value - 1e-9
    assert best.gap >= -1e-12


def test_an_intercept_is_free_and_columns_may_be_missing():
    asked = problem("cross-entropy", False, columns=0)
    share = asked.a @ asked.targets
    found = solve(asked)
    assert found.value == pytest.approx(-(share * np.log(share)).sum())
    assert found.gap == pytest.approx(0, abs=1e-12)


def test_time_that_is_over_leaves_a_gap_that_says_so():
    asked = problem("cross-entropy", False, rows=200, columns=400, rho=1e-4)
    found = solve(asked, tolerance=1e-12, seconds=0.0)
    assert found.gap > 1e-3


def test_wrong_settings_are_named():
    with pytest.raises(UsageError, match="not above 0"):
        problem("squared", False, rho=0.0)
    with pytest.raises(UsageError, match="auto, coordinate-descent"):
        solve(problem("squared", False), "newton")
    with pytest.raises(UsageError, match="squared loss"):
        solve(problem("logistic", False), "coordinate-descent")
    with pytest.raises(UsageError, match="cross-entropy"):
        loss_named("logistic").targets(np.zeros(3, int), 3)
    with pytest.raises(UsageError, match="not one of"):
        loss_named("hinge")
