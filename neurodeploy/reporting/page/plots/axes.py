"""Scales, round ticks, and the frame that plots with two axes share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from neurodeploy.reporting.number_format import compact, place
from neurodeploy.reporting.page.chart import WIDTH, Mark, Path, Text

__all__ = ["BOTTOM", "LEFT", "RIGHT", "TOP", "Axis", "frame", "shorten"]

#: Margins of a plot with axes, wide enough for the larger letters of a phone.
LEFT, RIGHT, TOP, BOTTOM = 58.0, 14.0, 26.0, 42.0


@dataclass(frozen=True)
class Axis:
    """From values to places: `low` lies at `begin`, `high` at `end`."""

    low: float
    high: float
    begin: float
    end: float

    @classmethod
    def over(cls, values: Sequence[float], begin: float, end: float) -> Axis:
        """Holds all the finite values; never empty."""
        finite = [value for value in values if math.isfinite(value)] or [0.0]
        low, high = min(finite), max(finite)
        if low == high:
            low, high = low - 0.5, high + 0.5
        return cls(low, high, begin, end)

    def at(self, value: float) -> float:
        """Place of a value; values outside lie on the edge."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return self.begin + share * (self.end - self.begin)

    def ticks(self, most: int = 5) -> list[float]:
        """Round numbers within, at most so many."""
        raw = (self.high - self.low) / most
        power = 10.0 ** math.floor(math.log10(raw))
        step = next(power * m for m in (1, 2, 5, 10) if power * m >= raw * (1 - 1e-9))
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [round(i * step, 12) + 0.0 for i in range(first, last + 1)]


def frame(x: Axis, y: Axis, x_label: str, y_label: str) -> list[Mark]:
    """Grid lines, ticks and labels; the label of y stands above, where it needs no turning."""
    marks: list[Mark] = []
    for value in y.ticks():
        marks.append(Path(f"M{place(x.begin)} {place(y.at(value))}H{place(x.end)}", "grid"))
        marks.append(Text(x.begin - 6, y.at(value) + 4, compact(value), "end"))
    for value in x.ticks(6):
        at = x.at(value)
        marks.append(Path(f"M{place(at)} {place(y.begin)}v4", "axis"))
        marks.append(Text(at, y.begin + 19, compact(value), "middle"))
    marks.append(Path(f"M{place(x.begin)} {place(y.begin)}H{place(x.end)}", "axis"))
    marks.append(Text((x.begin + x.end) / 2, y.begin + 36, x_label, "middle"))
    marks.append(Text(4, 15, y_label, "start"))
    return marks


def shorten(text: str, width: float = WIDTH) -> str:
    """A name that fits so many units, the middle left out."""
    most = max(8, int(width / 8.2))
    if len(text) <= most:
        return text
    half = (most - 1) // 2
    return f"{text[:half]}…{text[-half:]}"
