"""Spikes over a window: a row a neuron, a band a population, a stroke a spike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from neurodeploy.reporting.number_format import compact, place
from neurodeploy.reporting.page.chart import WIDTH, Chart, Mark, Path, Rect, Text
from neurodeploy.reporting.page.plots.axes import RIGHT, Axis, shorten

__all__ = ["Band", "raster"]

_ROW, _NAME, _GAP = 3.0, 18.0, 5.0
#: More steps than these need finer strokes.
_CROWDED = 150


@dataclass(frozen=True)
class Band:
    """A population's rows, each the steps (from 1) of its window at which its neuron fired."""

    name: str
    rows: Sequence[Sequence[int]]


def raster(title: str, description: str, bands: Sequence[Band], steps: int) -> Chart:
    """One path a population; all windows are as long, so they share the axis."""
    x = Axis(0.5, steps + 0.5, 4.0, WIDTH - RIGHT)
    marks: list[Mark] = []
    fine = " fine" if steps > _CROWDED else ""
    y = 2.0
    for i, band in enumerate(bands):
        marks.append(Text(4, y + 13, shorten(band.name), "start"))
        y += _NAME
        height = len(band.rows) * _ROW
        marks.append(Rect(x.begin, y, x.end - x.begin, height, "track"))
        strokes = "".join(
            f"M{place(x.at(step))} {place(y + r * _ROW)}v{place(_ROW - 0.4)}"
            for r, row in enumerate(band.rows)
            for step in row
        )
        if strokes:
            marks.append(Path(strokes, f"spikes{fine} s{i % 2}"))
        y += height + _GAP
    marks.append(Path(f"M{place(x.begin)} {place(y)}H{place(x.end)}", "axis"))
    for value in x.ticks(6):
        marks.append(Path(f"M{place(x.at(value))} {place(y)}v4", "axis"))
        marks.append(Text(x.at(value), y + 19, compact(value), "middle"))
    marks.append(Text(WIDTH / 2, y + 36, "step of the window", "middle"))
    return Chart(title, description, y + 44, marks)
