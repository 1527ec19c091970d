"""Tables on stdout, progress and warnings on stderr."""

from __future__ import annotations

import io
import json
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from neurodeploy.errors import printable
from neurodeploy.reporting.number_format import number

__all__ = ["Progress", "print_json", "say", "table", "warn"]


def print_json(data: Any) -> None:
    """One JSON object on stdout."""
    sys.stdout.write(json.dumps(data, indent=2, allow_nan=False) + "\n")


def say(message: str) -> None:
    """A line on stdout."""
    sys.stdout.write(f"{printable(message)}\n")


def warn(message: str) -> None:
    """One line on stderr."""
    sys.stderr.write(f"warning: {printable(message)}\n")


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A table on stdout; numbers to the right."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    made = Table(
        title=printable(title), title_justify="left", box=box.SIMPLE_HEAD, title_style="bold"
    )
    for index, column in enumerate(columns):
        numeric = all(isinstance(row[index], int | float) for row in rows) and bool(rows)
        made.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        made.add_row(*(printable(number(value)) for value in row))
    # a pipe has no width: give tables room there, so that scripts see whole lines
    terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size().columns if terminal else 160
    text = io.StringIO()  # written at once: rich would turn a closed pipe into an exit of its own
    console = Console(
        file=text, width=width, highlight=False, markup=False, force_terminal=terminal
    )
    console.print(made)
    sys.stdout.write(_drawable(text.getvalue()))


def _drawable(text: str) -> str:
    """With lines of hyphens where the terminal has no others."""
    try:
        "\u2500".encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return text.replace("\u2500", "-")
    return text


class Progress:
    """Bars on stderr, one a stage; nothing where stderr is not a terminal."""

    def __init__(self) -> None:
        self._bars: Any = None
        self._tasks: dict[str, Any] = {}

    @contextmanager
    def running(self) -> Iterator[Progress]:
        """Bars are drawn inside, and cleaned up behind."""
        if not sys.stderr.isatty():
            yield self
            return
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )
        from rich.progress import Progress as Bars

        self._bars = Bars(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        with self._bars:
            yield self
        self._bars = None

    def stage(self, name: str, done: int, total: int) -> None:
        """Set a stage's bar."""
        if self._bars is None:
            return
        if name not in self._tasks:
            self._tasks[name] = self._bars.add_task(name, total=total)
        self._bars.update(self._tasks[name], completed=done, total=total)

    def counter(self, name: str, total: int) -> Any:
        """A function of the number of items just done."""
        done = 0

        def advance(count: int) -> None:
            nonlocal done
            done += count
            self.stage(name, done, total)

        return advance
