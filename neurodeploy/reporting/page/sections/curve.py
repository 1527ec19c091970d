"""Accuracy, or error, if the answer is read before the last step."""

from __future__ import annotations

from typing import Any

import numpy as np

from neurodeploy.reporting.page.blocks import Block, Figure, Table
from neurodeploy.reporting.page.evidence import Evidence
from neurodeploy.reporting.page.plots.lines import Line, lines

__all__ = ["gather", "show"]

#: Percentage points below the last step's value that count as there.
_CLOSE = 1.0
#: Of answers that are right or wrong, and of numbers: labels, ANN, last step; the ANN itself.
_ANSWERS = ("accuracy", "agreement_with_ann", "agreement_with_last_step", "ann_accuracy")
_NUMBERS = (
    "rms_error",
    "rms_difference_from_ann",
    "rms_difference_from_last_step",
    "ann_rms_error",
)
_RATE = (
    "Each point reads the readout's membrane after so many steps of its window. That is, integer "
    "for integer, the program run with so many steps."
)
_CODED = (
    "Each point reads the readout's membrane after so many steps of its window, when only what the "
    "layer before sends first has arrived: the largest values of a time code, the highest digits "
    "of a radix code (those to come count as 0). Windows of the layers before are not cut short: "
    "another window length is another program."
)


def gather(evidence: Evidence) -> dict[str, Any]:
    """What is read at each step against labels, ANN, and the last step."""
    program, early, task = evidence.program, evidence.early, evidence.task
    labels, numbers = evidence.labels, task.kind == "regression"
    ignored = None if labels is None else labels.ignored

    def one(row: np.ndarray, others: np.ndarray, judged: np.ndarray | None) -> float:
        if numbers:
            return float(np.sqrt(np.mean((row.astype(np.float64) - others) ** 2)))
        same = row == others
        return float(100 * np.mean(same if judged is None else same[judged]))

    def all_steps(others: np.ndarray | None, judged: np.ndarray | None = None) -> Any:
        return None if others is None else [one(row, others, judged) for row in early]

    judged = None if ignored is None else ~ignored
    last = evidence.result.predictions
    truth = None if labels is None else labels.values
    ann = None if evidence.ann is None else task.predict(evidence.ann.outputs)
    right, as_ann, as_last = all_steps(truth, judged), all_steps(ann), all_steps(last)
    settling = right or as_ann or as_last
    # of numbers: a hundredth of their size
    close = 0.01 * float(np.sqrt(np.mean(last.astype(np.float64) ** 2))) if numbers else _CLOSE
    away = [i for i, value in enumerate(settling) if abs(value - settling[-1]) > close]
    names = _NUMBERS if numbers else _ANSWERS
    begin = program.population(program.decoder.population).phase
    return {
        "steps": list(evidence.steps),
        "latency_steps": [begin + step - 1 for step in evidence.steps],
        **dict.fromkeys((*_ANSWERS, *_NUMBERS)),
        **dict(
            zip(
                names,
                (
                    right,
                    as_ann,
                    as_last,
                    None if ann is None or truth is None else one(ann, truth, judged),
                ),
                strict=True,
            )
        ),
        "task": task.kind,
        "settled_at": evidence.steps[away[-1] + 1 if away else 0],
        "reading": _CODED if program.is_window_coded else _RATE,
        "samples": evidence.result.samples,
    }


def show(data: dict[str, Any]) -> list[Block]:
    """One plot."""
    steps = data["steps"]
    numbers = data["task"] == "regression"
    *keys, flat = _NUMBERS if numbers else _ANSWERS
    what, unit = ("RMS error", "output") if numbers else ("accuracy", "%")
    versus = "difference from" if numbers else "agreement with"
    names = (what, f"{versus} the ANN", f"{versus} the last step")
    series, legend = [], []
    for colour, (key, label) in enumerate(zip(keys, names, strict=True)):
        if data[key] is not None:
            series.append(Line(label, steps, data[key], colour))
            legend.append((colour, label))
    if data[flat] is not None:
        ends = [steps[0], steps[-1]]
        series.append(Line(f"ANN's {what}", ends, [data[flat]] * 2, 3, dashed=True))
        legend.append((3, f"ANN's {what}"))
    title = f"{what[0].upper()}{what[1:]} against steps of the readout"
    chart = lines(
        title,
        f"{len(steps)} points from step {steps[0]} to {steps[-1]}.",
        series,
        ("steps of the readout's window", unit),
        y_range=None if numbers else (0.0, 100.0),
    )
    columns = ("steps", "latency", "accuracy (%)", "as the ANN (%)", "as the last step (%)")
    if numbers:
        columns = ("steps", "latency", "RMS error", "from the ANN", "from the last step")
    nothing = [None] * len(steps)
    rows = list(
        zip(
            steps,
            data["latency_steps"],
            *(data[key] or nothing for key in keys),
            strict=True,
        )
    )
    better = "Lower" if numbers else "Higher"
    reading = f"{better} and further left is better. {data['reading']}"
    settled, at = data["settled_at"], dict(zip(steps, data["latency_steps"], strict=True))
    within = "a hundredth of the outputs' size" if numbers else "one point"
    reading += (
        f" From step {settled} (latency {at[settled]}) on it stays within {within} of the last "
        f"step, on {data['samples']:,} samples."
    )
    return [Figure(title, reading, chart, Table("Numbers", columns, rows), legend)]
