"""Tables for terminals of 60 to 200 columns in which no word is broken.

A table that has room is a table. One whose longest words need more room than there is becomes a
list: a block a row, a line a column.
"""

from __future__ import annotations

import io
import textwrap
from collections.abc import Sequence

__all__ = ["drawn"]

#: Blanks between columns of rich's box, and at both sides.
_BETWEEN, _SIDES = 3, 4


def drawn(
    title: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    numeric: Sequence[bool],
    width: int,
    colour: bool,
) -> str:
    """A table as text.

    Parameters
    ----------
    columns, rows
        Heads and cells, printable.
    numeric
        Whether a column stands to the right.
    width
        Columns of the terminal.
    colour
        Whether escapes of a terminal may be used.
    """
    cells = [columns, *rows]
    longest = [max(_longest(row[i]) for row in cells) for i in range(len(columns))]
    natural = [max(_lines(row[i]) for row in cells) for i in range(len(columns))]
    room = width - _SIDES - _BETWEEN * (len(columns) - 1)
    if len(columns) == 2 and not any(columns):
        return _facts(title, rows, width)
    if sum(longest) > room:
        return _listed(title, columns, rows, width)
    return _table(title, columns, rows, numeric, _shares(longest, natural, room), width, colour)


def _longest(text: str) -> int:
    """Of the longest word."""
    return max(map(len, text.split()), default=0)


def _lines(text: str) -> int:
    """Of the longest line."""
    return max(map(len, text.splitlines()), default=0)


def _shares(longest: list[int], natural: list[int], room: int) -> list[int]:
    """Widths: what each column must have, and the rest where most lines are saved."""
    widths = list(longest)
    for _ in range(room - sum(widths)):
        lines = [wanted / has if has else 0.0 for wanted, has in zip(natural, widths, strict=True)]
        most = max(range(len(widths)), key=lines.__getitem__)
        if lines[most] <= 1:
            break
        widths[most] += 1
    return widths


def _table(
    title: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    numeric: Sequence[bool],
    widths: list[int],
    width: int,
    colour: bool,
) -> str:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    made = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, title_style="bold")
    for column, right, room in zip(columns, numeric, widths, strict=True):
        made.add_column(column, justify="right" if right else "left", width=room, overflow="fold")
    for row in rows:
        made.add_row(*row)
    text = io.StringIO()  # written at once: rich would turn a closed pipe into an exit of its own
    console = Console(file=text, width=width, highlight=False, markup=False, force_terminal=colour)
    console.print(made)
    return text.getvalue()


def _facts(title: str, rows: Sequence[Sequence[str]], width: int) -> str:
    """Two columns without heads: a line a fact, its text beside its name."""
    label = min(max((len(name) for name, _ in rows), default=0), width // 2)
    lines = [title, ""] if title else []
    for name, text in rows:
        lines += _wrapped(name, text, label, width)
    return "\n".join(lines) + "\n\n"


def _wrapped(name: str, text: str, label: int, width: int) -> list[str]:
    """A name and its text; what is too long to stand beside it stands below, whole."""
    room = width - label - 4
    if len(name) > label or _longest(text) > room:
        below = textwrap.wrap(
            text, width - 4, break_long_words=False, break_on_hyphens=False
        )  # fmt: skip
        return [f"  {name}", *(f"    {line}" for line in below)]
    beside = textwrap.wrap(text, room, break_on_hyphens=False) or [""]
    first, *others = beside
    return [f"  {name:{label}}  {first}".rstrip(), *(" " * (label + 4) + line for line in others)]


def _listed(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> str:
    """A block a row; a word that is longer than the line stands whole on a line of its own."""
    lines = [title] if title else []
    label = min(max(map(len, columns), default=0), max(8, width // 3))
    for row in rows:
        lines.append("")
        for column, cell in zip(columns, row, strict=True):
            if cell or column:
                lines += _wrapped(column, cell, label, width)
    return "\n".join(lines) + "\n\n"
