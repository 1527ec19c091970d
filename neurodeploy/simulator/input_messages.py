"""How many messages the input sends."""

from __future__ import annotations

import numpy as np

from neurodeploy.program import Program

__all__ = ["messages_by_input"]


def messages_by_input(program: Program, level: np.ndarray, first_index: int = 0) -> np.ndarray:
    """Messages of each input over some samples: int64 (inputs,).

    Parameters
    ----------
    level
        int32 (n, inputs), from `simulator.encoding.levels`.
    first_index
        Index of the first sample in its data set (seeds the Poisson encoder).
    """
    sent = program.encoder.code.sent(program.encoder, level, program.period, first_index)
    return sent.sum(0)
