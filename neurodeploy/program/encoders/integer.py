"""The integer itself, once a sample: one graded message at the window's last or first step."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from neurodeploy.program.encoders.base import Encoder, InputEncoding, register_encoding
from neurodeploy.program.window_codes import OneMessage, WindowCode

__all__ = ["Graded", "GradedFirst"]


@register_encoding
class Graded(InputEncoding):
    """One graded message an input, at the window's last step: exact, whatever the levels behind."""

    name: ClassVar[str] = "graded"
    description: ClassVar[str] = "the integer, as one graded message at the window's last step"
    graded: ClassVar[bool] = True
    sends_once: ClassVar[bool] = True
    message: ClassVar[str] = "integer"
    #: At the last step, or at the first.
    at_end: ClassVar[bool] = True

    def window_code(self, encoder: Encoder, period: int) -> WindowCode:
        """See `InputEncoding.window_code`."""
        return OneMessage(self.at_end)

    def encode(
        self, encoder: Encoder, level: np.ndarray, steps: int, index: int, part: range
    ) -> np.ndarray:
        """See `InputEncoding.encode`."""
        found = np.zeros((len(part), level.size), np.int32)
        at = (steps - 1 if self.at_end else 0) - part.start
        if 0 <= at < len(part):
            found[at] = level
        return found

    def sent(
        self, encoder: Encoder, level: np.ndarray, steps: int, first_index: int = 0
    ) -> np.ndarray:
        """See `InputEncoding.sent`."""
        return (level != 0).astype(np.int64)

    def summed(
        self, encoder: Encoder, level: np.ndarray, steps: int, first_index: int = 0
    ) -> np.ndarray:
        """See `InputEncoding.summed`."""
        return level.astype(np.int64)


@register_encoding
class GradedFirst(Graded):
    """The same at the window's first step, for neurons that answer before their window ends."""

    name: ClassVar[str] = "graded_first"
    description: ClassVar[str] = "the integer, as one graded message at the window's first step"
    at_end: ClassVar[bool] = False
