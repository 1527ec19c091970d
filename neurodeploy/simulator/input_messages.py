"""How many messages the input sends."""

from __future__ import annotations

import numpy as np

from neurodeploy.program import Program
from neurodeploy.simulator import encoding

__all__ = ["messages_by_input"]


def messages_by_input(program: Program, level: np.ndarray, first_index: int = 0) -> np.ndarray:
    """Messages of each input over some samples: int64 (inputs,).

    1. A constant current: one at every step, none for the integer 0.
    2. A time: one, none for 0.
    3. Spikes: as the encoder draws them.

    Parameters
    ----------
    level
        int32 (n, inputs), from `encoding.levels`.
    first_index
        Index of the first sample in its data set (seeds the Poisson encoder).
    """
    encoder, steps = program.encoder, program.period
    if encoder.encoding in ("current", "ttfs"):
        each = steps if encoder.encoding == "current" else 1
        return np.count_nonzero(level, axis=0).astype(np.int64) * each
    total = np.zeros(level.shape[1], np.int64)
    for k, row in enumerate(level):
        total += np.count_nonzero(encoding.encode(encoder, row, steps, first_index + k), axis=0)
    return total
