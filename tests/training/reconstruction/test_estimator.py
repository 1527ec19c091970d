"""The estimator on the paper's tasks, and scikit-learn's manners."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("sklearn")

from sklearn.base import clone

from neurodeploy.errors import DataError, UsageError
from neurodeploy.training.reconstruction import ThresholdNetworkClassifier
from neurodeploy.training.reconstruction.tasks import addition, first_last_xor, xor_split


@pytest.fixture(scope="module")
def xor():
    (x, y), test = xor_split(8, 128, np.random.default_rng(0))
    model = ThresholdNetworkClassifier(random_state=0).fit(x, y)
    return model, (x, y), test


def test_first_last_xor_of_strings_never_seen_and_of_longer_ones(xor):
    model, (x, y), test = xor
    longer = first_last_xor(np.random.default_rng(1).integers(0, 2, (2000, 14)))
    assert model.score(x, y) == model.score(*test) == model.score(*longer) == 1.0
    result = model.result_
    assert len(result.active) <= 20
    assert result.gap <= 0.005
    assert result.violation <= 1.2
    assert result.certified == 6000


def test_addition_generalises_to_longer_numbers():
    rng = np.random.default_rng(0)
    model = ThresholdNetworkClassifier(
        thetas=(0.5, 1.5, 2.5), rho=1e-3, rounds=4, candidates=1000, keep=80, random_state=0
    )
    model.fit(*addition(2, 5, 250, rng))
    assert len(model.result_.active) <= 30
    assert model.score(*addition(2, 5, 200, rng)) == 1.0
    assert model.score(*addition(2, 20, 200, rng)) == 1.0
    assert model.predict(addition(2, 7, 3, rng)[0]).shape == (3, 8)


def test_the_same_seed_is_the_same_network(xor):
    _, (x, y), _ = xor
    model = ThresholdNetworkClassifier(rounds=2, candidates=300, keep=30, random_state=0).fit(x, y)
    again = clone(model).fit(x, y)
    np.testing.assert_array_equal(again.result_.coefficients, model.result_.coefficients)
    assert again.get_params()["random_state"] == 0


def test_losses_and_labels_of_any_kind():
    rng = np.random.default_rng(0)
    x = rng.integers(0, 2, (60, 4))
    y = np.where(x[:, 0] + x[:, 1] > 0, "some", "none")
    for loss in ("squared", "logistic", "cross-entropy"):
        small = {"rounds": 2, "candidates": 300, "keep": 30, "random_state": 0, "loss": loss}
        model = ThresholdNetworkClassifier(**small).fit(x, y)
        assert model.score(x, y) == 1.0
        assert set(model.predict(x)) == {"some", "none"}
    three = ThresholdNetworkClassifier(**(small | {"group": True})).fit(x, x[:, 0] + x[:, 1])
    assert three.score(x, x[:, 0] + x[:, 1]) == 1.0


def test_gaussian_branches_as_published():
    (x, y), test = xor_split(8, 128, np.random.default_rng(0))
    model = ThresholdNetworkClassifier(
        "gaussian", widths=(4, 2), betas=(0.99,), thetas=(1.0,), rounds=1, candidates=200,
        loss="squared", random_state=0,
    ).fit(x, y)  # fmt: skip
    assert model.result_.branches.layers[1].weight.shape[1:] == (4, 2)
    assert model.score(x, y) > model.score(*test)


def test_what_does_not_fit_is_named():
    model = ThresholdNetworkClassifier(rounds=1, candidates=10)
    x = np.zeros((4, 3, 2))
    with pytest.raises(DataError, match="one a sequence"):
        model.fit(x, np.zeros(3))
    with pytest.raises(UsageError, match="less than one"):
        ThresholdNetworkClassifier(rounds=0).fit(x, np.arange(4))
    with pytest.raises(DataError, match="all labels are the same"):
        model.fit(x, np.zeros(4))
    with pytest.raises(DataError, match="no sequences"):
        model.fit(np.full((4, 3, 2), np.nan), np.arange(4))
    with pytest.raises(UsageError, match="grid or gaussian"):
        ThresholdNetworkClassifier("cosine").fit(x, np.arange(4))
    with pytest.raises(DataError, match="trained on 2"):
        model.fit(x + np.arange(4)[:, None, None], np.arange(4)).predict(np.zeros((1, 3, 5)))
