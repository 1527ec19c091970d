"""What the program runs as on a chip, and who ships it."""

from __future__ import annotations

from typing import Any

from neurodeploy.program import Program
from neurodeploy.reporting.page.blocks import Block, Note, Table
from neurodeploy.reporting.processes import as_rows, needs

__all__ = ["gather", "show"]


def gather(program: Program) -> dict[str, Any]:
    """What is needed, process by process."""
    return {"needs": needs(program), "processes": as_rows(program)}


def show(data: dict[str, Any]) -> list[Block]:
    """One line, and the table."""
    rows = [(p["process"], p["use"], p["count"], p["by"]) for p in data["processes"]]
    columns = ("process", "for", "how many", "shipped by")
    return [Note(f"Needs {data['needs']}."), Table("Processes", columns, rows)]
