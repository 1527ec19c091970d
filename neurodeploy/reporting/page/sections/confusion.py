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
    task, labels = evidence.task, evidence.labels
    n = task.classes
    if task.kind == "regression":
        return {"missing": "The outputs are numbers, so there are no classes to confuse."}
    if task.kind == "multilabel":
        return {"missing": "Each output says yes or no for itself: none is taken for another."}
    predicted = evidence.result.predictions
    if labels is not None:
        truth, rows, ignored = labels.values, "label", labels.ignored
        outside = labels.outside
        if outside is not None:
            _, low, high = outside
            return {
                "missing": f"Labels run from {low} to {high}, the network's classes "
                f"from 0 to {n - 1}."
            }
        if ignored is not None:
            truth, predicted = truth[~ignored], predicted[~ignored]
    elif evidence.ann is not None:
        truth, rows = task.predict(evidence.ann.outputs), "ANN's class"
    else:
        return {"missing": "The data hold no labels y, and without the ONNX model there is no ANN."}
    truth, predicted = truth.reshape(-1), predicted.reshape(-1)
    codes, counts = np.unique(truth.astype(np.int64) * n + predicted, return_counts=True)
    pairs = np.stack(np.divmod(codes, n))
    order = np.argsort(-counts, kind="stable")
    wrong = [i for i in order if pairs[0, i] != pairs[1, i]][:_PAIRS]
    found: dict[str, Any] = {
        "rows": rows,
        "classes": n,
        "samples": len(truth),
        "of": "pixels or steps" if task.by_element else "samples",
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
            (data["rows"], "predicted", data["of"]),
            [(pair["row"], pair["predicted"], pair["count"]) for pair in pairs],
        )
        items = [
            Bar(f"{pair['row']} taken for {pair['predicted']}", [pair["count"]], str(pair["count"]))
            for pair in pairs
        ]
        reading = (
            f"The most frequent of the confusions between {data['classes']:,} classes, "
            f"in {data['samples']:,} {data['of']}."
        )
        return [Figure(title, reading, bars(title, f"{len(items)} pairs.", items), table)]
    n = data["classes"]
    names = [str(i) for i in range(n)]
    rows = [(i, *row) for i, row in enumerate(data["matrix"])]
    reading = (
        f"A row a {data['rows']}, a column a prediction, {data['samples']:,} {data['of']}. "
        "The "
        "diagonal is right; dark cells off it are classes taken for one another."
    )
    chart = square(
        title, f"{n} by {n} classes.", names, data["matrix"], ("predicted", data["rows"])
    )
    return [Figure(title, reading, chart, Table("Numbers", (data["rows"], *names), rows))]
