"""How samples become spikes at the entrance, and how spikes become numbers at the exit."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

from neurodeploy.errors import DataError, ProgramError, shown
from neurodeploy.program.bit_planes import MOST_PLANES, line_offsets, line_units
from neurodeploy.program.channels import by_neuron, check_channels
from neurodeploy.program.decoders import Decoding, decoding_named
from neurodeploy.program.encoders import PROBABILITY_ONE, InputEncoding, encoding_named

__all__ = [
    "MAX_NEURONS",
    "PROBABILITY_ONE",
    "USUAL_DECODING",
    "Decoder",
    "Encoder",
    "Encoding",
    "Preprocessing",
]

#: What is read of a population where a manifest says nothing.
USUAL_DECODING = "membrane"
#: Name of an input encoding (`neurodeploy.program.encoders`).
Encoding = str
#: Largest population or input: far above a chip, far below what would exhaust a machine.
MAX_NEURONS = 2**27


@dataclass(frozen=True)
class Preprocessing:
    """What turns stored samples into the network's input: ``(x * scale - mean) / std``.

    Applied to samples of an integer dtype (uint8 images). Float samples are taken to be
    the network's input already.

    Attributes
    ----------
    scale
        Factor on the raw integers, 1/255 for the usual image.
    mean, std
        One number, or one a channel (first axis of a sample).
    """

    scale: float = 1.0 / 255.0
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)

    def __post_init__(self) -> None:
        values = (self.scale, *self.mean, *self.std)
        if not all(np.isfinite(v) for v in values) or self.scale == 0 or 0 in self.std:
            raise ProgramError("scale and std are finite and not zero, mean is finite")
        if not self.mean or not self.std:
            raise ProgramError("mean and std have one number, or one a channel")

    def check(self, shape: tuple[int, ...]) -> None:
        """Refuse a mean or std of another number of channels than a sample of `shape` has."""
        for name, values in (("mean", self.mean), ("std", self.std)):
            channels = shape[0] if shape else 1
            if len(values) not in (1, channels):
                raise DataError(
                    f"{name} has {len(values)} numbers, the samples have {channels} channels",
                    remedy=f"give one {name} for all channels, or one for each",
                )

    def apply(self, x: np.ndarray) -> np.ndarray:
        """Network input float32 of the shape of `x`; floats pass through unchanged."""
        if x.dtype.kind == "f":
            return np.ascontiguousarray(x, np.float32)
        self.check(x.shape[1:] or (1,))

        def per_channel(values: tuple[float, ...]) -> np.ndarray:
            return np.asarray(values, np.float32).reshape((1, -1) + (1,) * (x.ndim - 2))

        scaled = x.astype(np.float32) * np.float32(self.scale)
        return (scaled - per_channel(self.mean)) / per_channel(self.std)


@dataclass(frozen=True)
class Encoder:
    """The input population: integers per sample, and the messages sent from them.

    Attributes
    ----------
    shape
        (C, H, W) or whatever the network reads, without the batch axis. With bit planes each
        channel (first axis) has `lines` lines.
    encoding
        How integers become messages, by name: ``current``, ``deterministic``, ``poisson``,
        ``ttfs``, ``events``, ``frames`` (`neurodeploy.program.encoders`).
    unit
        Real value of one integer. For the spike encodings one integer is 2**-16 spikes a step.
    low, high
        Range of the integers after clipping. A negative `low` sends signed spikes.
    preprocessing
        From stored samples to network input.
    seed
        Of the Poisson encoder.
    offset
        Real value of the integer 0.
    sample_shape
        Shape of a sample as the model takes it, where that is not `shape` (one- and
        three-dimensional maps); the elements are the same in C order.
    channel_units, channel_offsets
        Unit and offset of each channel (first axis of `shape`, its lines taken together), where
        they differ; else empty.
    bit_planes
        Highest bits of each input that come on lines of their own (`program.bit_planes`); only for
        spikes whose number is the value, without negative ones.
    """

    shape: tuple[int, ...]
    encoding: Encoding
    unit: float
    low: int
    high: int
    preprocessing: Preprocessing = Preprocessing()
    seed: int = 0
    offset: float = 0.0
    sample_shape: tuple[int, ...] = ()
    channel_units: tuple[float, ...] = ()
    channel_offsets: tuple[float, ...] = ()
    bit_planes: int = 0

    def __post_init__(self) -> None:
        planes = self.bit_planes
        if type(planes) is not int or not 0 <= planes <= MOST_PLANES:
            raise ProgramError(f"{shown(planes)} is not a number of bit planes, 0..{MOST_PLANES}")
        if not self.sample_shape:
            object.__setattr__(self, "sample_shape", self.input_shape)
        for shape in (self.shape, self.sample_shape):
            if not shape or any(type(n) is not int or n < 1 for n in shape):
                raise ProgramError(f"input shape {shown(shape)} is not positive")
        if max(prod(self.shape), prod(self.sample_shape)) > MAX_NEURONS:
            raise ProgramError(f"more than {MAX_NEURONS} inputs")
        if type(self.low) is not int or type(self.high) is not int:
            raise ProgramError(f"input range {shown(self.low)}..{shown(self.high)} is not whole")
        if not np.isfinite(self.unit) or self.unit <= 0:
            raise ProgramError(f"the input unit is {self.unit}, not a positive number")
        if not np.isfinite(self.offset):
            raise ProgramError(f"the input offset is {self.offset}")
        if planes and (self.low < 0 or not self.code.counts or self.shape[0] % self.lines):
            raise ProgramError(
                f"{planes} bit planes: only of spikes that are counted, none of them negative, on "
                f"lines that shape {shown(self.shape)} has room for"
            )
        check_channels("input units", self.channel_units, self.input_shape)
        check_channels("input offsets", self.channel_offsets, self.input_shape, positive=False)
        if type(self.seed) is not int or not 0 <= self.seed < 2**63:
            raise ProgramError(f"the seed is {shown(self.seed)}, not an integer of 0..2**63 - 1")
        self.code.check(self)

    @property
    def lines(self) -> int:
        """Lines of each input."""
        return self.bit_planes + 1

    @property
    def input_shape(self) -> tuple[int, ...]:
        """`shape` with the lines of an input taken together."""
        return (self.shape[0] // self.lines, *self.shape[1:])

    @property
    def input_units(self) -> np.ndarray:
        """Real value of one integer of an input: float64, one number, or one an input (flat)."""
        return by_neuron(self.unit, self.channel_units, self.input_shape)

    @property
    def input_offsets(self) -> np.ndarray:
        """Real value of an input's integer 0, as `input_units`."""
        return by_neuron(self.offset, self.channel_offsets, self.input_shape)

    @property
    def units(self) -> np.ndarray:
        """Real value of one integer of a line: float64, one number, or one a line (flat, C order).

        Without bit planes a line is an input.
        """
        if not self.bit_planes:
            return self.input_units
        return line_units(self.input_units, self.bit_planes, self.input_shape)

    @property
    def offsets(self) -> np.ndarray:
        """Real value of a line's integer 0, as `units`."""
        if not self.bit_planes:
            return self.input_offsets
        return line_offsets(self.input_offsets, self.bit_planes, self.input_shape)

    @property
    def code(self) -> InputEncoding:
        """What the encoding is called by name."""
        return encoding_named(self.encoding)

    @property
    def message_range(self) -> tuple[int, int]:
        """Lowest and highest payload that is sent: the integers themselves, or spikes."""
        return self.code.message_range(self.low, self.high)

    @property
    def sends_once(self) -> bool:
        """Whether it sends at most one message a window."""
        return self.code.sends_once

    @property
    def is_graded(self) -> bool:
        """Whether the messages carry more than "a spike" (an integer or a sign)."""
        return self.code.graded or self.low < 0

    def check_period(self, period: int) -> None:
        """Refuse integers that do not fit a window of so many steps (ProgramError)."""
        self.code.check_period(self, period)


