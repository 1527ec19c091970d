"""Options of a scheme, told as data of its fields: help, choices, range.

The command line, `neurodeploy schemes`, checks and the documentation read them from here.
"""

from __future__ import annotations

import dataclasses
import operator
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from neurodeploy.errors import UsageError, shown

__all__ = ["Option", "check_options", "flag_of", "option", "options_of"]

_KEY = "neurodeploy.option"


@dataclass(frozen=True)
class Option:
    """What a field of a scheme may hold.

    Attributes
    ----------
    help
        One sentence for the command line.
    type
        ``int``, ``float``, ``bool`` or ``str``.
    choices
        Words that it may be; empty for any.
    low, high
        Range of a number, both included; None for no limit. `above`: `low` itself is excluded.
    absent
        What None stands for, in words; empty where the field is never None.
    hidden
        Left out of the command line.
    tries
        Values that `tune` tries, from the cheapest to the nearest; empty: the default alone.
    """

    help: str
    type: type
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    above: bool = False
    absent: str = ""
    hidden: bool = False
    tries: tuple[Any, ...] = ()

    @property
    def range(self) -> str:
        """The range in words, empty where there is none."""
        if self.choices:
            return ", ".join(self.choices)
        if self.low is None and self.high is None:
            return ""
        low = "" if self.low is None else f"{self.low:g}"
        high = "" if self.high is None else f"{self.high:g}"
        return f"{low}..{high}"

    def checked(self, flag: str, value: Any) -> Any:
        """The value in the field's type.

        Raises
        ------
        UsageError
            It is of another type, out of range, or none of the choices.
        """
        if value is None:
            if not self.absent:
                raise UsageError("a value is missing", place=flag)
            return None
        if self.type is int:
            try:
                if isinstance(value, bool):
                    raise TypeError
                value = operator.index(value)
            except TypeError:
                raise UsageError(f"{shown(value)} is not a whole number", place=flag) from None
        elif self.type is float:
            try:
                value = float(value)
            except (TypeError, ValueError):
                raise UsageError(f"{shown(value)} is not a number", place=flag) from None
        elif self.type is bool and not isinstance(value, bool):
            raise UsageError(f"{shown(value)} is not true or false", place=flag)
        if self.choices and value not in self.choices:
            raise UsageError(f"{shown(value)} is not one of {', '.join(self.choices)}", place=flag)
        if self.type in (int, float) and not self._holds(value):
            raise UsageError(f"{shown(value)} is outside {self.range}", place=flag)
        return value

    def _holds(self, value: float) -> bool:
        if self.low is not None and not (value > self.low if self.above else value >= self.low):
            return False
        # written so that NaN fails
        return self.high is None or value <= self.high


def option(
    default: Any,
    help: str,
    *,
    type: type | None = None,
    choices: tuple[str, ...] = (),
    low: float | None = None,
    high: float | None = None,
    above: bool = False,
    absent: str = "",
    hidden: bool = False,
    tries: tuple[Any, ...] = (),
) -> Any:
    """A field of a scheme; `type` is that of the default where it is not None."""
    kind = type or default.__class__
    said = Option(help, kind, choices, low, high, above, absent, hidden, tries)
    return dataclasses.field(default=default, metadata={_KEY: said})


def options_of(scheme: Any) -> Iterator[tuple[dataclasses.Field[Any], Option]]:
    """The options of a scheme (a dataclass or an instance of one), in order."""
    for field in dataclasses.fields(scheme):
        if _KEY in field.metadata:
            yield field, field.metadata[_KEY]


def flag_of(name: str) -> str:
    """As the command line writes it."""
    return f"--{name.replace('_', '-')}"


def check_options(scheme: Any) -> None:
    """Check every option of a scheme, and bring it into its type.

    Raises
    ------
    UsageError
    """
    for field, said in options_of(scheme):
        value = said.checked(flag_of(field.name), getattr(scheme, field.name))
        object.__setattr__(scheme, field.name, value)
