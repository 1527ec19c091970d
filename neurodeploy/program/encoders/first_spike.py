"""One spike an input, the earlier the larger."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from neurodeploy.errors import ProgramError
from neurodeploy.program.encoders.base import Encoder, InputEncoding, register_encoding
from neurodeploy.program.window_codes import Times, WindowCode

__all__ = ["FirstSpike"]


@register_encoding
class FirstSpike(InputEncoding):
    """The integer x is one spike, x steps before the window's end; none for 0."""

    name: ClassVar[str] = "ttfs"
    description: ClassVar[str] = "one spike an input, the earlier the larger"
    limit: ClassVar[int] = 2**16
    signed: ClassVar[bool] = False
    sends_once: ClassVar[bool] = True
    message: ClassVar[str] = "time"

    def largest(self, period: int) -> int:
        """See `InputEncoding.largest`: one step a level."""
        return min(self.limit, period)

    def check_period(self, encoder: Encoder, period: int) -> None:
        """See `InputEncoding.check_period`: as many levels as steps, at most."""
        if encoder.high > period:
            raise ProgramError(f"{encoder.high} levels in a window of {period} steps")

    def window_code(self, encoder: Encoder, period: int) -> WindowCode:
        """See `InputEncoding.window_code`."""
        return Times()

    def encode(
        self, encoder: Encoder, level: np.ndarray, steps: int, index: int, part: range
    ) -> np.ndarray:
        """See `InputEncoding.encode`."""
        step = np.arange(part.start, part.stop)[:, None]
        return (steps - step == level).astype(np.int32)

    def sent(
        self, encoder: Encoder, level: np.ndarray, steps: int, first_index: int = 0
    ) -> np.ndarray:
        """See `InputEncoding.sent`."""
        return (level != 0).astype(np.int64)

    def summed(
        self, encoder: Encoder, level: np.ndarray, steps: int, first_index: int = 0
    ) -> np.ndarray:
        """The integer that the time stands for: int64 (n, inputs)."""
        return level.astype(np.int64)