@dataclass(frozen=True)
class Decoder:
    """The exit: what is read of one population, as a rule its membrane at the last step.

    Attributes
    ----------
    population
        Its name.
    unit
        Real value of one integer that is read; output = integer * unit.
    decoding
        What is read, by name: ``membrane`` (at the last step), ``membrane_mean``,
        ``membrane_max``, ``spike_count``, ``first_spike``, ``every_step``
        (`neurodeploy.program.decoders`).
    tail
        Steps at the end of each window that are not read: messages on cycles arrive in them, so
        that none is left for the next sample.
    """

    population: str
    unit: float
    decoding: str = USUAL_DECODING
    tail: int = 0

    @property
    def code(self) -> Decoding:
        """What the decoding is called by name."""
        return decoding_named(self.decoding)

    def read_steps(self, period: int) -> int:
        """Steps of a window that are read."""
        return period - self.tail

    def output_shape(self, shape: tuple[int, ...], period: int) -> tuple[int, ...]:
        """Shape of a sample's outputs for a population of `shape`."""
        return self.code.output_shape(shape, self.read_steps(period))

    def integers(self, membranes: np.ndarray, messages: np.ndarray, period: int) -> np.ndarray:
        """What is multiplied by the unit.

        Parameters
        ----------
        membranes
            int32 (n, period, neurons), or (n, 1, neurons): the last step that is read.
        messages
            int32 (n, period, neurons); no steps where the decoding does not need them.
        """
        steps = self.read_steps(period)
        return self.code.integers(membranes[:, :steps], messages[:, :steps], steps)

    def __post_init__(self) -> None:
        decoding_named(self.decoding)
        if type(self.tail) is not int or self.tail < 0:
            raise ProgramError(f"the decoder's tail is {shown(self.tail)}, not a number of steps")
        if not np.isfinite(self.unit) or self.unit <= 0:
            raise ProgramError(f"the output unit is {self.unit}, not a positive number")
