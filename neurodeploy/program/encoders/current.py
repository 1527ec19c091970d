"""A constant current: the integer itself, at every step."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from neurodeploy.program.encoders.base import Encoder, InputEncoding, register_encoding

__all__ = ["Current"]


@register_encoding
class Current(InputEncoding):
    """Graded messages, the same at every step of a sample."""

    name: ClassVar[str] = "current"
    description: ClassVar[str] = "constant current: the integer, as a graded message at every step"
    steady: ClassVar[bool] = True
    graded: ClassVar[bool] = True

    def encode(
        self, encoder: Encoder, level: np.ndarray, steps: int, index: int, part: range
    ) -> np.ndarray:
        """See `InputEncoding.encode`."""
        return np.broadcast_to(level, (len(part), level.size))

    def sent(
        self, encoder: Encoder, level: np.ndarray, steps: int, first_index: int = 0
    ) -> np.ndarray:
        """See `InputEncoding.sent`."""
        return (level != 0).astype(np.int64) * steps

    def summed(
        self, encoder: Encoder, level: np.ndarray, steps: int, first_index: int = 0
    ) -> np.ndarray:
        """See `InputEncoding.summed`."""
        return level.astype(np.int64)
