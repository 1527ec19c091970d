"""What a sample costs, line by line, by a published model that is named."""

from __future__ import annotations

from typing import Any

from neurodeploy.reporting.number_format import compact, number, quantity
from neurodeploy.reporting.page.blocks import Block, Figure, Note, Table
from neurodeploy.reporting.page.hardware import Hardware
from neurodeploy.reporting.page.plots.bars import Bar, bars

__all__ = ["gather", "show"]


def gather(hardware: Hardware) -> dict[str, Any]:
    """As the cost estimate has it."""
    if hardware.cost is None:
        return {"missing": f"There is no estimate: {hardware.uncosted}."}
    found: dict[str, Any] = hardware.cost.to_dict()
    return found


def show(data: dict[str, Any]) -> list[Block]:
    """Energy of each kind of event where constants are published, else the events alone."""
    lines, samples = data["lines"], data["samples"]
    rows = [
        (
            line["name"],
            line["count"],
            line["constant"],
            quantity(line["energy"], "J"),
            quantity(line["least"], "J"),
        )
        for line in lines
    ]
    columns = ("event", "a sample", "pJ each", "energy a sample", "at least")
    known = [line for line in lines if line["energy"] is not None]
    mean = f"mean of {samples:,} samples"
    if known:
        title = f"Energy of a sample on {data['target']}"
        items = [
            Bar(line["name"], [line["energy"]], quantity(line["energy"], "J")) for line in known
        ]
        reading = (
            f"The longest bar costs most: events ({mean}) times the model's energy for one. All "
            f"together {quantity(data['energy'], 'J')}"
        )
        if data["least"] != data["energy"]:
            reading += f", at least {quantity(data['least'], 'J')}: some updates may be inactive"
        reading += "."
    else:
        title = f"Events of a sample on {data['target']}"
        items = [Bar(line["name"], [line["count"]], compact(line["count"])) for line in lines]
        reading = (
            f"Events, not joules ({mean}): no energies of single operations are published for "
            "this target. --energy-model takes those of another chip, as an assumption."
        )
    chart = bars(title, f"{len(items)} bars.", items)
    blocks: list[Block] = [Figure(title, reading, chart, Table("Numbers", columns, rows))]
    if data["model"] is not None:
        cited = f"Model: {data['model']}, {data['title']}. Source: {data['source']}."
        blocks.append(
            Note(" ".join([cited, *(f"Assumed: {text}." for text in data["assumptions"])]))
        )
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
