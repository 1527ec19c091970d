"""Evenly paced spikes."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from neurodeploy.program.encoders.base import (
    PROBABILITY_ONE,
    Encoder,
    InputEncoding,
    register_encoding,
)

__all__ = ["Deterministic"]


@register_encoding
class Deterministic(InputEncoding):
    """The n-th spike comes as soon as the accumulated rate reaches n - 1/2."""

    name: ClassVar[str] = "deterministic"
    description: ClassVar[str] = "evenly paced spikes, as many as the input is large"
    limit: ClassVar[int] = PROBABILITY_ONE
    counts: ClassVar[bool] = True

    def encode(
        self, encoder: Encoder, level: np.ndarray, steps: int, index: int, part: range
    ) -> np.ndarray:
        """See `InputEncoding.encode`."""
        step = np.arange(part.start, part.stop + 1)[:, None]
        count = step * np.abs(level).astype(np.int64) + PROBABILITY_ONE // 2
        count //= PROBABILITY_ONE
        return np.where(count[1:] > count[:-1], np.sign(level), 0).astype(np.int32, copy=False)

    def expected(self, level: np.ndarray, steps: int) -> np.ndarray:
        """See `InputEncoding.expected`: whole spikes."""
        rate = super().expected(level, steps)
        return np.sign(rate) * np.floor(np.abs(rate) + 0.5)
