"""Sigma-delta for streams of frames: what changes from frame to frame is sent, and nothing else.

Samples are frames, one after the other. Neurons are Lava's `SigmaDelta`, `Delta` at the input and
`Sigma` at the exit, so nothing needs microcode (docs/sigma-delta.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from neurodeploy.conversion.options import option
from neurodeploy.conversion.scheme import register_scheme
from neurodeploy.conversion.window.joined_chains import by_layer
from neurodeploy.conversion.window.messages import Changes, Messages
from neurodeploy.conversion.window.partial_sums import split_sums
from neurodeploy.conversion.window.scheme import WindowScheme
from neurodeploy.errors import UsageError
from neurodeploy.network.stages import Stage
from neurodeploy.program import Program, SigmaDelta
from neurodeploy.targets import Target

__all__ = ["SigmaDeltaScheme"]


@register_scheme
@dataclass(frozen=True)
class SigmaDeltaScheme(WindowScheme):
    """Options of sigma-delta, besides those of `WindowScheme`.

    Attributes
    ----------
    divide
        What synapses shift. ``sums``: each layer is a `Sigma`, a `Delta` behind a shift, and a
        `SigmaDelta`, a step each. ``changes``: a `SigmaDelta` behind a shift, which loses up to a
        unit at each step that something changes, so that the outputs drift.
    bits
        Of an activation; None: 8, or 9 where changes are divided.
    threshold
        Changes below this share of a layer's range (2**bits - 1 units) are kept back until they
        have added up to it; 0: every change is sent.
    refresh
        Frames after which all begins anew, so that no error is older; 0: never; None: never, or
        20 where changes are divided.
    """

    divide: str = option(
        "sums",
        "What is divided: sums (no drift, three populations a layer) or changes (one, with drift).",
        choices=("sums", "changes"),
    )
    bits: int | None = option(
        None,
        "Bits of an activation.",
        type=int,
        low=8,
        high=12,
        absent="8, or 9 with --divide changes",
    )
    threshold: float = option(
        0.02,
        "Least change that is sent, as a share of a layer's range; 0: all are.",
        low=0.0,
        high=1.0,
    )
    refresh: int | None = option(
        None,
        "Frames after which a whole one is sent; 0: never.",
        type=int,
        low=0,
        high=2**31 - 1,
        absent="never, or 20 with --divide changes",
    )

    name: ClassVar[str] = "sigma-delta"
    title: ClassVar[str] = "changes from frame to frame, by neurons that Intel ships"
    needs: ClassVar[str] = "neuron that sends changes"
    exact: ClassVar[bool] = False
    of_streams: ClassVar[bool] = True

    @property
    def activation_bits(self) -> int:
        """Of an activation."""
        if self.bits is not None:
            return self.bits
        return 8 if self.divide == "sums" else 9

    @property
    def payload_bits(self) -> int:
        """See `WindowScheme.payload_bits`."""
        return self.activation_bits

    @property
    def shifts(self) -> bool:
        """See `WindowScheme.shifts`."""
        return True

    @property
    def clips(self) -> bool:
        """See `Scheme.clips`."""
        return False

    @property
    def samples_a_stream(self) -> int:
        """See `WindowScheme.samples_a_stream`."""
        if self.refresh is not None:
            return self.refresh
        return 0 if self.divide == "sums" else 20

    def lacks(self, target: Target) -> str:
        """See `Scheme.lacks`: wide messages of both signs, and no microcode."""
        if target.graded_bits < SigmaDelta.widest:
            return (
                f"{target.title} sends {target.graded_bits} bits with a spike, changes take up to "
                f"{SigmaDelta.widest}"
            )
        return ""

    def shaped(self, stages: tuple[Stage, ...]) -> tuple[Stage, ...]:
        """See `Scheme.shaped`."""
        return split_sums(stages)

    def by_layer(self, program: Program) -> Program:
        """See `Scheme.by_layer`: of a frame alone the change of a quotient is the quotient."""
        return by_layer(program)

    def check_stages(self, stages: tuple[Stage, ...]) -> None:
        """See `Scheme.check_stages`; stock neurons have no levels."""
        super().check_stages(stages)
        with_levels = [stage.name for stage in stages if stage.levels]
        if with_levels:
            raise UsageError(
                f"{with_levels[0]!r} was trained with levels, which sigma-delta neurons do not "
                "have",
                place=f"--scheme {self.name}",
                remedy="use --scheme graded",
            )

    def messages(self) -> Messages:
        """See `WindowScheme.messages`."""
        top = 2**self.activation_bits - 1
        return Changes(top=top, threshold=self.threshold, exact=self.divide == "sums")
