"""Addition digit by digit, trained on five digits."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from neurodeploy.training.reconstruction import ThresholdNetworkClassifier
from neurodeploy.training.reconstruction.column_generation import Reading
from neurodeploy.training.reconstruction.gradient import Training
from neurodeploy.training.reconstruction.tasks import addition
from reconstruction_study.baselines import (
    Figures,
    Sets,
    accuracy_of,
    gradient,
    reservoir,
    ridge,
)

EVERY = Reading("last", 1.0, True)


def sets_of(base: int, train: int, seed: int, one_hot: bool) -> Sets:
    """Pairs of numbers of 5 digits to train on, others, and longer ones."""
    rng = np.random.default_rng(seed)
    sets = {"train": addition(base, 5, train, rng, one_hot=one_hot)}
    for digits in (5, 10, 20):
        sets[f"{digits} digits"] = addition(base, digits, 1000, rng, one_hot=one_hot)
    return sets


def settings(base: int, seed: int) -> ThresholdNetworkClassifier:
    """Thresholds up to the largest sum of a step; of larger bases weights of -1, 0 and 1 alone."""
    thetas = tuple(k + 0.5 for k in range(2 * base - 1))
    return ThresholdNetworkClassifier(
        thetas=thetas,
        largest=2 if base == 2 else 1,
        rounds=5 if base == 2 else 10,
        rho=1e-3,
        random_state=seed,
    )


def measure(base: int, train: int, seed: int, one_hot: bool, quick: bool) -> Iterator[Figures]:
    """A line a method; `quick` leaves out the gradient networks."""
    sets = sets_of(base, train, seed, one_hot)
    x, y = sets["train"]
    model = settings(base, seed).fit(x, y)
    result = model.result_
    more = {
        "units": len(result.active),
        "gap": result.gap,
        "violation": result.violation,
        "seconds": result.seconds,
    }
    yield Figures("column generation", seed, accuracy_of(model, sets), more)
    yield ridge("ridge on its units", seed, result.branches, EVERY, sets)
    published = ThresholdNetworkClassifier(
        "gaussian", widths=(8, 4), betas=(0.99,), thetas=(1.0,), rounds=1, candidates=200,
        rho=1e-3, random_state=seed, seconds=60,
    )  # fmt: skip
    published.fit(x, y)
    more = {"units": len(published.result_.active), "gap": published.result_.gap}
    yield Figures("as published: Gaussian", seed, accuracy_of(published, sets), more)
    sampled = published._sampler(x.shape[2])(np.random.default_rng(seed), 200)
    yield ridge("ridge on as many Gaussian units", seed, sampled, EVERY, sets)
    rng = np.random.default_rng(seed)
    made = reservoir(rng, x.shape[2], 500, 0.5)
    yield ridge("random recurrent, ridge", seed, made, EVERY, sets)
    if quick:
        return
    training = Training(epochs=60, rate=5e-3, batch=64)
    for name, recurrent, beta in (
        ("gradient, feed-forward", False, 0.99),
        ("gradient, recurrent", True, 0.5),
    ):
        yield gradient(
            name, seed, sets, units=64, recurrent=recurrent, beta=beta, reading=EVERY,
            training=training, gain=1.0,
        )[0]  # fmt: skip
