"""What an input encoding is: from the integers of a sample to the messages of each step.

An encoding is one class in one file, without state; its parameters stand in the program's
`Encoder`. Nothing outside asks for an encoding's name: it asks the encoding.
"""

from __future__ import annotations

from math import prod
from typing import ClassVar, Protocol, TypeVar

import numpy as np

from neurodeploy.errors import ProgramError, shown
from neurodeploy.program.window_codes import WindowCode

__all__ = [
    "PROBABILITY_ONE",
    "Encoder",
    "InputEncoding",
    "encoding_named",
    "encodings",
    "register_encoding",
]

#: Spike encodings count probabilities and rates in units of 2**-16 per step.
PROBABILITY_ONE = 2**16


class Encoder(Protocol):
    """What an encoding reads of a program's `Encoder`."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the inputs, each of their lines for itself."""

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Of the inputs."""

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """Of a sample."""

    @property
    def low(self) -> int:
        """Lowest integer."""

    @property
    def high(self) -> int:
        """Highest integer."""

    @property
    def seed(self) -> int:
        """Of what is random."""


class InputEncoding:
    """Base of all encodings.

    Class attributes
    ----------------
    name, description
        As programs and the command line call it; one line.
    limit
        Largest magnitude of a sample's integers.
    signed
        Whether they may be negative.
    steady
        Whether a sample sends the same message at every step.
    sends_once
        Whether it sends at most one message a window.
    counts
        Whether a message says "a spike" and its number over the steps is the value.
    varies
        Whether a sample has a time axis, its first: one row of inputs a step.
    graded
        Whether messages carry the integer itself.
    message
        What the messages of a window stand for, as in `program.neurons.Neuron`.
    """

    name: ClassVar[str] = ""
    description: ClassVar[str] = ""
    limit: ClassVar[int] = 2**23 - 1
    signed: ClassVar[bool] = True
    steady: ClassVar[bool] = False
    sends_once: ClassVar[bool] = False
    counts: ClassVar[bool] = False
    varies: ClassVar[bool] = False
    graded: ClassVar[bool] = False
    message: ClassVar[str] = "count"

    def check(self, encoder: Encoder) -> None:
        """Refuse a range or shapes that the encoding cannot have.

        Raises
        ------
        ProgramError
        """
        if not self.signed and encoder.low != 0:
            raise ProgramError(f"the encoding {self.name!r} has no negative integers")
        if not -self.limit <= encoder.low <= 0 <= encoder.high <= self.limit:
            raise ProgramError(
                f"input range {shown(encoder.low)}..{shown(encoder.high)} leaves +-{self.limit}"
            )
        size, sample = prod(encoder.input_shape), prod(encoder.sample_shape)
        fits = sample % size == 0 and sample > 0 if self.varies else sample == size
        if not fits:
            raise ProgramError(
                f"input shapes {shown(encoder.shape)} and {shown(encoder.sample_shape)} do not "
                "agree"
            )

    def check_period(self, encoder: Encoder, period: int) -> None:
        """Refuse what does not fit a window of so many steps.

        Raises
        ------
        ProgramError
        """
        if self.varies and self.rows(encoder) > period:
            raise ProgramError(f"{self.rows(encoder)} rows in a window of {period} steps")

    def rows(self, encoder: Encoder) -> int:
        """Rows of inputs in a sample: steps if it `varies`, else 1."""
        return prod(encoder.sample_shape) // prod(encoder.input_shape)

    def largest(self, period: int) -> int:
        """Largest integer that a window of so many steps can say."""
        return self.limit

    def message_range(self, low: int, high: int) -> tuple[int, int]:
        """Lowest and highest message for integers of ``low`` ... ``high``."""
        if self.graded:
            return low, high
        return (-1 if low < 0 else 0), (1 if high > 0 else 0)

    def window_code(self, encoder: Encoder, period: int) -> WindowCode | None:
        """How the messages of a window say an integer; None where only their sum matters."""
        return None

    def unit(self, unit: float) -> float:
        """Real value of one message a step, where one integer is worth `unit`."""
        return unit * PROBABILITY_ONE if self.counts else unit

    def encode(
        self, encoder: Encoder, level: np.ndarray, steps: int, index: int, part: range
    ) -> np.ndarray:
        """Messages of one sample.

        Parameters
        ----------
        level
            int32 (inputs,), or (rows * inputs,) where a sample has a time axis.
        steps
            Length of the window.
        index
            Position of the sample in its data set.
        part
            Steps (from 0) that are wanted, one after the other.

        Returns
        -------
        int32 (len(part), inputs), 0 for no message.
        """
        raise NotImplementedError

    def sent(
        self, encoder: Encoder, level: np.ndarray, steps: int, first_index: int = 0
    ) -> np.ndarray:
        """Messages of each input over a window, by number: int64 (n, inputs).

        Parameters
        ----------
        level
            int32 (n, inputs or rows * inputs).
        """
        return np.stack(
            [
                np.count_nonzero(
                    self.encode(encoder, row, steps, first_index + k, range(steps)), axis=0
                )
                for k, row in enumerate(level)
            ]
        ).astype(np.int64)

    def expected(self, level: np.ndarray, steps: int) -> np.ndarray:
        """What `summed` is without chance, for integers or what lies between them (float64)."""
        return level * (steps / PROBABILITY_ONE) if self.counts else level

    def summed(
        self, encoder: Encoder, level: np.ndarray, steps: int, first_index: int = 0
    ) -> np.ndarray:
        """Messages of each input over a window, added up: int64 (n, inputs).

        A steady message counts once: it is the same at every step.
        """
        return np.stack(
            [
                self.encode(encoder, row, steps, first_index + k, range(steps)).sum(
                    0, dtype=np.int64
                )
                for k, row in enumerate(level)
            ]
        )


_ENCODINGS: dict[str, InputEncoding] = {}
E = TypeVar("E", bound=type[InputEncoding])


def register_encoding(encoding: E) -> E:
    """Make an encoding known by its name; serves as a decorator."""
    if not encoding.name or not encoding.description:
        raise ProgramError(f"{encoding.__name__} needs a `name` and a `description`")
    _ENCODINGS[encoding.name] = encoding()
    return encoding


def encodings() -> dict[str, InputEncoding]:
    """All encodings by name."""
    return dict(sorted(_ENCODINGS.items()))


def encoding_named(name: str) -> InputEncoding:
    """The encoding of that name.

    Raises
    ------
    ProgramError
        There is none.
    """
    found = _ENCODINGS.get(name) if isinstance(name, str) else None
    if found is None:
        raise ProgramError(
            f"encoding {shown(name)} is unknown; there are: {', '.join(sorted(_ENCODINGS))}"
        )
    return found
