"""Fields of a neuron kind: each says as data which integers it may hold.

The check of a constructor, the manifest's codec, the random generator of `neurodeploy.testing`
and the tables of `neurodeploy neurons` all follow from these declarations.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import MISSING, dataclass
from typing import Any

import numpy as np

from neurodeploy.errors import ProgramError, shown

__all__ = [
    "Choice",
    "Flag",
    "Integer",
    "IntegerOrEach",
    "PerNeuron",
    "Rising",
    "Rule",
    "check_fields",
    "choice",
    "flag",
    "integer",
    "integer_or_each",
    "per_neuron",
    "rising",
    "rules",
]

_KEY = "neurodeploy"


@dataclass(frozen=True)
class Integer:
    """A whole number of `low` ... `high`, both included.

    `optional`: a field that came later; a manifest leaves it out where it has its default.
    `usual`: lowest and highest value of most neurons, for random ones; None for the whole range.
    """

    low: int
    high: int
    optional: bool = False
    usual: tuple[int, int] | None = None

    def check(self, name: str, value: Any) -> None:
        """Refuse what is no such number."""
        if type(value) is not int or not self.low <= value <= self.high:
            raise ProgramError(f"{name} is {shown(value)}, outside {self.low}..{self.high}")


@dataclass(frozen=True)
class Choice:
    """One of some words."""

    words: tuple[str, ...]
    optional: bool = False

    def check(self, name: str, value: Any) -> None:
        """Refuse another word."""
        if value not in self.words:
            *first, last = self.words
            raise ProgramError(f"{name} is {shown(value)}, not {', '.join(first)} or {last}")


@dataclass(frozen=True)
class Flag:
    """True or false."""

    optional: bool = False

    def check(self, name: str, value: Any) -> None:
        """Refuse what is neither."""
        if type(value) is not bool:
            raise ProgramError(f"{name} is {shown(value)}, not true or false")


@dataclass(frozen=True)
class PerNeuron:
    """A flat read-only array with an integer of `low` ... `high` for each neuron.

    Attributes
    ----------
    dtype
        NumPy integer type that the array has.
    tensor
        Name of the tensor in a manifest.
    bits
        What the range is called in messages.
    usual
        As of an `Integer`.
    """

    dtype: type
    low: int
    high: int
    tensor: str
    bits: str
    optional: bool = False
    usual: tuple[int, int] | None = None

    def check(self, name: str, value: Any) -> None:
        """Refuse another dtype or shape, and entries out of range."""
        said = name.replace("_", " ")
        value = np.asarray(value)
        if value.dtype != self.dtype or value.ndim != 1:
            raise ProgramError(
                f"{said} is {np.dtype(self.dtype)} and flat, not {value.dtype} {value.shape}"
            )
        if value.size and (value.min() < self.low or value.max() > self.high):
            raise ProgramError(
                f"{said} {value.min()}..{value.max()} leaves {self.bits} ({self.low}..{self.high})"
            )


@dataclass(frozen=True)
class Rising:
    """A tuple of 1 ... `most` whole numbers of `low` ... `high`, each above the one before it."""

    low: int
    high: int
    most: int
    optional: bool = False
    usual: tuple[int, int] | None = None

    def check(self, name: str, value: Any) -> None:
        """Refuse what is no such tuple."""
        whole = isinstance(value, tuple) and all(type(n) is int for n in value)
        if not whole or not 1 <= len(value) <= self.most:
            raise ProgramError(f"{name} is {shown(value)}, not 1 to {self.most} whole numbers")
        if value[0] < self.low or value[-1] > self.high or list(value) != sorted(set(value)):
            raise ProgramError(f"{name} {shown(value)} do not rise within {self.low}..{self.high}")


@dataclass(frozen=True)
class IntegerOrEach:
    """One whole number for all neurons, or an array as of `PerNeuron` with one for each.

    A manifest has the number itself, or the name of a tensor. Neurons of one channel follow each
    other and often share their number; where all runs are equally long the tensor holds one number
    a run (`runs`), and `repeated` gives each neuron its own again.
    """

    one: Integer
    each: PerNeuron
    optional: bool = False

    def check(self, name: str, value: Any) -> None:
        """Refuse what neither of the two takes."""
        (self.each if isinstance(value, np.ndarray) else self.one).check(name, value)

    @staticmethod
    def runs(values: np.ndarray) -> np.ndarray:
        """One number for each of the longest runs that all have the same length."""
        changes = np.flatnonzero(np.diff(values)) + 1
        length = int(np.gcd.reduce(np.append(changes, len(values))))
        return values[:: max(length, 1)]

    @staticmethod
    def repeated(name: str, values: np.ndarray, count: int) -> np.ndarray:
        """The numbers of `count` neurons, of an array as `runs` gives it.

        Raises
        ------
        ProgramError
            The neurons cannot be divided among the numbers.
        """
        if values.ndim != 1 or not len(values) or count % len(values):
            if len(values) == count == 0:
                return values
            raise ProgramError(f"{name} has {values.size} entries for {count} neurons")
        return values if len(values) == count else np.repeat(values, count // len(values))


Rule = Integer | Choice | Flag | PerNeuron | IntegerOrEach | Rising


def integer(
    low: int,
    high: int,
    default: Any = MISSING,
    *,
    optional: bool = False,
    usual: tuple[int, int] | None = None,
) -> Any:
    """A field that holds an `Integer`."""
    return dataclasses.field(default=default, metadata={_KEY: Integer(low, high, optional, usual)})


def choice(*words: str, default: Any = MISSING, optional: bool = False) -> Any:
    """A field that holds a `Choice`."""
    return dataclasses.field(default=default, metadata={_KEY: Choice(words, optional)})


def flag(default: Any = MISSING, *, optional: bool = False) -> Any:
    """A field that holds a `Flag`."""
    return dataclasses.field(default=default, metadata={_KEY: Flag(optional)})


def per_neuron(
    dtype: type,
    low: int,
    high: int,
    *,
    tensor: str,
    bits: str = "its range",
    usual: tuple[int, int] | None = None,
) -> Any:
    """A field that holds a `PerNeuron` array."""
    rule = PerNeuron(dtype, low, high, tensor, bits, usual=usual)
    return dataclasses.field(metadata={_KEY: rule})


def integer_or_each(
    dtype: type,
    low: int,
    high: int,
    *,
    tensor: str,
    bits: str = "its range",
    usual: tuple[int, int] | None = None,
) -> Any:
    """A field that holds an `IntegerOrEach`."""
    one = Integer(low, high, usual=usual)
    each = PerNeuron(dtype, low, high, tensor, bits, usual=usual)
    return dataclasses.field(metadata={_KEY: IntegerOrEach(one, each)})


def rising(low: int, high: int, most: int, *, usual: tuple[int, int] | None = None) -> Any:
    """A field that holds a `Rising`."""
    return dataclasses.field(metadata={_KEY: Rising(low, high, most, usual=usual)})


def rules(kind: Any) -> Iterator[tuple[dataclasses.Field[Any], Rule]]:
    """The declared fields of a kind (a dataclass or an instance of one), in order."""
    for field in dataclasses.fields(kind):
        if _KEY in field.metadata:
            yield field, field.metadata[_KEY]


def check_fields(neuron: Any) -> None:
    """Refuse values out of range; freeze arrays.

    Raises
    ------
    ProgramError
    """
    for field, rule in rules(neuron):
        value = getattr(neuron, field.name)
        rule.check(field.name, value)
        if isinstance(rule, PerNeuron) or (
            isinstance(rule, IntegerOrEach) and isinstance(value, np.ndarray)
        ):
            each = rule.each if isinstance(rule, IntegerOrEach) else rule
            frozen: np.ndarray = np.array(value, each.dtype)
            frozen.flags.writeable = False
            object.__setattr__(neuron, field.name, frozen)
