"""Work on large weights some rows at a time, so that what it takes besides stays small."""

from __future__ import annotations

from collections.abc import Callable
from math import prod

import numpy as np

__all__ = ["by_rows"]

#: Weights worked on at once.
_WEIGHTS = 2**22


def by_rows(work: Callable[..., np.ndarray], *arrays: np.ndarray) -> np.ndarray:
    """``work(*arrays)`` where each row of the result hangs on the same row of the arrays alone.

    Parameters
    ----------
    work
        Called with so many rows of each array that the first has about four million entries.
    arrays
        Of as many rows each.
    """
    rows = max(1, _WEIGHTS // max(1, prod(arrays[0].shape[1:])))
    if rows >= len(arrays[0]):
        return work(*arrays)
    parts = range(0, len(arrays[0]), rows)
    return np.concatenate([work(*(a[at : at + rows] for a in arrays)) for at in parts])
