"""The registers that kernels update: 24 bit of state, and words of spikes."""

from __future__ import annotations

import numpy as np

__all__ = ["ALL", "LIMIT", "NONE", "WORD", "WRAP"]

#: Magnitude that a membrane is cut at, and that a current wraps beyond.
LIMIT = np.int64(2**23 - 1)
WRAP = np.int64(2**23)
#: Neurons updated together, one bit each of a word of spikes; words of no spikes and of all.
WORD = 64
NONE, ALL = np.uint64(0), np.uint64(2**64 - 1)
