"""Bars that lie, each under its name, so that long names fit a phone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from neurodeploy.reporting.page.chart import WIDTH, Chart, Mark, Rect, Text
from neurodeploy.reporting.page.plots.axes import shorten

__all__ = ["Bar", "bars"]

_PITCH, _THICK, _VALUE = 34.0, 12.0, 92.0


@dataclass(frozen=True)
class Bar:
    """A name, one or more values that are stacked, and what is written at the end.

    Attributes
    ----------
    values
        Not negative; the colour is that of their position.
    """

    name: str
    values: Sequence[float]
    text: str


def bars(title: str, description: str, items: Sequence[Bar], *, first_series: int = 0) -> Chart:
    """One stacked bar an item, in the order given."""
    room = WIDTH - 4 - _VALUE
    largest = max((sum(item.values) for item in items), default=0.0) or 1.0
    marks: list[Mark] = []
    for row, item in enumerate(items):
        y = row * _PITCH
        marks.append(Text(2, y + 14, shorten(item.name), "start"))
        marks.append(Rect(2, y + 19, room, _THICK, "track"))
        x = 2.0
        for series, value in enumerate(item.values, first_series):
            width = max(0.0, value) / largest * room
            if width > 0:
                marks.append(Rect(x, y + 19, max(width, 0.5), _THICK, f"fill s{series}"))
            x += width
        marks.append(Text(WIDTH - 4, y + 30, item.text, "end"))
    return Chart(title, description, len(items) * _PITCH + 6, marks)
