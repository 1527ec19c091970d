"""What the messages of one window say: an integer, by when and how they are sent.

A kind or an encoding that sends integers over a window names its code. Whoever needs the integer,
the messages or their number asks the code: closed forms, recordings, costs, reports.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Digits", "OneMessage", "Payload", "SignedDigits", "Times", "WindowCode"]


@dataclass(frozen=True)
class WindowCode:
    """Base of all codes: what is sent ``tau`` steps into a window counts ``weight(tau)`` times.

    Steps with a weight of 0 are silent.
    """

    #: Whether an integer is always said by the same messages.
    unique = True

    def weight(self, tau: int, period: int) -> int:
        """How often a message of a step counts."""
        raise NotImplementedError

    def messages(self, x: np.ndarray, tau: int, period: int) -> np.ndarray:
        """What is sent at a step for integers of any shape (where messages are `unique`)."""
        raise NotImplementedError

    def integers(self, messages: np.ndarray, period: int) -> np.ndarray:
        """The integers int64 (n, neurons) that messages (n, period, neurons) say."""
        weights = np.array([self.weight(tau, period) for tau in range(period)], np.int64)
        return np.einsum("nts,t->ns", messages.astype(np.int64), weights)

    def largest(self, period: int) -> int:
        """The largest integer that neurons say with it."""
        raise NotImplementedError

    def lowest(self, period: int) -> int:
        """The lowest integer that neurons say with it."""
        return 0

    def sent(self, x: np.ndarray, period: int) -> np.ndarray:
        """Number of messages for integers of any shape, int64."""
        found: np.ndarray = np.zeros(np.shape(x), np.int64)
        for tau in range(period):
            found += self.messages(x, tau, period) != 0
        return found

    def arrived(self, x: np.ndarray, steps: int, period: int) -> np.ndarray:
        """What of integers is known after so many steps of the window that they arrive in."""
        found: np.ndarray = np.zeros(np.shape(x), np.int64)
        for tau in range(steps):
            found += self.messages(x, tau, period) * self.weight(tau, period)
        return found


@dataclass(frozen=True)
class Times(WindowCode):
    """One spike: the integer is the number of steps that are left when it is sent."""

    def weight(self, tau: int, period: int) -> int:
        """See `WindowCode`."""
        return period - tau

    def messages(self, x: np.ndarray, tau: int, period: int) -> np.ndarray:
        """See `WindowCode`."""
        return (x == period - tau).astype(np.int64)

    def largest(self, period: int) -> int:
        """See `WindowCode`."""
        return period

    def sent(self, x: np.ndarray, period: int) -> np.ndarray:
        """See `WindowCode`."""
        return (np.asarray(x) != 0).astype(np.int64)

    def arrived(self, x: np.ndarray, steps: int, period: int) -> np.ndarray:
        """One that came r steps before now has been added r times: a neuron's slope grew by it."""
        return np.maximum(np.asarray(x, np.int64) - (period - steps), 0)


@dataclass(frozen=True)
class OneMessage(WindowCode):
    """The integer itself as one graded message, at the window's last step or at its first."""

    at_end: bool = True

    def weight(self, tau: int, period: int) -> int:
        """See `WindowCode`."""
        return int(tau == (period - 1 if self.at_end else 0))

    def messages(self, x: np.ndarray, tau: int, period: int) -> np.ndarray:
        """See `WindowCode`."""
        return np.asarray(x, np.int64) * self.weight(tau, period)

    def sent(self, x: np.ndarray, period: int) -> np.ndarray:
        """See `WindowCode`."""
        return (np.asarray(x) != 0).astype(np.int64)


@dataclass(frozen=True)
class Payload(OneMessage):
    """One message of `bits` bits, of either sign where it is `signed`."""

    bits: int = 23
    signed: bool = False

    def largest(self, period: int) -> int:
        """See `WindowCode`."""
        return (1 << self.bits) - 1

    def lowest(self, period: int) -> int:
        """See `WindowCode`."""
        return -self.largest(period) if self.signed else 0


@dataclass(frozen=True)
class Digits(WindowCode):
    """Digits of `digit` bits, the highest first; `bits` in all; nothing for a digit of 0."""

    bits: int
    digit: int = 1

    @property
    def number(self) -> int:
        """How many digits there are."""
        return self.bits // self.digit

    def weight(self, tau: int, period: int) -> int:
        """See `WindowCode`."""
        return 1 << (self.digit * (self.number - 1 - tau)) if tau < self.number else 0

    def largest(self, period: int) -> int:
        """See `WindowCode`."""
        return (1 << self.bits) - 1

    def messages(self, x: np.ndarray, tau: int, period: int) -> np.ndarray:
        """See `WindowCode`."""
        if tau >= self.number:
            return np.zeros(np.shape(x), np.int64)
        shift = self.digit * (self.number - 1 - tau)
        return (np.asarray(x, np.int64) >> shift) & ((1 << self.digit) - 1)


@dataclass(frozen=True)
class SignedDigits(WindowCode):
    """Digits -1, 0 and 1 of weights 2, the highest first: many ways to say an integer."""

    bits: int

    unique = False

    def weight(self, tau: int, period: int) -> int:
        """See `WindowCode`."""
        return 1 << (self.bits - 1 - tau) if tau < self.bits else 0

    def largest(self, period: int) -> int:
        """See `WindowCode`."""
        return (1 << self.bits) - 1
