"""Populations cut into blocks: a few cuts along each axis, every combination a part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from math import prod

import numpy as np

from neurodeploy.mapping.mapping import Box

__all__ = ["Grid", "even"]


def even(size: int, width: int) -> tuple[int, ...]:
    """Cuts of an axis into ranges of that width, the last one shorter: ``0, width, ..., size``."""
    return (*range(0, size, width), size)


@dataclass(frozen=True)
class Grid:
    """Blocks of a population, in C order of their places.

    Attributes
    ----------
    cuts
        For each axis of the population's shape where ranges begin, and the axis' end.
    """

    cuts: tuple[tuple[int, ...], ...]

    @classmethod
    def whole(cls, shape: Sequence[int]) -> Grid:
        """One part."""
        return cls(tuple((0, size) for size in shape))

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the population."""
        return tuple(cut[-1] for cut in self.cuts)

    @property
    def parts(self) -> int:
        """Number of blocks."""
        return prod(len(cut) - 1 for cut in self.cuts)

    def sizes(self) -> np.ndarray:
        """Neurons of each part, int64 (parts,)."""
        total = np.ones(1, np.int64)
        for cut in self.cuts:
            total = np.multiply.outer(total, np.diff(cut)).reshape(-1)
        return total

    def boxes(self) -> list[Box]:
        """The parts."""
        return list(product(*(tuple(pairwise(cut)) for cut in self.cuts)))

    def sums(self, values: np.ndarray) -> np.ndarray:
        """Sum over each part of an array of the population's shape: (parts,)."""
        for axis, cut in enumerate(self.cuts):
            values = np.add.reduceat(values, cut[:-1], axis=axis)
        return values.reshape(-1)

    def owners(self) -> np.ndarray:
        """The part of each neuron, int64 (neurons,), both in C order."""
        index = np.zeros(1, np.int64)
        for cut in self.cuts:
            ranges = len(cut) - 1
            place = np.repeat(np.arange(ranges), np.diff(cut))
            index = np.add.outer(index * ranges, place).reshape(-1)
        return index
