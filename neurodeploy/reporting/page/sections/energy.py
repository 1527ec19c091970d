"""What a sample costs, line by line, by a published model that is named."""

from __future__ import annotations

from typing import Any

from neurodeploy.reporting.page.blocks import Block, Figure, Note, Table
from neurodeploy.reporting.page.hardware import Hardware
from neurodeploy.reporting.page.numbers import compact, number, quantity
from neurodeploy.reporting.page.plots.bars import Bar, bars

__all__ = ["gather", "show"]


def gather(hardware: Hardware) -> dict[str, Any]:
    """As the cost estimate has it."""
    if hardware.cost is None:
        return {"missing": f"There is no estimate: {hardware.uncosted}."}
    found: dict[str, Any] = hardware.cost.as_dict()
    return found


def show(data: dict[str, Any]) -> list[Block]:
    """Energy of each kind of event where constants are published, else the events alone."""
    lines, samples = data["lines"], data["samples"]
    blocks: list[Block] = []
    known = [line for line in lines if line["energy"] is not None]
    columns = ("event", "a sample", "pJ each", "energy a sample", "at least", "source")
    rows = [
        (
            line["name"],
            line["count"],
            line["constant"],
            quantity(line["energy"], "J"),
            quantity(line["least"], "J"),
            line["source"],
        )
        for line in lines
    ]
    table = Table("Numbers", columns, rows)
    if known:
        title = "Energy of a sample"
        items = [
            Bar(line["name"], [line["energy"]], quantity(line["energy"], "J")) for line in known
        ]
        reading = (
            f"The longest bar costs most: mean events of {samples:,} samples times the model's "
            f"energy for one. All together {quantity(data['energy'], 'J')}"
            + (f", at least {quantity(data['least'], 'J')}." if data["least"] is not None else ".")
        )
    else:
        title = "Events of a sample"
        items = [Bar(line["name"], [line["count"]], compact(line["count"])) for line in lines]
        reading = (
            f"No energy constants are published for {data['target']}, so these are the events "
            f"alone, mean of {samples:,} samples."
        )
    blocks.append(Figure(title, reading, bars(title, f"{len(items)} bars.", items), table))
    if data["model"]:
        blocks.append(Note(f"Model: {data['model']}. {data['about']} {data['assumption']}".strip()))
    if data["seconds"] is not None:
        blocks.append(
            Note(f"A sample every {quantity(data['seconds'], 's')}, by the model's times.")
        )
    ann = data.get("ann")
    if ann:
        multiplies = ann["multiply_accumulates"]
        blocks.append(
            Note(
                f"The ANN takes {number(multiplies)} multiply-accumulates a sample; the program "
                f"{compact(data['synaptic_operations'])} synaptic operations (additions of 8-bit "
                f"weights), {number(data['operations_per_multiply'])} for each."
            )
        )
    if data["left_out"]:
        blocks.append(Note(f"Not covered: {'; '.join(data['left_out'])}."))
    return blocks
