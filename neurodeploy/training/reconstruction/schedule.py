"""Reconstruction together with surrogate gradients: train, refit, rebuild, train on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch

from neurodeploy.errors import UsageError
from neurodeploy.training.reconstruction.branches import Branches, joined
from neurodeploy.training.reconstruction.fitting import Plan, Reading, fit_branches
from neurodeploy.training.reconstruction.gradient import (
    GradientNetwork,
    Training,
    network_of,
    trained,
)
from neurodeploy.training.reconstruction.losses import loss_named
from neurodeploy.training.reconstruction.sampling import gaussian_branches

__all__ = ["Schedule", "Stage", "rebuilt", "scheduled"]


@dataclass(frozen=True)
class Schedule:
    """What is done after what.

    Attributes
    ----------
    before
        Gradient training of a network of `size` units; of no epochs: none.
    sampled
        Gaussian units that join the dictionary.
    size
        Units of the network: those of the refit with the largest coefficients.
    rho
        Of the group LASSO over the dictionary.
    after
        Gradient training of the rebuilt network.
    """

    before: Training = field(default_factory=Training)
    sampled: int = 1000
    size: int = 128
    rho: float = 1e-3
    after: Training = field(default_factory=Training)


@dataclass(frozen=True, eq=False)
class Stage:
    """The network after a step of the schedule: hidden units and readout."""

    name: str
    branches: Branches
    coefficients: np.ndarray
    intercept: np.ndarray
    gap: float = np.nan

    def scores(self, x: np.ndarray, reading: Reading) -> np.ndarray:
        """(rows, outputs)."""
        return reading.of(self.branches, x) @ self.coefficients + self.intercept


def scheduled(
    x: np.ndarray,
    y: np.ndarray,
    classes: int,
    schedule: Schedule,
    *,
    reading: Reading,
    beta: float = 0.99,
    theta: float = 1.0,
    gain: float | None = None,
    plan: Plan,
    seed: int = 0,
    progress: Callable[[str], None] = lambda _: None,
) -> list[Stage]:
    """The networks after each step: trained, rebuilt, trained on.

    Parameters
    ----------
    x
        (n, T, inputs).
    y
        Classes 0 .. classes - 1, (n,) or (n, T).
    gain
        Standard deviation of Gaussian weights; None: 1 / sqrt(inputs).
    """
    if schedule.size < 1 or (not schedule.before.epochs and not schedule.sampled):
        raise UsageError("no units to choose from", place="schedule")
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    inputs = x.shape[2]
    found: list[Stage] = []
    parts: list[Branches] = []
    if schedule.before.epochs:
        network = GradientNetwork(
            inputs, [schedule.size], classes, beta=beta, theta=theta, reading=reading
        )
        trained(network, x, y, schedule.before, seed, progress)
        found.append(_stage("trained", network))
        parts.append(found[-1].branches)
    if schedule.sampled:
        spread = inputs**-0.5 if gain is None else gain
        parts.append(
            gaussian_branches(rng, schedule.sampled, inputs, beta=beta, theta=theta, gain=spread)
        )
    made = rebuilt(joined(parts), x, y, classes, schedule, reading=reading, plan=plan)
    found.append(made)
    if schedule.after.epochs:
        network = network_of(made.branches, made.coefficients, made.intercept, reading)
        found.append(_stage("trained on", trained(network, x, y, schedule.after, seed, progress)))
    return found


def rebuilt(
    branches: Branches,
    x: np.ndarray,
    y: np.ndarray,
    classes: int,
    schedule: Schedule,
    *,
    reading: Reading,
    plan: Plan,
) -> Stage:
    """Of a dictionary's branches the `size` that the convex fit uses most, fitted once more."""
    loss = loss_named("cross-entropy")
    rows = np.asarray(y).reshape(-1)
    targets = loss.targets(rows, classes)

    def fit(some: Branches) -> tuple[Branches, np.ndarray, np.ndarray, float]:
        result, _ = fit_branches(
            some, x, rows, targets, loss, schedule.rho, group=True, reading=reading, plan=plan
        )  # fmt: skip
        return result.branches, result.coefficients, result.intercept, result.gap

    kept, coefficients, intercept, gap = fit(branches)
    use = np.linalg.norm(coefficients.reshape(len(kept), -1), axis=1)
    if len(kept) > schedule.size:
        best = np.sort(np.argsort(-use, kind="stable")[: schedule.size])
        kept, coefficients, intercept, gap = fit(kept.take(best))
    return Stage("rebuilt", kept, coefficients, intercept, gap)


def _stage(name: str, network: GradientNetwork) -> Stage:
    readout = network.readout
    return Stage(
        name,
        network.branches(),
        readout.weight.detach().numpy().T.astype(np.float64),
        readout.bias.detach().numpy().astype(np.float64),
    )
