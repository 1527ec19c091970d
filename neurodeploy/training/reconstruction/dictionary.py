"""Dictionaries of activation patterns: one column a hidden unit, one row a sample (or a step)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from neurodeploy.training.reconstruction.branches import Branches

__all__ = ["Feature", "Reduced", "patterns", "reduced"]

#: What of a unit's spikes is read: at the last step, at every step, or their leaky sum at the last
#: or at every step.
Feature = Literal["last", "trace"]


def patterns(
    branches: Branches,
    x: np.ndarray,
    feature: Feature = "last",
    *,
    trace_beta: float = 1.0,
    every_step: bool = False,
) -> np.ndarray:
    """What a linear readout sees of the units.

    Parameters
    ----------
    x
        Sequences (n, T, inputs).
    feature
        ``last``: spikes of the step that is read. ``trace``: ``r <- trace_beta r + s`` over the
        steps up to it.
    every_step
        Read at every step instead of the last.

    Returns
    -------
    uint8 or float32 (n, units), or (n T, units), the steps of a sequence after each other.
    """
    spikes = branches.run(x)
    if feature == "last":
        return spikes.reshape(-1, spikes.shape[2]) if every_step else spikes[:, -1]
    trace = np.zeros(spikes[:, 0].shape, np.float32)
    read = np.zeros(spikes.shape if every_step else (len(x), 1, spikes.shape[2]), np.float32)
    for t in range(spikes.shape[1]):
        trace = np.float32(trace_beta) * trace + spikes[:, t]
        read[:, t if every_step else 0] = trace
    return read.reshape(-1, spikes.shape[2])


@dataclass(frozen=True)
class Reduced:
    """A dictionary without repetitions.

    Attributes
    ----------
    matrix
        Distinct rows and distinct columns that are not constant.
    columns
        Of the dictionary, the first of each pattern that is kept.
    row
        For each row of the dictionary its row in `matrix`.
    """

    matrix: np.ndarray
    columns: np.ndarray
    row: np.ndarray

    def counts(self, weights: np.ndarray | None = None) -> np.ndarray:
        """How often each row occurs, or the sum of its weights."""
        return np.bincount(self.row, weights, minlength=len(self.matrix))


def reduced(dictionary: np.ndarray, labels: np.ndarray | None = None) -> Reduced:
    """Columns of equal patterns once, and rows once.

    Of units that are alike on the data one is as good as all: a minimum with them has the same
    value without. Constant columns are left out: the intercept is free.

    Parameters
    ----------
    labels
        (rows,): rows of different labels stay apart.
    """
    columns = _first_of_each(dictionary)
    part = dictionary[:, columns]
    varies = part.max(0, initial=0) != part.min(0, initial=255)
    columns = columns[varies]
    part = np.ascontiguousarray(part[:, varies])
    keyed = part if labels is None else np.column_stack([part, labels])
    _, first, row = np.unique(_keys(keyed), return_index=True, return_inverse=True)
    return Reduced(part[first], columns, row.reshape(-1))


def _first_of_each(dictionary: np.ndarray) -> np.ndarray:
    _, first = np.unique(_keys(dictionary.T), return_index=True)
    return np.sort(first)


def _keys(rows: np.ndarray) -> np.ndarray:
    """One comparable value a row; spikes are packed into bits."""
    if rows.shape[1] == 0:
        return np.zeros(len(rows), np.uint8)
    packed = np.packbits(rows, axis=1) if rows.dtype == np.uint8 and rows.max() <= 1 else rows
    packed = np.ascontiguousarray(packed)
    return packed.view(np.dtype((np.void, packed.dtype.itemsize * packed.shape[1]))).reshape(-1)
