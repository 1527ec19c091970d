"""A stream: one row of integers a step."""

from __future__ import annotations

from math import prod
from typing import ClassVar

import numpy as np

from neurodeploy.program.encoders.base import Encoder, InputEncoding, register_encoding

__all__ = ["Frames"]


@register_encoding
class Frames(InputEncoding):
    """A sample is (T, ...): row i is sent at step i as graded messages; nothing after the last."""

    name: ClassVar[str] = "frames"
    description: ClassVar[str] = "a stream: one row of integers a step, as graded messages"
    varies: ClassVar[bool] = True
    graded: ClassVar[bool] = True

    def encode(
        self, encoder: Encoder, level: np.ndarray, steps: int, index: int, part: range
    ) -> np.ndarray:
        """See `InputEncoding.encode`."""
        rows = level.reshape(-1, prod(encoder.shape))
        found = np.zeros((len(part), rows.shape[1]), np.int32)
        there = rows[part.start : part.stop]
        found[: len(there)] = there
        return found
