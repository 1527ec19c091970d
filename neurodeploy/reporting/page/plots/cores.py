"""The cores of each chip where they lie in its mesh, the fuller the darker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, sqrt

from neurodeploy.reporting.page.chart import WIDTH, Chart, Mark, Rect, Text

__all__ = ["Tile", "chips", "cores"]

#: Chips beside each other in the picture of all chips.
_CHIPS_A_ROW = 16
#: Fields of the scale under the map.
_SCALE = 6


@dataclass(frozen=True)
class Tile:
    """A core: its chip, its place in the mesh (and its number among those that share it), how full
    it is (0..1), and what it holds.
    """

    chip: int
    x: int
    y: int
    slot: int
    share: float
    title: str


def chips(title: str, description: str, shares: Sequence[tuple[float, str]]) -> Chart:
    """One field a chip, in the order of their numbers: how much of each is in use (0..1), and what
    a pointer over it shows.
    """
    columns = min(len(shares), _CHIPS_A_ROW)
    tiles = [
        Tile(0, i % columns, i // columns, 0, share, said) for i, (share, said) in enumerate(shares)
    ]
    mesh = columns, -(-len(shares) // columns), 1
    return cores(title, description, tiles, mesh, ("chips, row by row", "100 % of the cores"))


def cores(
    title: str,
    description: str,
    tiles: Sequence[Tile],
    mesh: tuple[int, int, int],
    words: tuple[str, str] = ("chip {}", "100 % of the limit"),
) -> Chart:
    """One mesh a chip, chips in two columns.

    Parameters
    ----------
    mesh
        Columns and rows of a chip's mesh, and how many cores share a place.
    words
        What stands above a mesh, and beside the end of the scale.
    """
    columns, rows, sharing = mesh
    side = ceil(sqrt(sharing))  # cores of a place stand in a square
    chips = sorted({tile.chip for tile in tiles})
    across = 1 if len(chips) == 1 else 2
    room = (WIDTH - 4 - 16 * (across - 1)) / across
    cell = min(room / columns, 30.0)
    block = rows * cell + 26
    marks: list[Mark] = []
    corner = {}
    for i, chip in enumerate(chips):
        left, top = 2 + (i % across) * (room + 16), (i // across) * block
        corner[chip] = left, top + 20
        marks.append(Text(left, top + 14, words[0].format(chip), "start"))
        for r in range(rows):
            for c in range(columns):
                marks.append(
                    Rect(left + c * cell, top + 20 + r * cell, cell - 1, cell - 1, "track")
                )
    for tile in tiles:
        left, top = corner[tile.chip]
        small = (cell - 1) / side
        x = left + tile.x * cell + tile.slot % side * small
        y = top + tile.y * cell + tile.slot // side * small
        style = "cell over" if tile.share > 1 else "cell"
        marks.append(Rect(x, y, small - 0.6, small - 0.6, style, _shade(tile.share), tile.title))
    bottom = -(-len(chips) // across) * block + 6
    marks.append(Text(2, bottom + 13, "0 %", "start"))
    for i in range(_SCALE):
        marks.append(Rect(40 + 22 * i, bottom, 21, 16, "cell", _shade(i / (_SCALE - 1))))
    marks.append(Text(46 + 22 * _SCALE, bottom + 13, words[1], "start"))
    return Chart(title, description, bottom + 20, marks)


def _shade(share: float) -> float:
    """An empty core in use is still seen."""
    return round(0.15 + 0.85 * min(share, 1.0), 3)
