"""Counts on a plane, as a camera sees it: one picture a channel, the darker the more."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

from neurodeploy.reporting.number_format import place
from neurodeploy.reporting.page.chart import WIDTH, Chart, Mark, Path, Rect, Text

__all__ = ["field"]

#: Depths of shade; a path each, so that a picture of thousands of places stays small.
_SHADES = 6


def field(
    title: str, description: str, pictures: Sequence[tuple[str, Sequence[Sequence[int]]]]
) -> Chart:
    """Two pictures beside each other, more below.

    Parameters
    ----------
    pictures
        Name, and counts by row and column; all of one shape.
    """
    rows, columns = len(pictures[0][1]), len(pictures[0][1][0])
    across = min(2, len(pictures))
    room = (WIDTH - 4 - 16 * (across - 1)) / across
    cell = min(room / columns, 300.0 / rows)
    largest = max((count for _, counts in pictures for row in counts for count in row), default=0)
    box = f"h{place(cell)}v{place(cell)}h-{place(cell)}z"
    marks: list[Mark] = []
    for i, (name, counts) in enumerate(pictures):
        left = 2 + (i % across) * (room + 16)
        top = 2 + (i // across) * (rows * cell + 30)
        marks.append(Text(left, top + 13, name, "start"))
        top += 20
        marks.append(Rect(left, top, columns * cell, rows * cell, "track"))
        dots: dict[int, list[str]] = {}
        for r, row in enumerate(counts):
            for c, count in enumerate(row):
                if count:
                    depth = max(1, round(_SHADES * sqrt(count / largest)))
                    x, y = place(left + c * cell), place(top + r * cell)
                    dots.setdefault(depth, []).append(f"M{x} {y}{box}")
        for depth in sorted(dots):
            marks.append(Path("".join(dots[depth]), f"shade shade{depth}"))
    height = -(-len(pictures) // across) * (rows * cell + 30) + 4
    return Chart(title, description, height, marks)
