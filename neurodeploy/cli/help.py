"""The commands in the order of work, and examples below the help of each."""

from __future__ import annotations

from typing import Any

import click

__all__ = ["OrderedGroup", "examples"]


def examples(*lines: str) -> str:
    """An epilog of commands as they are typed; ``\\b`` keeps click from joining the lines."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


class OrderedGroup(click.Group):
    """A group whose help lists its commands under headings, in the order they were added.

    Attributes
    ----------
    sections
        Names of commands by heading.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.sections: dict[str, list[str]] = {}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, in order; the shell's completion goes by it too."""
        return list(self.commands)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """One list a heading; of each command its whole first sentence."""
        width = max(map(len, self.commands))
        for title, names in self.sections.items():
            with formatter.section(title):
                formatter.write_dl(
                    [(f"{n:{width}}", self.commands[n].get_short_help_str(1000)) for n in names]
                )
