"""Radix code: an activation in a few binary digits, the highest first (Wang et al. 2021).

In integers the spiking network equals the network with activations rounded to 2**bits levels, as
with times to first spike, in `bits` steps a layer instead of 2**bits (docs/radix.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from neurodeploy.conversion.options import option
from neurodeploy.conversion.scheme import register_scheme
from neurodeploy.conversion.window.messages import Digits, Messages, Whole
from neurodeploy.conversion.window.partial_sums import split_sums
from neurodeploy.conversion.window.scheme import WindowScheme
from neurodeploy.errors import UsageError
from neurodeploy.network.stages import Stage
from neurodeploy.program import GradedRelu
from neurodeploy.targets import Target

__all__ = ["GradedScheme", "RadixScheme"]


@register_scheme
@dataclass(frozen=True)
class RadixScheme(WindowScheme):
    """Options of the radix code, besides those of `WindowScheme`.

    Attributes
    ----------
    bits
        Of an activation.
    digit
        Of them, how many a message carries: 1 is a spike, `bits` one graded message.
    """

    bits: int = option(5, "Bits of an activation.", low=1, high=8, tries=(3, 4, 5, 6, 7, 8))
    digit: int = option(1, "Bits that a message carries; divides --bits.", low=1, high=8)

    name: ClassVar[str] = "radix"
    title: ClassVar[str] = "binary digits, the highest first: exact in a few steps a layer"
    needs: ClassVar[str] = "neuron that sends digits"
    #: Bits of a weight without its sign, moved up by the exponent: who spiked, as one number.
    largest_pool: ClassVar[int | None] = 14

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.bits % self.digit:
            raise UsageError(
                f"digits of {self.digit} bits do not make {self.bits} bits",
                place="--digit",
                remedy=f"use a divisor of {self.bits}, or other --bits",
            )

    @property
    def max_pooling(self) -> bool:  # type: ignore[override]
        """With binary spikes: a mask of who spiked."""
        return self.digit == 1

    @property
    def payload_bits(self) -> int:
        """See `WindowScheme.payload_bits`: one binary digit is the spike itself."""
        return self.digit if self.digit > 1 else 0

    def messages(self) -> Messages:
        """See `WindowScheme.messages`."""
        return Digits(
            period=self.bits // self.digit,
            top=2**self.bits - 1,
            own="radix" if self.digit == 1 else "graded" if self.digit == self.bits else "",
            bits=self.bits,
            digit=self.digit,
        )


@register_scheme
@dataclass(frozen=True)
class GradedScheme(WindowScheme):
    """Options of graded messages, besides those of `WindowScheme`: the radix code of one digit."""

    bits: int = option(8, "Bits of an activation.", low=1, high=8, tries=(4, 5, 6, 7, 8))
    stock: bool = option(
        False, "Only neurons and synapses that Intel ships (Lava's GradedReluVec): no microcode."
    )

    name: ClassVar[str] = "graded"
    title: ClassVar[str] = "one graded message a neuron and sample, one step a layer"
    needs: ClassVar[str] = "neuron that divides"

    @property
    def payload_bits(self) -> int:
        """See `WindowScheme.payload_bits`."""
        return self.bits

    @property
    def shifts(self) -> bool:
        """See `WindowScheme.shifts`."""
        return self.stock

    @property
    def clips(self) -> bool:
        """See `Scheme.clips`."""
        return not self.stock

    def lacks(self, target: Target) -> str:
        """See `Scheme.lacks`; stock neurons need no microcode, and wider messages."""
        if not self.stock:
            return super().lacks(target)
        if target.graded_bits < GradedRelu.widest:
            return (
                f"{target.title} sends {target.graded_bits} bits with a spike, --stock takes "
                f"up to {GradedRelu.widest}"
            )
        return ""

    def shaped(self, stages: tuple[Stage, ...]) -> tuple[Stage, ...]:
        """See `Scheme.shaped`."""
        return split_sums(stages) if self.stock else stages

    def check_stages(self, stages: tuple[Stage, ...]) -> None:
        """See `Scheme.check_stages`; stock neurons have no levels."""
        super().check_stages(stages)
        with_levels = [stage.name for stage in stages if stage.levels]
        if self.stock and with_levels:
            raise UsageError(
                f"{with_levels[0]!r} was trained with levels, which stock neurons do not have",
                place="--stock",
                remedy="leave --stock out: the neurons of --scheme graded have them",
            )

    def messages(self) -> Messages:
        """See `WindowScheme.messages`."""
        if self.stock:
            return Whole(top=2**self.bits - 1)
        return Digits(period=1, top=2**self.bits - 1, own="graded", bits=self.bits, digit=self.bits)
