"""Every spike of one sample, of as many neurons as can be drawn."""

from __future__ import annotations

from typing import Any

import numpy as np

from neurodeploy.program import INPUT
from neurodeploy.reporting.page.blocks import Block, Figure, Table
from neurodeploy.reporting.page.evidence import Evidence, fires
from neurodeploy.reporting.page.plots.raster import Band, raster

__all__ = ["gather", "show"]

#: Rows and points of the drawing, at most.
_ROWS, _POINTS = 300, 20_000
_LEAST = 4


def gather(evidence: Evidence) -> dict[str, Any]:
    """Rows evenly spread over each population, fewer where there would be too many points."""
    program, spikes = evidence.program, evidence.recording.spikes
    windows = {INPUT: 1} | {p.name: p.fire_phase(program.period) for p in program.order if fires(p)}
    sizes = {name: int(np.prod(program.shape_of(name))) for name in windows if name in spikes}
    if not sizes:
        return {"missing": "No population fires: the program is a readout alone."}
    rows = _ROWS
    while True:
        bands = [
            _band(name, size, spikes[name], windows[name], program.period, rows // len(sizes))
            for name, size in sizes.items()
        ]
        if sum(len(row) for band in bands for row in band["spikes"]) <= _POINTS or rows == 1:
            break
        rows //= 2
    return {"sample": evidence.index, "steps": program.latency, "populations": bands}


def _band(
    name: str,
    size: int,
    spikes: tuple[np.ndarray, np.ndarray],
    begin: int,
    period: int,
    share: int,
) -> dict[str, Any]:
    step, neuron = spikes
    count = min(size, max(_LEAST, share))
    chosen = np.unique(np.linspace(0, size - 1, count).astype(np.int64))
    place = np.full(size, -1, np.int64)
    place[chosen] = np.arange(chosen.size)
    rows: list[list[int]] = [[] for _ in chosen]
    drawn = place[neuron] >= 0
    for at, when in zip(place[neuron[drawn]], step[drawn], strict=True):
        rows[at].append(int(when))
    return {
        "name": name,
        "neurons": size,
        "window": [begin, begin + period - 1],
        "all_spikes": int(step.size),
        "shown": [int(i) for i in chosen],
        "spikes": rows,
    }


def show(data: dict[str, Any]) -> list[Block]:
    """One plot."""
    bands = data["populations"]
    title = f"Spikes of sample {data['sample']}"
    shown = sum(len(band["shown"]) for band in bands)
    points = sum(len(row) for band in bands for row in band["spikes"])
    chart = raster(
        title,
        f"{points} spikes of {shown} neurons over {data['steps']} steps.",
        [Band(band["name"], band["spikes"], tuple(band["window"])) for band in bands],
        data["steps"],
    )
    table = Table(
        "Numbers",
        ("population", "neurons", "of them drawn", "spikes", "first step", "last step"),
        [(b["name"], b["neurons"], len(b["shown"]), b["all_spikes"], *b["window"]) for b in bands],
    )
    reading = (
        "Time runs to the right. Each row is a neuron, each stroke a spike; the tinted field is "
        f"the window in which the population works on this sample. {shown:,} neurons are drawn, "
        "evenly spread over each population."
    )
    return [Figure(title, reading, chart, table, tall=True)]
