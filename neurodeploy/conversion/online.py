"""Online code: signed digits, the highest first, answered while the rest still arrives.

Most-significant-digit-first arithmetic: a layer begins to send `delay` steps after its input's
first digit, not after its window (docs/radix.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from neurodeploy.conversion.options import option
from neurodeploy.conversion.scheme import register_scheme
from neurodeploy.conversion.window.messages import Messages, SignedDigits
from neurodeploy.conversion.window.scheme import INPUT_BITS, WindowScheme
from neurodeploy.network.stages import Stage
from neurodeploy.program import INPUT
from neurodeploy.targets import Target

__all__ = ["OnlineScheme"]


@register_scheme
@dataclass(frozen=True)
class OnlineScheme(WindowScheme):
    """Options of the online code, besides those of `WindowScheme`.

    Attributes
    ----------
    bits
        Of an activation.
    delay
        Steps from a digit of the input to the same digit of the output.
    """

    bits: int = option(5, "Bits of an activation.", low=1, high=8, tries=(3, 4, 5, 6, 7, 8))
    delay: int = option(3, "Steps from a digit that comes to the same digit sent.", low=1, high=16)

    name: ClassVar[str] = "online"
    title: ClassVar[str] = (
        "signed digits, the highest first: each layer answers after --delay steps"
    )
    #: Where all digits settle, which depends on `delay`.
    exact: ClassVar[bool] = False
    needs: ClassVar[str] = "neuron that sends signed digits"

    @property
    def payload_bits(self) -> int:
        """See `WindowScheme.payload_bits`: the input comes as one graded message."""
        return INPUT_BITS

    def messages(self) -> Messages:
        """See `WindowScheme.messages`."""
        return SignedDigits(
            period=self.bits + self.delay, top=2**self.bits - 1, bits=self.bits, delay=self.delay
        )

    def _takes_graded(self, stages: tuple[Stage, ...], target: Target) -> bool:
        mixed = any(
            len({path.source for path in stage.paths} | {INPUT}) > 1
            and any(path.source == INPUT for path in stage.paths)
            for stage in stages
        )
        return super()._takes_graded(stages, target) and not mixed
