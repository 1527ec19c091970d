"""Calibration samples in three parts: to convert with, to choose by, to check the choice on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neurodeploy.errors import DataError

__all__ = ["MOST_FITTED", "Parts", "split"]

#: Samples to convert with, at most: more change thresholds and biases little, and take longer.
MOST_FITTED = 500
#: Fewer cannot be split.
_LEAST = 12


@dataclass(frozen=True, eq=False)
class Parts:
    """Samples (n, *shape) of each part; no sample is in two."""

    fitting: np.ndarray
    choosing: np.ndarray
    held_out: np.ndarray


def split(x: np.ndarray) -> Parts:
    """A half (at most `MOST_FITTED`) to convert with; of the rest a half each for the other two.

    Samples may lie in an order, of classes or of time: they are drawn, always the same for the
    same number.

    Raises
    ------
    DataError
        Too few.
    """
    if len(x) < _LEAST:
        raise DataError(
            f"{len(x)} samples cannot be split into three parts",
            place="calibration",
            remedy=f"give {_LEAST} at least, better 1,000: a share of 99 % is told from 98 % by "
            "hundreds",
        )
    order = np.random.default_rng(0).permutation(len(x))
    fitted = min(len(x) // 2, MOST_FITTED)
    middle = fitted + (len(x) - fitted) // 2
    fitting, choosing, held = order[:fitted], order[fitted:middle], order[middle:]
    return Parts(*(x[np.sort(part)] for part in (fitting, choosing, held)))
