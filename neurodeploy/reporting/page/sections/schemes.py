"""The schemes side by side on this network, where the program was chosen among them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from neurodeploy.conversion import schemes
from neurodeploy.reporting.number_format import number, percent
from neurodeploy.reporting.page.blocks import Block, Figure, Note, Table
from neurodeploy.reporting.page.evidence import Evidence
from neurodeploy.reporting.page.plots.bars import Bar, bars

__all__ = ["gather", "show"]


def gather(evidence: Evidence) -> dict[str, Any]:
    """What `compile --scheme auto` measured of each; a program of a named scheme has no such."""
    program = evidence.program
    choice = program.recorded("choice")
    tried, left_out = choice.get("from"), choice.get("left_out")
    rows = [_row(*one) for one in tried.items()] if isinstance(tried, Mapping) else []
    known = [row for row in rows if row is not None]
    if not known:
        return {"missing": _alone(program.scheme)}
    return {
        "chosen": str(choice.get("chosen", "")),
        "schemes": known,
        "left_out": {str(name): str(why) for name, why in left_out.items()}
        if isinstance(left_out, Mapping)
        else {},
    }


def _alone(scheme: str) -> str:
    """Why there is nothing to compare."""
    kind = schemes().get(scheme)
    if kind is not None and kind.spiking:
        return "The network spikes already: its code is its own, and there is no other to compare."
    return (
        f"The scheme {scheme} was named, so no other was tried. With --scheme auto, compile tries "
        "all that the target can run, and the report of its program compares them here."
    )


def _row(name: object, found: object) -> dict[str, Any] | None:
    """A scheme's figures; None where the file says something else than the compiler writes."""
    if not isinstance(found, Mapping):
        return None
    whole = {key: found.get(key) for key in ("samples", "latency", "interval")}
    shares = {key: found.get(key) for key in ("agreement", "output_error")}
    if not all(type(value) is int and value >= 0 for value in whole.values()):
        return None
    if not all(value is None or type(value) in (int, float) for value in shares.values()):
        return None
    return {"name": str(name), **whole, **shares}


def show(data: dict[str, Any]) -> list[Block]:
    """Latency as bars, everything as a table, and who was left out."""
    rows = sorted(data["schemes"], key=lambda row: (row["latency"], row["interval"]))
    title = "Schemes on this network"
    items = [
        Bar(f"{_name(row, data)}: {_near(row)}", [row["latency"]], number(row["latency"]))
        for row in rows
    ]
    samples = max((row["samples"] for row in rows), default=0)
    reading = (
        "Steps until the answer, and how near it is to the trained network's. Each scheme with "
        f"its default options, on {samples:,} calibration "
        "samples; of those about as near as the nearest, the one that answers first was taken."
    )
    table = Table(
        "Numbers",
        ("scheme", "samples", "agreement", "output error", "latency (steps)", "a sample every"),
        [
            (
                _name(row, data),
                row["samples"],
                percent(_share(row["agreement"])),
                percent(row["output_error"]),
                row["latency"],
                row["interval"],
            )
            for row in rows
        ],
    )
    figure = Figure(title, reading, bars(title, f"{len(rows)} schemes.", items), table)
    return [figure, *(Note(f"Left out: {name}. {why}") for name, why in data["left_out"].items())]


def _name(row: dict[str, Any], data: dict[str, Any]) -> str:
    return row["name"] + (" (this program)" if row["name"] == data["chosen"] else "")


def _share(points: float | None) -> float | None:
    return None if points is None else points / 100


def _near(row: dict[str, Any]) -> str:
    if row["agreement"] is None:
        return f"error {percent(row['output_error'])}"
    return f"agrees {percent(_share(row['agreement']))}"
