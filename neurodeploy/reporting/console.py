"""Tables on stdout, progress and warnings on stderr."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from neurodeploy.errors import printable
from neurodeploy.reporting.number_format import number

__all__ = ["SCHEMA", "Progress", "print_json", "say", "table", "warn"]

#: Version of what `--json` prints (docs/machines.md): raised when something is renamed or removed.
SCHEMA = 1
_warned: list[str] = []


def print_json(data: Any) -> None:
    """One JSON object on stdout: ``schema``, what is said, and the lines that were warned of."""
    whole = {"schema": SCHEMA, **data, "warnings": list(_warned)}
    _warned.clear()
    sys.stdout.write(json.dumps(whole, indent=2, allow_nan=False) + "\n")


def say(message: str) -> None:
    """A line on stdout."""
    sys.stdout.write(f"{printable(message)}\n")


def warn(message: str) -> None:
    """One line on stderr, and in what `print_json` writes."""
    _warned.append(printable(message))
    sys.stderr.write(f"warning: {printable(message)}\n")


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A table on stdout; numbers to the right."""
    from neurodeploy.reporting.tables import drawn

    numeric = [
        bool(rows) and all(isinstance(row[i], int | float) for row in rows)
        for i in range(len(columns))
    ]
    cells = [[printable(number(value)) for value in row] for row in rows]
    heads = [printable(column) for column in columns]
    terminal = sys.stdout.isatty()
    text = drawn(printable(title), heads, cells, numeric, _width(terminal), terminal)
    sys.stdout.write(_drawable(text))


def _width(terminal: bool) -> int:
    """Of the terminal, or as COLUMNS says; a pipe has none: scripts see whole lines there."""
    if terminal or os.environ.get("COLUMNS", "").isdigit():
        return max(40, shutil.get_terminal_size().columns)
    return 160


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
