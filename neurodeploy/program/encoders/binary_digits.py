"""Binary digits of the integer, the highest first: for targets without graded messages."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from neurodeploy.errors import ProgramError
from neurodeploy.program.encoders.base import Encoder, InputEncoding, register_encoding
from neurodeploy.program.window_codes import Digits, WindowCode

__all__ = ["BinaryDigits"]


@register_encoding
class BinaryDigits(InputEncoding):
    """A spike at step tau of a window of n says 2**(n - 1 - tau)."""

    name: ClassVar[str] = "radix"
    description: ClassVar[str] = "binary digits, the highest first: a spike for each that is 1"
    limit: ClassVar[int] = 2**16 - 1
    signed: ClassVar[bool] = False
    message: ClassVar[str] = "digits"

    def largest(self, period: int) -> int:
        """See `InputEncoding.largest`: one step a digit."""
        return min(self.limit, (1 << min(period, 16)) - 1)

    def check_period(self, encoder: Encoder, period: int) -> None:
        """See `InputEncoding.check_period`: as many digits as steps, at most."""
        if encoder.high.bit_length() > period:
            raise ProgramError(
                f"the integer {encoder.high} has more binary digits than the window steps, {period}"
            )

    def window_code(self, encoder: Encoder, period: int) -> WindowCode:
        """See `InputEncoding.window_code`."""
        return Digits(min(period, self.limit.bit_length()))

    def encode(
        self, encoder: Encoder, level: np.ndarray, steps: int, index: int, part: range
    ) -> np.ndarray:
        """See `InputEncoding.encode`."""
        code = self.window_code(encoder, steps)
        found = [code.messages(level, tau, steps) for tau in part]
        return np.array(found, np.int32).reshape(len(part), level.size)

    def summed(
        self, encoder: Encoder, level: np.ndarray, steps: int, first_index: int = 0
    ) -> np.ndarray:
        """The integer that the digits stand for: int64 (n, inputs)."""
        return level.astype(np.int64)

    def sent(
        self, encoder: Encoder, level: np.ndarray, steps: int, first_index: int = 0
    ) -> np.ndarray:
        """See `InputEncoding.sent`."""
        return self.window_code(encoder, steps).sent(level, steps)
