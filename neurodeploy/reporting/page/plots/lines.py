"""Lines over two axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from neurodeploy.reporting.number_format import place
from neurodeploy.reporting.page.chart import WIDTH, Chart, Mark, Path
from neurodeploy.reporting.page.plots.axes import BOTTOM, LEFT, RIGHT, TOP, Axis, frame

__all__ = ["Line", "lines"]

#: Up to so many points are marked one by one.
_DOTS = 24


@dataclass(frozen=True)
class Line:
    """A series: its number chooses the colour; `dashed` for what others are compared with."""

    label: str
    xs: Sequence[float]
    ys: Sequence[float]
    series: int
    dashed: bool = False


def lines(
    title: str,
    description: str,
    series: Sequence[Line],
    labels: tuple[str, str],
    *,
    height: float = 240.0,
    y_range: tuple[float, float] | None = None,
) -> Chart:
    """One path a series.

    Parameters
    ----------
    labels
        Of x and y.
    y_range
        Default: that of the values.
    """
    x = Axis.over([v for line in series for v in line.xs], LEFT, WIDTH - RIGHT)
    begin, end = height - BOTTOM, TOP
    if y_range is not None:
        y = Axis(*y_range, begin, end)
    else:
        y = Axis.over([v for line in series for v in line.ys], begin, end)
    marks: list[Mark] = frame(x, y, *labels)
    for line in series:
        points = [(x.at(a), y.at(b)) for a, b in zip(line.xs, line.ys, strict=True)]
        style = f"line s{line.series}" + (" dashed" if line.dashed else "")
        if len(points) > 1:
            marks.append(Path("M" + "L".join(f"{place(a)} {place(b)}" for a, b in points), style))
        if len(points) <= _DOTS and not line.dashed:
            dots = "".join(f"M{place(a)} {place(b)}h0" for a, b in points)
            marks.append(Path(dots, f"dots s{line.series}"))
    return Chart(title, description, height, marks)
