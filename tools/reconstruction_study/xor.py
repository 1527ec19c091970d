"""FIRST-LAST-XOR, split by strings, and longer strings than trained on."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator

import numpy as np

from neurodeploy.training.reconstruction import ThresholdNetworkClassifier
from neurodeploy.training.reconstruction.fitting import Reading
from neurodeploy.training.reconstruction.gradient import Training
from neurodeploy.training.reconstruction.tasks import first_last_xor, xor_split
from reconstruction_study.baselines import (
    Figures,
    Sets,
    accuracy_of,
    gradient,
    reservoir,
    ridge,
)


def sets_of(length: int, train: int, longer: int, seed: int) -> Sets:
    """Training strings, others of the same length, longer ones, and ones a bit longer."""
    rng = np.random.default_rng(seed)
    first, second = xor_split(length, train, rng)
    sets = {"train": first, f"T={length}": second}
    for steps in (longer, length + 1):
        sets[f"T={steps}"] = first_last_xor(rng.integers(0, 2, (2000, steps)))
    return sets


def measure(options: Namespace, seed: int) -> Iterator[Figures]:
    """A line a method; `options.quick` leaves out the gradient networks."""
    sets = sets_of(options.length, options.train, options.longer, seed)
    x, y = sets["train"]
    model = ThresholdNetworkClassifier(candidates=options.candidates, random_state=seed).fit(x, y)
    result = model.result_
    more = {
        "units": len(result.active),
        "gap": result.gap,
        "violation": result.violation,
        "seconds": result.seconds,
    }
    yield Figures("column generation", seed, accuracy_of(model, sets), more)
    yield ridge("ridge on its units", seed, result.branches, model.reading_, sets)
    bits = x[..., 1].astype(int)
    model = ThresholdNetworkClassifier(candidates=options.candidates, random_state=seed)
    model.fit(x, bits ^ bits[:, :1])
    result = model.result_
    accuracy = {
        name: float((model.predict(some)[:, -1] == labels).mean())
        for name, (some, labels) in sets.items()
    }
    more = {"units": len(result.active), "gap": result.gap, "violation": result.violation}
    yield Figures("column generation, a label at every step", seed, accuracy, more)
    published = ThresholdNetworkClassifier(
        "gaussian", widths=(8, 4), betas=(0.99,), thetas=(1.0,), rounds=1, candidates=500,
        loss="squared", random_state=seed,
    )  # fmt: skip
    published.fit(x, y)
    more = {"units": len(published.result_.active), "gap": published.result_.gap}
    yield Figures("as published: Gaussian", seed, accuracy_of(published, sets), more)
    sampled = published._sampler(x.shape[2])(np.random.default_rng(seed), 500)
    yield ridge("ridge on as many Gaussian units", seed, sampled, Reading(), sets)
    rng = np.random.default_rng(seed)
    yield ridge("random recurrent, ridge", seed, reservoir(rng, 2, 500, 0.9), Reading(), sets)
    if options.quick:
        return
    training = Training(epochs=max(40, 40_000 // options.train), rate=5e-3, batch=64)
    for name, recurrent, beta in (
        ("gradient, feed-forward", False, 0.99),
        ("gradient, recurrent", True, 0.9),
    ):
        yield gradient(
            name, seed, sets, units=64, recurrent=recurrent, beta=beta, reading=Reading(),
            training=training, gain=1.0,
        )[0]  # fmt: skip
