"""MNIST row by row: reconstruction as a warm start beside gradients, and more data."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

import numpy as np

import neurodeploy as nd
from neurodeploy.training.reconstruction.fitting import Plan, Reading
from neurodeploy.training.reconstruction.gradient import Training
from neurodeploy.training.reconstruction.network import network_from
from neurodeploy.training.reconstruction.sampling import gaussian_branches
from neurodeploy.training.reconstruction.schedule import Schedule, Stage, rebuilt, scheduled
from neurodeploy.training.reconstruction.tasks import rows_of_images
from reconstruction_study.baselines import Figures, Sets, gradient, ridge

__all__ = ["images", "measure", "scaling"]

#: Leak of units and of what is read, as published.
BETA = 0.99
READING = Reading("trace", BETA)
FILES = ("mnist_train_first2000.npz", "mnist_test.npz")


def images(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """The 12,000 images that are at hand, in an order that a fixed seed gives.

    2,000 of MNIST's training images and its 10,000 test images: split anew, so figures are not to
    be compared with those on the official split.
    """
    x, y = [], []
    for name in FILES:
        with np.load(folder / name) as held:
            x.append(rows_of_images(held["x"]))
            y.append(held["y"].astype(np.int64))
    order = np.random.default_rng(2026).permutation(sum(map(len, x)))
    return np.concatenate(x)[order], np.concatenate(y)[order]


def split(folder: Path, train: int, test: int) -> Sets:
    """The first images to train on, the last to test."""
    x, y = images(folder)
    x = x.astype(np.float32) / 255
    return {"train": (x[:train], y[:train]), "test": (x[-test:], y[-test:])}


def accuracy(stage: Stage, sets: Sets) -> dict[str, float]:
    """Of a stage of the schedule on each set."""
    return {
        name: float((stage.scores(x, READING).argmax(1) == y).mean())
        for name, (x, y) in sets.items()
    }


def in_integers(stage: Stage, sets: Sets) -> float:
    """Accuracy of the compiled program, int8, on the test images."""
    x, y = sets["test"]
    network = network_from(stage.branches, stage.coefficients, stage.intercept, READING, x.shape[1])
    program = nd.compile(
        network, calibration=x, scheme="direct", encoding="frames", decoder="membrane",
        task="classification",
    )  # fmt: skip
    return nd.simulate(program, x).accuracy(y) / 100


def measure(options: Namespace, seed: int) -> Iterator[Figures]:
    """At each number of epochs in all: the schedule, half before and half after, and gradients."""
    sets = split(options.data, options.train, options.test_images)
    x, y = sets["train"]
    for count in options.epochs:
        half = Training(count // 2, options.rate)
        stages = scheduled(
            x, y, 10, Schedule(before=half, after=half), reading=READING, beta=BETA,
            plan=Plan(seconds=60), seed=seed,
        )  # fmt: skip
        for stage in stages:
            more = {"epochs": count if stage.name == "trained on" else count // 2}
            more |= {"units": len(stage.branches), "gap": stage.gap}
            reached = accuracy(stage, sets) | {"test, int8": in_integers(stage, sets)}
            yield Figures(f"schedule of {count}: {stage.name}", seed, reached, more)
        yield ridge(f"schedule of {count}: ridge", seed, stages[1].branches, READING, sets)
        yield gradient(
            f"gradient, {count} epochs", seed, sets, units=128, recurrent=False, beta=BETA,
            reading=READING, training=Training(count, options.rate),
        )[0]  # fmt: skip


def scaling(options: Namespace, seed: int) -> Iterator[Figures]:
    """Convex fit and ridge on 1,000 sampled units, and gradients, by number of images."""
    for train in options.sizes:
        sets = split(options.data, train, options.test_images)
        x, y = sets["train"]
        drawn = gaussian_branches(np.random.default_rng(seed), 1000, 28, beta=BETA, gain=28**-0.5)
        stage = rebuilt(
            drawn, x, y, 10, Schedule(size=1000), reading=READING, plan=Plan(seconds=60)
        )
        more = {"images": train, "units": len(stage.branches), "gap": stage.gap}
        yield Figures(f"{train} images: convex, sampled", seed, accuracy(stage, sets), more)
        yield ridge(f"{train} images: ridge, sampled", seed, drawn, READING, sets)
        figures, network = gradient(
            f"{train} images: gradient, 20 epochs", seed, sets, units=128, recurrent=False,
            beta=BETA, reading=READING, training=Training(20),
        )  # fmt: skip
        yield figures
        stage = rebuilt(
            network.branches(), x, y, 10, Schedule(size=128), reading=READING,
            plan=Plan(seconds=60),
        )  # fmt: skip
        yield Figures(f"{train} images: gradient, then convex", seed, accuracy(stage, sets))
