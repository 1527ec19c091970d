"""Branches drawn by chance: Gaussian weights as published, or small integers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from neurodeploy.training.reconstruction.branches import Branches, Layer

__all__ = ["gaussian_branches", "grid_branches", "grid_neighbours"]

#: Standard deviations at which rounded Gaussian weights end.
_REACH = 4.0


def gaussian_branches(
    rng: np.random.Generator,
    count: int,
    inputs: int,
    widths: Sequence[int] = (1,),
    *,
    beta: float = 0.99,
    theta: float = 1.0,
    gain: float = 1.0,
    normalised: bool = False,
    levels: int | None = 127,
) -> Branches:
    """Feed-forward LIF branches with Gaussian weights (Udupi et al. 2026).

    Parameters
    ----------
    widths
        Units of each layer of a branch.
    gain
        Standard deviation of the weights.
    normalised
        Whether the weights into a unit have length `gain` instead.
    levels
        Weights are rounded to so many levels a sign, of which the last are 4 standard deviations:
        eight bits hold them as they were trained with. None: as published.
    """
    layers = []
    for units in widths:
        weight = rng.standard_normal((count, inputs, units)).astype(np.float32)
        if normalised:
            weight /= np.linalg.norm(weight, axis=1, keepdims=True)
        if levels is not None:
            step = np.float32(_REACH / levels * (inputs**-0.5 if normalised else 1.0))
            weight = np.clip(np.rint(weight / step), -levels, levels) * step
        shape = (count, units)
        layers.append(
            Layer(
                weight * np.float32(gain),
                None,
                np.full(shape, beta, np.float32),
                np.full(shape, theta, np.float32),
            )
        )
        inputs = units
    return Branches(tuple(layers))


def grid_branches(
    rng: np.random.Generator,
    count: int,
    inputs: int,
    units: int = 3,
    *,
    largest: int = 2,
    betas: Sequence[float] = (0.0, 0.5, 1.0),
    thetas: Sequence[float] = (0.5,),
) -> Branches:
    """Recurrent branches of one layer on an integer grid, uniformly drawn.

    Weights are integers of ``-largest .. largest``: as int8 they are the same numbers. Thresholds
    at half-integers leave no membrane of integers on the boundary.
    """

    def whole(*shape: int) -> np.ndarray:
        return rng.integers(-largest, largest + 1, shape).astype(np.float32)

    layer = Layer(
        whole(count, inputs, units),
        whole(count, units, units),
        rng.choice(np.asarray(betas, np.float32), (count, units)),
        rng.choice(np.asarray(thetas, np.float32), (count, units)),
    )
    return Branches((layer,))


def grid_neighbours(
    rng: np.random.Generator, parents: Branches, drawn: Branches, share: float = 0.1
) -> Branches:
    """Branches near others: of one of the parents, some entries exchanged for those of a fresh one.

    Parameters
    ----------
    drawn
        As many fresh branches as neighbours are wanted; one recurrent layer, like the parents.
    share
        Of the entries that are exchanged; at least one weight is.
    """
    (old,), (new,) = parents.take(rng.integers(0, len(parents), len(drawn))).layers, drawn.layers

    def mixed(mine: np.ndarray, other: np.ndarray) -> np.ndarray:
        return np.where(rng.random(mine.shape) < share, other, mine)

    assert old.recurrent is not None
    assert new.recurrent is not None
    weight = mixed(old.weight, new.weight)
    count, inputs, units = weight.shape
    one = np.arange(count), rng.integers(0, inputs, count), rng.integers(0, units, count)
    weight[one] = new.weight[one]
    layer = Layer(
        weight,
        mixed(old.recurrent, new.recurrent),
        mixed(old.beta, new.beta),
        mixed(old.theta, new.theta),
    )
    return Branches((layer,))
