"""How integers become messages: what differs between the window codes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from neurodeploy.conversion.window.masks import Parts, masks
from neurodeploy.network.stages import Operator, Stage
from neurodeploy.program import Earliest, GradedRelu, MaskMaximum, Online, Radix, SigmaDelta, Ttfs
from neurodeploy.program.neurons import Neuron
from neurodeploy.quantization.operators import quantize
from neurodeploy.quantization.window import Integers
from neurodeploy.targets import Target

__all__ = [
    "DELTA",
    "SIGMA",
    "Changes",
    "Digits",
    "Messages",
    "Parts",
    "SignedDigits",
    "Times",
    "Whole",
]


@dataclass(frozen=True)
class Messages:
    """Base of all: windows of `period` steps, integers up to `top`.

    Attributes
    ----------
    entrance
        Encoding of the input as one graded message.
    own
        Encoding of the input in the code itself, for targets without graded messages; empty where
        there is none.
    decoding
        Of the readout.
    """

    period: int
    top: int
    entrance: str = "graded"
    own: str = ""
    decoding: str = "membrane"

    def top_of(self, layer: Any) -> int:
        """Largest integer that a layer sends."""
        return self.top

    @property
    def number(self) -> np.ndarray | None:
        """How many messages each integer 0..`top` takes, int64, where steps are to spare some."""
        return None

    def entering(self, size: int, top: int) -> Neuron | None:
        """Neurons between the input, integers up to `top`, and all that reads it; None: none."""
        return None

    def membrane_unit(self, layer: Any) -> np.ndarray:
        """Real value of one membrane integer of a layer, float64 (neurons,)."""
        unit: np.ndarray = layer.scale
        return unit

    def neuron(self, layer: Any, *, fires: bool, first: bool) -> Neuron:
        """Neurons that send the quotients of a layer; `first`: it reads the input alone."""
        raise NotImplementedError

    def chain(
        self, layer: Any, *, fires: bool, first: bool
    ) -> tuple[tuple[tuple[str, Neuron], ...], Neuron]:
        """Neurons that a layer's sums go through first, each with an ending of its name; the last.

        Each reads the one before it neuron by neuron, a step later.
        """
        return (), self.neuron(layer, fires=fires, first=first)

    def relay(self, size: int, *, first: bool) -> Neuron:
        """Neurons that send what they receive."""
        raise NotImplementedError

    def maximum(self, stage: Stage, windows: Operator, target: Target) -> tuple[Neuron, Parts]:
        """Neurons that send the largest of what they receive, and their synapses."""
        raise NotImplementedError


@dataclass(frozen=True)
class Times(Messages):
    """One spike, the earlier the larger."""

    own: str = "ttfs"

    def neuron(self, layer: Integers, *, fires: bool, first: bool) -> Neuron:
        """See `Messages.neuron`."""
        bias, slope = layer.bias.astype(np.int32), layer.slope.astype(np.int32)
        alike = bool((slope == slope[0]).all())
        return Ttfs(bias, int(slope[0]) if alike else slope, fires=fires)

    def relay(self, size: int, *, first: bool) -> Neuron:
        """See `Messages.relay`."""
        return Ttfs(np.zeros(size, np.int32), 1)

    def maximum(self, stage: Stage, windows: Operator, target: Target) -> tuple[Neuron, Parts]:
        """The earliest."""
        return Earliest(), [(quantize(windows, 1.0, target.weight_max), 0)]


def _ones(top: int) -> np.ndarray:
    """Binary digits that are 1, of each integer 0..`top`.

    However wide or signed digits are: codes of as many levels are to say the same integers.
    """
    return np.array([x.bit_count() for x in range(top + 1)])


@dataclass(frozen=True)
class Digits(Messages):
    """`bits` binary digits, `digit` of them a message, the highest first."""

    bits: int = 5
    digit: int = 1

    @property
    def number(self) -> np.ndarray:
        """See `Messages.number`."""
        return _ones(self.top)

    def neuron(self, layer: Integers, *, fires: bool, first: bool) -> Neuron:
        """See `Messages.neuron`."""
        bias, slope = layer.bias.astype(np.int32), layer.slope.astype(np.int32)
        return Radix(bias, slope, self.bits, self.digit, fires=fires)

    def relay(self, size: int, *, first: bool) -> Neuron:
        """See `Messages.relay`."""
        return Radix(np.zeros(size, np.int32), np.ones(size, np.int32), self.bits, self.digit)

    def maximum(self, stage: Stage, windows: Operator, target: Target) -> tuple[Neuron, Parts]:
        """A mask of who spiked tells who is still the largest."""
        return MaskMaximum(), masks(stage, windows, target)


#: Of the largest output that was seen.
_OUTPUT_BITS = 13


@dataclass(frozen=True)
class Whole(Messages):
    """The integer itself, as wide as it is, by neurons that Lava ships."""

    period: int = 1
    top: int = 255
    decoding: str = "spike_count"

    def top_of(self, layer: Integers) -> int:
        """See `Messages.top_of`."""
        return self.top if layer.top is None else layer.top

    def neuron(self, layer: Integers, *, fires: bool, first: bool) -> Neuron:
        """See `Messages.neuron`; a readout sends what it adds up, of either sign.

        Until the first sample has reached it, it adds up what no sample brings. Lava sends that
        whole, so a readout is shifted until all that may arrive has room, as far as the outputs
        keep `_OUTPUT_BITS`.
        """
        if not fires:
            wide = layer.range.bound.bit_length() - GradedRelu.widest
            spare = layer.range.seen.bit_length() - _OUTPUT_BITS
            shift = max(0, min(wide, spare))
            return GradedRelu((layer.bias >> shift).astype(np.int32), shift, signed=True)
        shift = int(layer.slope[0]).bit_length() - 1
        bias = (layer.bias + (layer.slope >> 1)) >> shift
        return GradedRelu(bias.astype(np.int32), shift, self.top_of(layer).bit_length())

    def relay(self, size: int, *, first: bool) -> Neuron:
        """See `Messages.relay`."""
        return GradedRelu(np.zeros(size, np.int32))


#: Endings of the names of populations that add up, and that send changes, for a layer.
SIGMA, DELTA = ".sigma", ".delta"


@dataclass(frozen=True)
class Changes(Whole):
    """By how much integers changed, where that is at least a share `threshold` of the largest.

    A shift of changes is not the change of what is shifted: each may lose up to a unit. With
    `exact` a layer adds up first (`sigma`), and changes of the quotient go to its neurons
    (`delta`).
    """

    threshold: float = 0.0
    exact: bool = True

    def entering(self, size: int, top: int) -> Neuron:
        """See `Messages.entering`: frames come whole."""
        least = self._least(top)
        return SigmaDelta(np.zeros(size, np.int32), least, 0, top.bit_length(), "delta")

    def neuron(self, layer: Integers, *, fires: bool, first: bool) -> Neuron:
        """See `Messages.neuron`; a readout sends the sum itself."""
        made = super().neuron(layer, fires=fires, first=first)
        assert isinstance(made, GradedRelu)
        if not fires:
            return SigmaDelta(made.bias, 1, made.shift, made.bits, "sigma")
        return SigmaDelta(made.bias, self._least(self.top), made.shift, made.bits)

    def chain(
        self, layer: Integers, *, fires: bool, first: bool
    ) -> tuple[tuple[tuple[str, Neuron], ...], Neuron]:
        """See `Messages.chain`."""
        last = self.neuron(layer, fires=fires, first=first)
        assert isinstance(last, SigmaDelta)
        if not self.exact or last.shift == 0:
            return (), last
        none = np.zeros(layer.bias.size, np.int32)
        bits = SigmaDelta.widest - last.shift
        adding = SigmaDelta(none, process="sigma")
        dividing = SigmaDelta(none, 1, last.shift, bits, "delta")
        if not fires:  # the quotient of the whole, and nothing after it
            return ((SIGMA, adding),), GradedRelu(last.bias, last.shift, signed=True)
        return ((SIGMA, adding), (DELTA, dividing)), replace(last, shift=0)

    def _least(self, largest: int) -> int:
        """The least change that is sent."""
        return max(1, round(self.threshold * largest))

    def relay(self, size: int, *, first: bool) -> Neuron:
        """See `Messages.relay`: changes are passed on as they come."""
        return GradedRelu(np.zeros(size, np.int32), signed=True)


@dataclass(frozen=True)
class SignedDigits(Messages):
    """`bits` digits -1, 0 or 1, `delay` steps after the same digits of the input."""

    entrance: str = "graded_first"
    bits: int = 5
    delay: int = 3

    @property
    def number(self) -> np.ndarray:
        """See `Messages.number`."""
        return _ones(self.top)

    def neuron(self, layer: Integers, *, fires: bool, first: bool) -> Neuron:
        """See `Messages.neuron`."""
        bias, slope = layer.bias.astype(np.int32), layer.slope.astype(np.int32)
        return Online(bias, slope, self.bits, self.delay, first=first, fires=fires)

    def relay(self, size: int, *, first: bool) -> Neuron:
        """See `Messages.relay`."""
        zeros, ones = np.zeros(size, np.int32), np.ones(size, np.int32)
        return Online(zeros, ones, self.bits, self.delay, first=first)
