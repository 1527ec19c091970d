"""What one core can do at most: int8 rows added into int16 rows in memory.

The inner loop of any simulator that adds a spike's weights to the accumulators of the neurons it
reaches. No list of spikes is made, nothing fires, rows and accumulators stay in the nearest
caches, so a whole simulator stays below it.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from numba import njit

__all__ = ["WIDTHS", "adds_per_second"]

#: Lengths of a row: channels, or channels times the kernel's width.
WIDTHS = (32, 64, 96, 128, 192, 256, 384)
ROWS = 64
TARGETS = 196
ADDITIONS = 4096


@njit(nogil=True, cache=True)
def _add_rows(targets: Any, rows: Any, target_of: Any, row_of: Any, passes: int) -> None:
    """targets[target_of[k]] += rows[row_of[k]] for all k; int16 wraps, as does its copy."""
    width = rows.shape[1]
    for _ in range(passes):
        for k in range(row_of.size):
            target = targets[target_of[k]]
            row = rows[row_of[k]]
            for i in range(width):
                target[i] = np.int16(target[i] + np.int16(row[i]))


def adds_per_second(repeat: int = 5, seconds: float = 0.1) -> dict[int, float]:
    """Additions a second of one core by length of the row: the best of `repeat` measurements."""
    rng = np.random.default_rng(0)
    found = {}
    for width in WIDTHS:
        targets = np.zeros((TARGETS, width), np.int16)
        rows = rng.integers(-128, 128, (ROWS, width), np.int8)
        target_of = rng.integers(0, TARGETS, ADDITIONS, np.uint32)
        row_of = rng.integers(0, ROWS, ADDITIONS, np.uint32)
        _add_rows(targets, rows, target_of, row_of, 1)
        check = np.zeros_like(targets)
        np.add.at(check, target_of, rows[row_of].astype(np.int16))
        if not np.array_equal(check, targets):
            raise AssertionError("the kernel adds wrongly")
        passes, best = 1, 0.0
        for _ in range(repeat):
            while True:
                began = time.perf_counter()
                _add_rows(targets, rows, target_of, row_of, passes)
                taken = time.perf_counter() - began
                if taken >= seconds / 2:
                    break
                passes *= 2
            best = max(best, passes * ADDITIONS * width / taken)
        found[width] = best
    return found
