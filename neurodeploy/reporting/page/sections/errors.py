"""The error ledger: which layer loses what."""

from __future__ import annotations

from typing import Any

from neurodeploy.ledger.report import CAUSES
from neurodeploy.reporting.number_format import percent
from neurodeploy.reporting.page.blocks import Block, Figure, Note, Table
from neurodeploy.reporting.page.evidence import Evidence
from neurodeploy.reporting.page.plots.bars import Bar, bars
from neurodeploy.reporting.page.plots.heat import Row, heat
from neurodeploy.reporting.page.plots.lines import Line, lines

__all__ = ["gather", "show"]

_CHAIN = (
    ("clipped", "clips only"),
    ("stepped", "and steps"),
    ("weighed", "and 8-bit weights"),
    ("real", "as run"),
)


def gather(evidence: Evidence) -> dict[str, Any]:
    """As `explain --json` has it."""
    if evidence.ledger is None:
        return {
            "missing": "There is no ledger, for it compares with the ONNX model: "
            f"{evidence.missing}."
        }
    found = evidence.ledger.to_dict()
    found["model"] = evidence.model.name if evidence.model else ""
    return found


def show(data: dict[str, Any]) -> list[Block]:
    """What each layer brings to the output, why, and how errors add up on the way."""
    rows = [row for row in data["rows"] if row["kind"] != "relay"]
    samples = f"on {data['samples']:,} samples"
    blocks: list[Block] = [Note(_blame(data["blame"]))]
    chain = " → ".join(
        f"{stage['stage']} {stage['accuracy']:.1f} %"
        for stage in data["summary"]
        if stage["accuracy"] is not None
    )
    if chain:
        blocks.append(Note(f"Accuracy {samples}, one loss after the other: {chain}."))
    return [*blocks, _at_output(rows, samples), _alone(rows), _accumulated(rows)]


def _blame(blame: dict[str, Any]) -> str:
    if blame["cause"] == "none":
        return f"Nothing to blame: {blame['finding']}."
    return (
        f"Look first at {blame['layer']}, {blame['cause']}: alone it moves the output by "
        f"{percent(blame['error'])}. Finding: {blame['finding']}. What to do: {blame['advice']}."
    )


def _at_output(rows: list[dict[str, Any]], samples: str) -> Figure:
    title = "What each layer alone brings to the output"
    items = [Bar(row["name"], [row["at_output"]], percent(row["at_output"])) for row in rows]
    columns = ("layer", "at the output", "saturated", "silent", "lost", "dead")
    numbers = [
        (row["name"], *(percent(row[key], 2) for key in
         ("at_output", "saturated", "silent", "lost", "dead")))
        for row in rows
    ]  # fmt: skip
    return Figure(
        title,
        "The longest bar is the layer to look at first: error of the network's output if this "
        f"layer alone computes as the program does and all others as the ANN does, {samples}.",
        bars(title, f"{len(rows)} layers.", items),
        Table("Numbers, and how often neurons are at their limits", columns, numbers),
    )


def _alone(rows: list[dict[str, Any]]) -> Figure:
    title = "Causes within each layer"
    causes = [c for c in CAUSES if any(row["alone"][c] for row in rows)] or list(CAUSES)
    cells = [
        Row(
            row["name"],
            [row["alone"][cause] for cause in causes],
            [percent(row["alone"][cause]) for cause in causes],
        )
        for row in rows
    ]
    return Figure(
        title,
        "Darker is worse: error of the layer's own values if its inputs are the ANN's and only "
        "this one thing is wrong with it.",
        heat(title, f"{len(rows)} layers by {len(causes)} causes.", causes, cells),
        Table(
            "Numbers",
            ("layer", *causes),
            [(row["name"], *(percent(row["alone"][c], 2) for c in causes)) for row in rows],
        ),
    )


def _accumulated(rows: list[dict[str, Any]]) -> Figure:
    title = "Error that has added up, layer by layer"
    xs = list(range(len(rows)))
    series = [
        Line(label, xs, [100 * row[key] for row in rows], i)
        for i, (key, label) in enumerate(_CHAIN)
    ]
    return Figure(
        title,
        "From the input on the left to the output on the right. The gap between two lines is what "
        "that one thing costs; the last line is the program as simulated.",
        lines(
            title,
            f"{len(_CHAIN)} lines over {len(rows)} layers.",
            series,
            ("layer, from the input", "error against the ANN (%)"),
        ),
        Table(
            "Numbers",
            ("number", "layer", *(label for _, label in _CHAIN)),
            [
                (i, row["name"], *(percent(row[key], 2) for key, _ in _CHAIN))
                for i, row in enumerate(rows)
            ],
        ),
        [(i, label) for i, (_, label) in enumerate(_CHAIN)],
    )
