"""Which classes are taken for which."""

from __future__ import annotations

from typing import Any

import numpy as np

from neurodeploy.reporting.page.blocks import Block, Figure, Table
from neurodeploy.reporting.page.evidence import Evidence
from neurodeploy.reporting.page.plots.bars import Bar, bars
from neurodeploy.reporting.page.plots.heat import square

__all__ = ["gather", "show"]

#: Classes whose matrix is drawn; of more, only the most frequent confusions are.
_DRAWN = 40
_PAIRS = 20


def gather(evidence: Evidence) -> dict[str, Any]:
    """Counts of label (else the ANN's class) against the program's class."""
    n = evidence.classes
    if n == 1:
        return {"missing": "The network has one output, so there are no classes to confuse."}
    truth, rows = evidence.labels, "label"
    if truth is None:
        truth, rows = evidence.ann, "ANN's class"
    if truth is None:
        return {"missing": "The data hold no labels y, and without the ONNX model there is no ANN."}
    if truth.min() < 0 or truth.max() >= n:
        return {
            "missing": f"Labels run from {truth.min()} to {truth.max()}, the network's classes "
            f"from 0 to {n - 1}."
        }
    predicted = evidence.result.predictions
    pairs, counts = np.unique(np.stack([truth, predicted]), axis=1, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    wrong = [i for i in order if pairs[0, i] != pairs[1, i]][:_PAIRS]
    found: dict[str, Any] = {
        "rows": rows,
        "classes": n,
        "samples": len(truth),
        "most_confused": [
            {"row": int(pairs[0, i]), "predicted": int(pairs[1, i]), "count": int(counts[i])}
            for i in wrong
        ],
        "matrix": None,
    }
    if n <= _DRAWN:
        matrix = np.zeros((n, n), np.int64)
        matrix[pairs[0], pairs[1]] = counts
        found["matrix"] = matrix.tolist()
    return found


def show(data: dict[str, Any]) -> list[Block]:
    """A matrix, or the most frequent confusions of many classes."""
    title = f"{data['rows'][0].upper()}{data['rows'][1:]} against the program's class"
    pairs = data["most_confused"]
    if data["matrix"] is None:
        table = Table(
            "Numbers",
            (data["rows"], "predicted", "samples"),
            [(pair["row"], pair["predicted"], pair["count"]) for pair in pairs],
        )
        items = [
            Bar(f"{pair['row']} taken for {pair['predicted']}", [pair["count"]], str(pair["count"]))
            for pair in pairs
        ]
        reading = (
            f"The most frequent of the confusions between {data['classes']:,} classes, "
            f"in {data['samples']:,} samples."
        )
        return [Figure(title, reading, bars(title, f"{len(items)} pairs.", items), table)]
    n = data["classes"]
    names = [str(i) for i in range(n)]
    rows = [(i, *row) for i, row in enumerate(data["matrix"])]
    reading = (
        f"A row a {data['rows']}, a column a prediction, {data['samples']:,} samples. The "
        "diagonal is right; dark cells off it are classes taken for one another."
    )
    chart = square(
        title, f"{n} by {n} classes.", names, data["matrix"], ("predicted", data["rows"])
    )
    return [Figure(title, reading, chart, Table("Numbers", (data["rows"], *names), rows))]
