"""Numbers as people read them; the one place that formats them."""

from __future__ import annotations

import math
from typing import Any

__all__ = ["compact", "number", "percent", "place", "quantity"]

_PREFIXES = ((1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""), (1e-3, "m"), (1e-6, "µ"), (1e-9, "n"))
#: What is written where there is no value.
NOTHING = "-"


def number(value: Any) -> str:
    """A table's cell, of the terminal and of the report alike.

    1. Whole numbers whole, with a comma at each thousand.
    2. Fractions from 10,000 on whole, from 1 on with two decimals (so that a column lines up),
       below 1 with four digits that count.
    3. No value, or none that is finite: a hyphen.
    """
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if not isinstance(value, float):
        return str(value)
    if not math.isfinite(value):
        return NOTHING
    if abs(value) >= 10_000:
        return f"{value:,.0f}"
    return f"{value:,.2f}" if abs(value) >= 1 or value == 0 else f"{value:.4g}"


def percent(share: float | None, digits: int = 1) -> str:
    """A share of one."""
    return NOTHING if share is None else f"{100 * share:.{digits}f} %"


def compact(value: float) -> str:
    """To three digits, thousands and millions by letter: 126 k."""
    return quantity(value, "").rstrip()


def quantity(value: float | None, unit: str) -> str:
    """To three digits with the unit's prefix: 12.3 µJ."""
    if value is None or not math.isfinite(value):
        return NOTHING
    if value == 0:
        return f"0 {unit}"
    if not unit and abs(value) < 1000:
        return f"{value:.3g}"
    for factor, letter in _PREFIXES:
        if abs(value) >= factor * 0.9995:
            return f"{value / factor:.3g} {letter}{unit}"
    return f"{value / 1e-12:.3g} p{unit}"


def place(value: float) -> str:
    """A coordinate: a tenth of a pixel, no zeros behind."""
    text = f"{value:.1f}"
    return text[:-2] if text.endswith(".0") else text
