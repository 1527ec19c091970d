"""A table of shades: the darker, the more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from neurodeploy.reporting.page.chart import WIDTH, Chart, Mark, Rect, Text
from neurodeploy.reporting.page.plots.axes import shorten

__all__ = ["Row", "heat", "square"]

_CELL = 20.0


@dataclass(frozen=True)
class Row:
    """A name, values from 0, and what is written into each cell (nothing where empty)."""

    name: str
    values: Sequence[float]
    texts: Sequence[str] = ()


def _shade(value: float, largest: float) -> float:
    """Square root: small values stay visible."""
    return round(sqrt(max(value, 0.0) / largest), 3) if largest > 0 else 0.0


def heat(title: str, description: str, columns: Sequence[str], rows: Sequence[Row]) -> Chart:
    """Each row's name above its cells; `columns` are written once, on top, evenly spread."""
    largest = max((value for row in rows for value in row.values), default=0.0)
    count = max((len(row.values) for row in rows), default=1)
    pitch = (WIDTH - 4) / count
    marks: list[Mark] = []
    spread = (WIDTH - 4) / max(1, len(columns))
    for i, column in enumerate(columns):
        marks.append(Text(2 + (i + 0.5) * spread, 14, shorten(column, spread), "middle"))
    y = 22.0
    for row in rows:
        marks.append(Text(2, y + 13, shorten(row.name), "start"))
        y += 18
        for i, value in enumerate(row.values):
            left, shade = 2 + i * pitch, _shade(value, largest)
            marks.append(Rect(left, y, pitch - 1, _CELL, "cell", shade))
            if i < len(row.texts) and row.texts[i]:
                marks.append(Text(left + pitch / 2, y + 15, row.texts[i], _ink(shade)))
        y += _CELL + 4
    return Chart(title, description, y + 2, marks)


def square(
    title: str,
    description: str,
    names: Sequence[str],
    values: Sequence[Sequence[int]],
    labels: tuple[str, str],
) -> Chart:
    """Rows against columns of the same names; counts are written where they fit.

    Parameters
    ----------
    labels
        What columns and rows are.
    """
    n = len(names)
    left, top = 46.0, 44.0
    cell = (WIDTH - left - 4) / n
    largest = float(max((v for row in values for v in row), default=0))
    every = max(1, -(-n // 20))
    marks: list[Mark] = [
        Text(left + cell * n / 2, 15, labels[0], "middle"),
        Text(2, 15, labels[1], "start"),
    ]
    for i in range(0, n, every):
        marks.append(Text(left + (i + 0.5) * cell, 36, names[i], "middle"))
        marks.append(Text(left - 8, top + (i + 0.5) * cell + 5, names[i], "end"))
    for r, row in enumerate(values):
        for c, value in enumerate(row):
            style = "cell" if r == c else "cell wrong"
            x, y, shade = left + c * cell, top + r * cell, _shade(value, largest)
            title_ = f"{labels[1]} {names[r]}, {labels[0]} {names[c]}: {value}"
            marks.append(Rect(x, y, cell - 1, cell - 1, style, shade, title_ if value else ""))
            if n <= 12 and value:
                marks.append(Text(x + cell / 2, y + cell / 2 + 5, f"{value:,}", _ink(shade)))
    return Chart(title, description, top + n * cell + 4, marks)


def _ink(shade: float) -> str:
    """Letters that stand out from a cell."""
    return "middle inverse" if shade > 0.85 else "middle ink"
