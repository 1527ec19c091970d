"""How much each layer fires, and how that is spread over its neurons."""

from __future__ import annotations

from typing import Any

import numpy as np

from neurodeploy.reporting.number_format import number, percent
from neurodeploy.reporting.page.blocks import Block, Figure, Table
from neurodeploy.reporting.page.evidence import Evidence
from neurodeploy.reporting.page.plots.bars import Bar, bars
from neurodeploy.reporting.page.plots.heat import Row, heat

__all__ = ["gather", "show"]

_BINS = 20


def gather(evidence: Evidence) -> dict[str, Any]:
    """Spikes from the simulation; histograms over the neurons of what each says in the mean."""
    program, result = evidence.program, evidence.result
    layers = []
    for p in program.order:
        if not p.neuron.fires:
            continue
        said = evidence.said[p.name]
        counts, _ = np.histogram(said, _BINS, (0.0, 1.0))
        spikes = float(result.spikes[p.name].mean())
        layers.append(
            {
                "name": p.name,
                "kind": p.neuron.kind,
                "neurons": p.size,
                "spikes_per_sample": spikes,
                "spikes_per_neuron": spikes / p.size,
                "mean": float(said.mean()),
                "never": float(np.mean(said == 0)),
                "histogram": [int(count) for count in counts],
            }
        )
    if not layers:
        return {"missing": "No population fires: the program is a readout alone."}
    return {
        "samples": result.samples,
        "timed": program.is_window_coded,
        "layers": layers,
    }


def show(data: dict[str, Any]) -> list[Block]:
    """Bars and histograms."""
    layers = data["layers"]
    title = "Spikes of each layer"
    what = "in its window" if data["timed"] else "in all its steps"
    spikes = Figure(
        title,
        f"Shorter is cheaper: spikes a neuron and sample ({what}), mean of "
        f"{data['samples']:,} samples.",
        bars(
            title,
            f"{len(layers)} layers.",
            [
                Bar(layer["name"], [layer["spikes_per_neuron"]], number(layer["spikes_per_neuron"]))
                for layer in layers
            ],
        ),
        Table(
            "Numbers",
            ("layer", "kind", "neurons", "spikes a sample", "spikes a neuron", "never fired"),
            [
                (
                    layer["name"],
                    layer["kind"],
                    layer["neurons"],
                    layer["spikes_per_sample"],
                    layer["spikes_per_neuron"],
                    percent(layer["never"]),
                )
                for layer in layers
            ],
        ),
    )
    title = "How activity is spread over the neurons"
    meaning = (
        "the integer it stands for, as a share of the largest"
        if data["timed"]
        else "its rate, as a share of a spike at every step"
    )
    ends = ("0 to 5 %", "", "50 %", "", "95 to 100 %")
    spread = Figure(
        title,
        "Each row is a histogram: left the neurons that say little, right those that say the "
        f"most ({meaning}), mean of {data['samples']:,} samples; darker is more neurons. "
        "A dark right end is a layer whose lambda is too low.",
        heat(
            title,
            f"{len(layers)} layers by {_BINS} bins.",
            ends,
            [
                Row(layer["name"], [count / layer["neurons"] for count in layer["histogram"]])
                for layer in layers
            ],
        ),
        Table(
            "Numbers: share of neurons (%) by activity (%)",
            ("layer", *(f"{100 * i // _BINS} to {100 * (i + 1) // _BINS}" for i in range(_BINS))),
            [
                (
                    layer["name"],
                    *(round(100 * count / layer["neurons"], 2) for count in layer["histogram"]),
                )
                for layer in layers
            ],
        ),
    )
    return [spikes, spread]
