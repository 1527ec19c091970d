"""Other settings of a scheme, taken where a trial shows that they bring the outputs nearer."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from neurodeploy.ledger.trial import compare_outputs
from neurodeploy.network import Network
from neurodeploy.program import Program
from neurodeploy.simulator.encoding import check_samples

__all__ = ["best_alternative"]

#: How many are tried: always as many, however long it takes, so that the program is the same.
_SAMPLES = 64
_SECONDS = 1e5


def best_alternative(
    program: Program,
    others: Mapping[str, Callable[[], Program]],
    ann: Network,
    x: np.ndarray,
) -> tuple[Program, str]:
    """The program, or the one of other settings whose outputs are nearest to the ANN's.

    Only where the program as it is keeps too few of the ANN's classes (`Trial.poor`).

    Parameters
    ----------
    others
        By what they change, in words, how to make them.
    ann
        The network before the passes.
    x
        Samples (n, *shape) before preprocessing.

    Returns
    -------
    program
    said
        One line where it is another than that which came; else empty.
    """
    x = check_samples(x, program.encoder.sample_shape, "calibration")
    first = compare_outputs(program, ann, x, _SAMPLES, _SECONDS)
    if not first.poor or first.found is None:
        return program, ""
    best, error, taken = program, first.found.error, ""
    for change, make in others.items():
        other = make()
        found = compare_outputs(other, ann, x, _SAMPLES, _SECONDS).found
        if found is not None and found.error < error:
            best, error, taken = other, found.error, change
    if not taken:
        return program, ""
    return best, (
        f"{taken} is taken: with the default the output error on calibration samples is "
        f"{first.found.error:.1%}, so {error:.1%} (state the option to keep the default)"
    )
