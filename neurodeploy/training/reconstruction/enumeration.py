"""All activation patterns of a recurrent threshold unit, on data small enough to try each.

Ground truth for what sampling finds: the convex problem over these columns is the network's.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import linprog

from neurodeploy.errors import UsageError
from neurodeploy.training.reconstruction.witness import unit_inputs

__all__ = ["all_patterns"]

#: Signs that are tried at most, as a power of two.
_MOST = 14


def all_patterns(x: np.ndarray) -> np.ndarray:
    """Every pattern ``s_t = [w x_t + u s_(t-1) > theta]`` for any w, u and theta > 0.

    A pattern exists if and only if a linear program on [x_t, s_(t-1)] has a solution: it is one
    system of inequalities for all steps, since the pattern says what the unit saw.

    Parameters
    ----------
    x
        (n, T, inputs), n T at most 14.

    Returns
    -------
    uint8 (patterns, n, T).
    """
    n, steps, width = x.shape
    if n * steps > _MOST:
        raise UsageError(f"{n} sequences of {steps} steps are too many to try all patterns")
    found = []
    for number in range(2 ** (n * steps)):
        pattern = ((number >> np.arange(n * steps)) & 1).reshape(n, steps)
        seen = unit_inputs(x, pattern)
        sign = np.where(pattern.reshape(-1) == 1, 1.0, -1.0)[:, None]
        # sign (seen w - theta) >= 1, theta >= 1: any solution may be scaled to this
        matrix = -sign * np.column_stack([seen, -np.ones(len(seen))])
        bounds = [(None, None)] * (width + 1) + [(1.0, None)]
        answer = linprog(np.zeros(width + 2), matrix, -np.ones(len(seen)), bounds=bounds)
        if answer.status == 0:
            found.append(pattern)
    return np.array(found, np.uint8)
