"""Addition digit by digit, trained on five digits."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Hashable, Iterator

import numpy as np

from neurodeploy.errors import UsageError
from neurodeploy.training.reconstruction import ThresholdNetworkClassifier
from neurodeploy.training.reconstruction.automaton import transition_cover
from neurodeploy.training.reconstruction.fitting import Reading
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


def settings(base: int, candidates: int, seed: int) -> ThresholdNetworkClassifier:
    """Thresholds up to the largest sum of a step; of larger bases weights of -1, 0 and 1 alone."""
    thetas = tuple(k + 0.5 for k in range(2 * base - 1))
    return ThresholdNetworkClassifier(
        thetas=thetas,
        largest=2 if base == 2 else 1,
        rounds=5 if base == 2 else 10,
        candidates=candidates,
        seconds=20 if base == 2 else 120,
        rho=1e-3,
        random_state=seed,
    )


def wrong_transitions(model: ThresholdNetworkClassifier, base: int) -> float:
    """Of all that hidden units and carry can do together; none: right for numbers of any length.

    nan where there are too many.
    """
    pairs = np.array([divmod(symbol, base) for symbol in range(base**2)])

    def advance(carry: Hashable, symbol: int) -> tuple[Hashable, int]:
        assert isinstance(carry, int)
        carry, digit = divmod(carry + int(pairs[symbol].sum()), base)
        return carry, digit

    try:
        cover = transition_cover(model.result_.branches, pairs, 0, advance, most=2000)
    except UsageError:
        return np.nan
    x = np.zeros((len(cover.labels), max(map(len, cover.sequences)), 2), int)
    for row, symbols in enumerate(cover.sequences):
        x[row, : len(symbols)] = pairs[list(symbols)]
    last = np.array([len(symbols) - 1 for symbols in cover.sequences])
    found = model.predict(x)[np.arange(len(x)), last]
    return float((found != cover.labels).sum())


def measure(options: Namespace, seed: int) -> Iterator[Figures]:
    """A line a method; `options.quick` leaves out the proof and the gradient networks."""
    sets = sets_of(options.base, options.train, seed, options.one_hot)
    x, y = sets["train"]
    model = settings(options.base, options.candidates, seed).fit(x, y)
    result = model.result_
    more = {
        "units": len(result.active),
        "gap": result.gap,
        "violation": result.violation,
        "seconds": result.seconds,
    }
    if not options.one_hot and not options.quick:
        more["wrong transitions"] = wrong_transitions(model, options.base)
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
    if options.quick:
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
