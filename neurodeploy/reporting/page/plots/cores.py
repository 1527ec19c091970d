"""The cores of each chip where they lie in its mesh, the fuller the darker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from neurodeploy.reporting.page.chart import WIDTH, Chart, Mark, Rect, Text

__all__ = ["Tile", "cores"]


@dataclass(frozen=True)
class Tile:
    """A core: its chip, its place in the mesh, how full it is (0..1), and what it holds."""

    chip: int
    x: int
    y: int
    share: float
    title: str


def cores(title: str, description: str, tiles: Sequence[Tile], mesh: tuple[int, int]) -> Chart:
    """One mesh a chip, chips one under the other in two columns.

    Parameters
    ----------
    mesh
        Columns and rows of a chip.
    """
    columns, rows = mesh
    chips = sorted({tile.chip for tile in tiles})
    across = 1 if len(chips) == 1 else 2
    room = (WIDTH - 4 - 16 * (across - 1)) / across
    cell = min(room / columns, 40.0)
    block = rows * cell + 26
    marks: list[Mark] = []
    corner = {}
    for i, chip in enumerate(chips):
        left, top = 2 + (i % across) * (room + 16), (i // across) * block
        corner[chip] = left, top + 20
        marks.append(Text(left, top + 14, f"chip {chip}", "start"))
        for r in range(rows):
            for c in range(columns):
                marks.append(_box(left + c * cell, top + 20 + r * cell, cell, "track"))
    for tile in tiles:
        left, top = corner[tile.chip]
        x, y = left + tile.x * cell, top + tile.y * cell
        style = "cell over" if tile.share > 1 else "cell"
        shade = round(0.15 + 0.85 * min(tile.share, 1.0), 3)
        marks.append(_box(x, y, cell, style, shade, tile.title))
    return Chart(title, description, -(-len(chips) // across) * block + 2, marks)


def _box(x: float, y: float, cell: float, style: str, shade: float = 1.0, title: str = "") -> Rect:
    return Rect(x, y, cell - 1, cell - 1, style, shade, title)
