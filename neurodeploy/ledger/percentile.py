"""A lower percentile for the thresholds of the rate code, where a trial shows that it helps.

Lower thresholds clip the rarest activations and let all others fire more often. In deep and
residual networks at few steps the second is worth far more; elsewhere it is not. So it is tried.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from neurodeploy.ledger.trial import compare_outputs
from neurodeploy.network import Network
from neurodeploy.program import Program

__all__ = ["PERCENTILES", "lower_percentile"]

#: Tried where the default is poor.
PERCENTILES = (99.0, 98.0)
#: How many are tried: always as many, however long it takes, so that the program is the same.
_SAMPLES = 64
_SECONDS = 1e5


def lower_percentile(
    program: Program,
    again: Callable[[float], Program],
    ann: Network,
    x: np.ndarray,
) -> tuple[Program, str]:
    """The program, or the one of a lower percentile whose outputs are nearest to the ANN's.

    Only where the program as it is keeps too few of the ANN's classes (`Trial.poor`).

    Parameters
    ----------
    again
        Makes the program of a percentile.
    ann, x
        As of `try_program`.

    Returns
    -------
    program
    said
        One line where it is another than that which came; else empty.
    """
    first = compare_outputs(program, ann, x, _SAMPLES, _SECONDS)
    if not first.poor or first.found is None:
        return program, ""
    best, error, taken = program, first.found.error, 0.0
    for percent in PERCENTILES:
        other = again(percent)
        found = compare_outputs(other, ann, x, _SAMPLES, _SECONDS).found
        if found is not None and found.error < error:
            best, error, taken = other, found.error, percent
    if not taken:
        return program, ""
    return best, (
        f"thresholds at percentile {taken:g} of the activations: at the default 99.9 the output "
        f"error on calibration samples is {first.found.error:.1%}, so {error:.1%} (state "
        "--balance percentile to keep the default)"
    )
