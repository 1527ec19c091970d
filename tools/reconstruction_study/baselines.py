"""What stands beside every figure: ridge on the same features, gradients, a random reservoir."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from sklearn.linear_model import RidgeClassifierCV

from neurodeploy.training.reconstruction.branches import Branches, Layer
from neurodeploy.training.reconstruction.fitting import Reading
from neurodeploy.training.reconstruction.gradient import (
    GradientNetwork,
    Training,
    scores_of,
    trained,
)

#: Sequences and labels by the name of the set.
Sets = Mapping[str, tuple[np.ndarray, np.ndarray]]


@dataclass
class Figures:
    """A line of a table.

    Attributes
    ----------
    method, seed
        What was trained.
    accuracy
        Share of right labels, by set; the first set is the one that was trained on.
    more
        Units, gap, violation, seconds, where there are some.
    """

    method: str
    seed: int
    accuracy: dict[str, float]
    more: dict[str, float] = field(default_factory=dict)


def ridge(method: str, seed: int, branches: Branches, reading: Reading, sets: Sets) -> Figures:
    """Ridge regression on what the readout sees of some units."""
    features = {name: reading.of(branches, x).astype(np.float32) for name, (x, _) in sets.items()}
    first = next(iter(sets))
    model = RidgeClassifierCV(alphas=np.logspace(-3, 3, 13))
    model.fit(features[first], sets[first][1].reshape(-1))
    accuracy = {name: model.score(features[name], y.reshape(-1)) for name, (_, y) in sets.items()}
    return Figures(method, seed, accuracy, {"units": branches.units})


def reservoir(rng: np.random.Generator, inputs: int, units: int, beta: float) -> Branches:
    """One branch of random recurrent LIF units."""
    shape = (1, units)
    layer = Layer(
        rng.normal(size=(1, inputs, units)).astype(np.float32),
        rng.normal(0, 1 / units**0.5, (1, units, units)).astype(np.float32),
        np.full(shape, beta, np.float32),
        np.ones(shape, np.float32),
    )
    return Branches((layer,))


def gradient(
    method: str,
    seed: int,
    sets: Sets,
    *,
    units: int,
    recurrent: bool,
    beta: float,
    reading: Reading,
    training: Training,
    gain: float | None = None,
) -> tuple[Figures, GradientNetwork]:
    """A network of LIF units trained by surrogate gradients."""
    (x, y), *_ = sets.values()
    torch.manual_seed(seed)
    classes = int(y.max()) + 1
    network = GradientNetwork(
        x.shape[2], [units], classes, recurrent=recurrent, beta=beta, reading=reading, gain=gain
    )
    trained(network, x, y, training, seed)
    accuracy = {
        name: float((scores_of(network, some).argmax(1) == labels.reshape(-1)).mean())
        for name, (some, labels) in sets.items()
    }
    return Figures(method, seed, accuracy, {"units": units, "epochs": training.epochs}), network


def accuracy_of(model: object, sets: Sets) -> dict[str, float]:
    """Of an estimator on each set."""
    return {name: float(model.score(x, y)) for name, (x, y) in sets.items()}  # type: ignore[attr-defined]
