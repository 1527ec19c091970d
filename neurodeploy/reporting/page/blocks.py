"""What a section is made of, whatever the format: the page and the Markdown both draw these."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from neurodeploy.reporting.page.chart import Chart

__all__ = ["Block", "Code", "Figure", "Note", "Section", "Table", "Tiles"]


@dataclass(frozen=True)
class Table:
    """Cells are plain values; `number_format.number` writes them."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    kind: str = "table"


@dataclass(frozen=True)
class Figure:
    """A plot, the sentence that says how to read it, and its numbers.

    Attributes
    ----------
    legend
        Series number and name of each line or colour.
    tall
        Whether others may stand beside it one under the other, where the page is wide.
    """

    title: str
    reading: str
    chart: Chart
    table: Table
    legend: Sequence[tuple[int, str]] = ()
    tall: bool = False
    kind: str = "figure"


@dataclass(frozen=True)
class Note:
    """A paragraph."""

    text: str
    kind: str = "note"


@dataclass(frozen=True)
class Tiles:
    """Headline numbers: label, value, and what it is measured in or against."""

    tiles: Sequence[tuple[str, str, str]]
    kind: str = "tiles"


@dataclass(frozen=True)
class Code:
    """Commands to copy."""

    title: str
    lines: Sequence[str]
    kind: str = "code"


Block = Table | Figure | Note | Tiles | Code


@dataclass(frozen=True)
class Section:
    """A heading and what is under it."""

    key: str
    title: str
    blocks: Sequence[Block]
