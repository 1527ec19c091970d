"""A plot as a list of marks in a box 480 units wide; `templates/chart.svg` draws any of them.

Marks carry class names, never colours: the page's style sheet knows light from dark.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["WIDTH", "Chart", "Mark", "Path", "Rect", "Text"]

#: Width of every plot in its own units; the page scales it.
WIDTH = 480.0


@dataclass(frozen=True)
class Path:
    """SVG path data."""

    d: str
    style: str
    kind: str = "path"


@dataclass(frozen=True)
class Rect:
    """A box; `shade` is the opacity of its fill, `title` what a pointer over it shows."""

    x: float
    y: float
    width: float
    height: float
    style: str
    shade: float = 1.0
    title: str = ""
    kind: str = "rect"


@dataclass(frozen=True)
class Text:
    """A label; `style` holds the anchor (``start``, ``middle`` or ``end``)."""

    x: float
    y: float
    text: str
    style: str = "start"
    kind: str = "text"


Mark = Path | Rect | Text


@dataclass(frozen=True)
class Chart:
    """A drawing.

    Attributes
    ----------
    title, description
        For those who do not see it.
    height
        In units of `WIDTH`.
    """

    title: str
    description: str
    height: float
    marks: Sequence[Mark]
    width: float = WIDTH
