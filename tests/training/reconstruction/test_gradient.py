"""Surrogate gradients: the same units, and the schedule with reconstruction in it."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("spikingjelly")
pytest.importorskip("sklearn")

import torch

from neurodeploy.errors import UsageError
from neurodeploy.training.reconstruction.fitting import Plan, Reading
from neurodeploy.training.reconstruction.gradient import (
    GradientNetwork,
    Training,
    network_of,
    scores_of,
    trained,
)
from neurodeploy.training.reconstruction.schedule import Schedule, scheduled


@pytest.mark.torch
@pytest.mark.parametrize("every_step", [False, True])
@pytest.mark.parametrize("feature", ["last", "trace"])
@pytest.mark.parametrize(("widths", "recurrent"), [((6,), False), ((6,), True), ((5, 4), False)])
def test_branches_of_a_torch_network_are_that_network(widths, recurrent, feature, every_step):
    torch.manual_seed(0)
    reading = Reading(feature, 0.5, every_step)
    network = GradientNetwork(
        3, widths, 2, recurrent=recurrent, beta=0.75, reading=reading, gain=1.0
    )
    x = np.random.default_rng(0).normal(size=(20, 7, 3)).astype(np.float32)
    features = reading.of(network.branches(), x)
    assert features.any()
    weight = network.readout.weight.detach().numpy()
    expected = features @ weight.T + network.readout.bias.detach().numpy()
    np.testing.assert_allclose(scores_of(network, x), expected, atol=1e-5)


def lines(n, seed):
    """Sequences whose class is the input that is large early."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, n)
    x = rng.normal(0, 0.4, (n, 6, 5))
    x[np.arange(n), 1, y] += 1.5
    return x.astype(np.float32), y


@pytest.mark.torch
def test_train_rebuild_train_on():
    (x, y), (test, labels) = lines(300, 0), lines(300, 1)
    reading = Reading("trace", 0.9)
    schedule = Schedule(
        before=Training(3),
        sampled=60,
        size=20,
        rho=5e-3,
        after=Training(3),
    )
    stages = scheduled(x, y, 3, schedule, reading=reading, beta=0.9, plan=Plan(seconds=5), seed=0)
    assert [stage.name for stage in stages] == ["trained", "rebuilt", "trained on"]
    scores = {s.name: (s.scores(test, reading).argmax(1) == labels).mean() for s in stages}
    assert len(stages[1].branches) <= 20
    assert scores["rebuilt"] > scores["trained"] + 0.2
    assert scores["trained on"] > 0.75
    same = network_of(stages[1].branches, stages[1].coefficients, stages[1].intercept, reading)
    np.testing.assert_allclose(scores_of(same, test), stages[1].scores(test, reading), atol=1e-4)


@pytest.mark.torch
def test_training_every_step_lowers_the_loss():
    rng = np.random.default_rng(0)
    x = rng.integers(0, 2, (64, 6, 1)).astype(np.float32)
    y = np.zeros((64, 6), np.int64)
    y[:, 1:] = x[:, :-1, 0]
    torch.manual_seed(0)
    network = GradientNetwork(
        1, [16], 2, recurrent=True, beta=0.5, reading=Reading("last", 1.0, True), gain=1.0
    )
    trained(network, x, y, Training(40, 1e-2, 16))
    assert (scores_of(network, x).argmax(1) == y.reshape(-1)).mean() > 0.9


@pytest.mark.torch
def test_what_cannot_be_trained_is_named():
    with pytest.raises(UsageError, match=r"0\.01"):
        GradientNetwork(1, [2], 2, beta=1.0, reading=Reading())
    deep = GradientNetwork(1, [2, 2], 2, reading=Reading()).branches()
    with pytest.raises(UsageError, match="one feed-forward layer"):
        network_of(deep, np.zeros((2, 2)), np.zeros(2), Reading())
    with pytest.raises(UsageError, match="no units"):
        scheduled(
            np.zeros((2, 1, 1)), np.array([0, 1]), 2, Schedule(Training(0), sampled=0),
            reading=Reading(), plan=Plan(),
        )  # fmt: skip
