"""Values of options as the Python API takes them: whole numbers, numbers, ranges."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from neurodeploy.errors import UsageError, shown

__all__ = ["ends", "number", "numbers", "one_of", "whole"]


def whole(option: str, value: Any, low: int | None = None, high: int | None = None) -> int:
    """A whole number of any integer type, within a range.

    Raises
    ------
    UsageError
    """
    try:
        if isinstance(value, bool):
            raise TypeError
        value = operator.index(value)
    except TypeError:
        raise UsageError(f"{shown(value)} is not a whole number", place=option) from None
    if low is not None and value < low:
        limit = "zero" if low == 0 else "one" if low == 1 else str(low)
        raise UsageError(f"{value} is less than {limit}", place=option)
    if high is not None and value > high:
        raise UsageError(f"{value} is more than {high}", place=option)
    return value


def number(option: str, value: Any) -> float:
    """A number (UsageError: none)."""
    try:
        return float(value)
    except (TypeError, ValueError):
        raise UsageError(f"{shown(value)} is not a number", place=option) from None


def numbers(option: str, values: Any) -> tuple[float, ...]:
    """One number or several (UsageError: none)."""
    return tuple(number(option, value) for value in np.atleast_1d(np.asarray(values, object)))


def one_of(option: str, value: Any, choices: tuple[Any, ...]) -> Any:
    """One of some values (UsageError: another)."""
    if value not in choices:
        *first, last = map(str, choices)
        raise UsageError(f"{shown(value)} is not {', '.join(first)} or {last}", place=option)
    return value


def ends(option: str, value: Any) -> tuple[float, float] | None:
    """Lowest and highest value of a range; None where none is stated (UsageError: no range)."""
    if value is None:
        return None
    found = numbers(option, value)
    if len(found) != 2 or not np.isfinite(found).all() or found[0] >= found[1]:
        raise UsageError(f"{shown(value)} is not a range", place=option)
    return found[0], found[1]
