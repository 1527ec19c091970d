"""Membranes over time: a few neurons, and what will be the outputs."""

from __future__ import annotations

from typing import Any

import numpy as np

from neurodeploy.program import Population
from neurodeploy.reporting.page.blocks import Block, Figure, Table
from neurodeploy.reporting.page.evidence import Evidence
from neurodeploy.reporting.page.plots.lines import Line, lines

__all__ = ["gather", "show"]

_OUTPUTS = 5
#: Points of a line, at most.
_POINTS = 512


def gather(evidence: Evidence) -> dict[str, Any]:
    """Each population recorded, its neurons chosen by what they say of this sample."""
    program, recording = evidence.program, evidence.recording
    decoder = program.decoder
    found = []
    for p in program.order:
        if p.name not in recording.membrane:
            continue
        membrane = recording.membrane[p.name]
        every = -(-len(membrane) // _POINTS)
        rows = np.arange(every - 1, len(membrane), every)
        if p.name == decoder.population:
            order = np.argsort(-membrane[-1], kind="stable")
            chosen = [int(i) for i in order[:_OUTPUTS]]
            label = evidence.label
            if label is not None and label not in chosen and 0 <= label < p.size:
                chosen[-1] = label
            unit, what = decoder.unit, "output"
        else:
            chosen, unit, what = _chosen(p, recording.spikes[p.name], membrane), *_unit(p)
        found.append(
            {
                "population": p.name,
                "is_output": p.name == decoder.population,
                "unit": what,
                "steps": [int(row) + p.phase for row in rows],
                "neurons": chosen,
                "membranes": [[float(v) for v in membrane[rows, i] * unit] for i in chosen],
            }
        )
    return {"sample": evidence.index, "label": evidence.label, "populations": found}


def _unit(population: Population) -> tuple[float, str]:
    """Real value of one membrane integer as it is drawn, and what that is a share of."""
    size, unit = population.neuron.membrane_scale or (1, "membrane integers")
    return 1 / size, unit


def _chosen(
    population: Population, spikes: tuple[np.ndarray, np.ndarray], membrane: np.ndarray
) -> list[int]:
    """The busiest neuron, the median of those that fire, and a silent one.

    Busy is many spikes; among those with as many, the higher membrane at the end.
    """
    count = np.bincount(spikes[1], minlength=population.size)
    order = np.lexsort((np.arange(population.size), -membrane[-1], -count))
    active = int((count > 0).sum())
    places = {0, active // 2, min(active, population.size - 1)}
    return [int(order[i]) for i in sorted(places)]


def show(data: dict[str, Any]) -> list[Block]:
    """One plot a population, the outputs last."""
    return [_figure(data, one) for one in data["populations"]]


def _figure(data: dict[str, Any], one: dict[str, Any]) -> Figure:
    names = [f"neuron {i}" for i in one["neurons"]]
    if one["is_output"]:
        names = [f"class {i}" + (" (label)" if i == data["label"] else "") for i in one["neurons"]]
        title = f"Outputs of sample {data['sample']} as they add up"
        reading = (
            "Where a line ends is the network's output; the highest is its answer. Drawn: the "
            "largest outputs, and the label's."
        )
    else:
        title = f"Membranes in {one['population']}"
        reading = (
            f"The neuron that fires most, the median of those that fire, and one that does not "
            f"(if there is one), in {one['unit']}."
        )
    series = [
        Line(name, one["steps"], values, i)
        for i, (name, values) in enumerate(zip(names, one["membranes"], strict=True))
    ]
    chart = lines(title, f"{len(series)} membranes.", series, ("time step", one["unit"]))
    rows = [
        (step, *(values[i] for values in one["membranes"])) for i, step in enumerate(one["steps"])
    ]
    return Figure(
        title, reading, chart, Table("Numbers", ("step", *names), rows), list(enumerate(names))
    )
