"""Accuracy if the answer is read before the last step."""

from __future__ import annotations

from typing import Any

import numpy as np

from neurodeploy.reporting.page.blocks import Block, Figure, Table
from neurodeploy.reporting.page.evidence import Evidence
from neurodeploy.reporting.page.plots.lines import Line, lines

__all__ = ["gather", "show"]

#: Percentage points below the last step's value that count as there.
_CLOSE = 1.0
_RATE = (
    "Each point reads the readout's membrane after so many steps of its window. That is, integer "
    "for integer, the program run with so many steps."
)
_TTFS = (
    "Each point reads the readout's membrane after so many steps of its window, when only the "
    "earliest, hence largest, values of the layer before have arrived. Windows of the layers "
    "before are not cut short: another window length is another program."
)


def gather(evidence: Evidence) -> dict[str, Any]:
    """The classes read at each step against labels, ANN, and the last step."""
    if evidence.classes == 1:
        return {"missing": "The network has one output, so there are no classes to compare."}
    program, early = evidence.program, evidence.early
    if not evidence.steps:
        decoding = program.decoder.code
        return {
            "missing": f"The output is {decoding.description}: it is there when the window ends."
        }

    def share(others: np.ndarray | None) -> list[float] | None:
        if others is None:
            return None
        return [float(100 * np.mean(row == others)) for row in early]

    last = evidence.result.predictions
    accuracy = share(evidence.labels)
    begin = program.population(program.decoder.population).phase
    judged = accuracy or share(evidence.ann) or share(last)
    assert judged is not None
    away = [i for i, value in enumerate(judged) if abs(value - judged[-1]) > _CLOSE]
    ann = evidence.ann
    return {
        "steps": list(evidence.steps),
        "latency_steps": [begin + step - 1 for step in evidence.steps],
        "accuracy": accuracy,
        "agreement_with_ann": share(ann),
        "agreement_with_last_step": share(last),
        "ann_accuracy": float(100 * np.mean(ann == evidence.labels))
        if ann is not None and evidence.labels is not None
        else None,
        "settled_at": evidence.steps[away[-1] + 1 if away else 0],
        "reading": _TTFS if program.is_time_coded else _RATE,
        "samples": evidence.result.samples,
    }


def show(data: dict[str, Any]) -> list[Block]:
    """One plot."""
    steps = data["steps"]
    series, legend = [], []
    for key, label, colour in (
        ("accuracy", "accuracy", 0),
        ("agreement_with_ann", "agreement with the ANN", 1),
        ("agreement_with_last_step", "agreement with the last step", 2),
    ):
        if data[key] is not None:
            series.append(Line(label, steps, data[key], colour))
            legend.append((colour, label))
    if data["ann_accuracy"] is not None:
        ends = [steps[0], steps[-1]]
        series.append(Line("ANN's accuracy", ends, [data["ann_accuracy"]] * 2, 3, dashed=True))
        legend.append((3, "ANN's accuracy"))
    title = "Accuracy against steps of the readout"
    chart = lines(
        title,
        f"{len(steps)} points from step {steps[0]} to {steps[-1]}.",
        series,
        ("steps of the readout's window", "%"),
        y_range=(0.0, 100.0),
    )
    columns = ("steps", "latency", "accuracy (%)", "as the ANN (%)", "as the last step (%)")
    nothing = [None] * len(steps)
    rows = list(
        zip(
            steps,
            data["latency_steps"],
            data["accuracy"] or nothing,
            data["agreement_with_ann"] or nothing,
            data["agreement_with_last_step"],
            strict=True,
        )
    )
    reading = f"Higher and further left is better. {data['reading']}"
    settled, at = data["settled_at"], dict(zip(steps, data["latency_steps"], strict=True))
    reading += (
        f" From step {settled} (latency {at[settled]}) on it stays within one point of the last "
        f"step, on {data['samples']:,} samples."
    )
    return [Figure(title, reading, chart, Table("Numbers", columns, rows), legend)]
