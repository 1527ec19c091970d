"""Every spike of one sample, of as many neurons as can be drawn."""

from __future__ import annotations

from typing import Any

import numpy as np

from neurodeploy.program import INPUT
from neurodeploy.reporting.page.blocks import Block, Figure, Table
from neurodeploy.reporting.page.evidence import Evidence
from neurodeploy.reporting.page.plots.raster import Band, raster

__all__ = ["gather", "show"]

#: Rows of the drawing, but so many at least of each population; points, at most.
_ROWS, _LEAST, _POINTS = 300, 4, 20_000


def gather(evidence: Evidence) -> dict[str, Any]:
    """Rows evenly spread over each population, fewer where there would be too many points."""
    program, spikes = evidence.program, evidence.recording.spikes
    windows = {INPUT: 1} | {
        p.name: p.fire_phase(program.period) for p in program.order if p.neuron.fires
    }
    sizes = {name: int(np.prod(program.shape_of(name))) for name in windows if name in spikes}
    if not sizes:
        return {"missing": "No population fires: the program is a readout alone."}
    share = max(_LEAST, _ROWS // len(sizes))
    while True:
        bands = [
            _band(name, size, spikes[name], windows[name], program.period, share)
            for name, size in sizes.items()
        ]
        points = sum(len(row) for band in bands for row in band["spikes"])
        if points <= _POINTS or share == 1:
            break
        share //= 2
    most = None
    if points > _POINTS:
        most = max(1, _POINTS // len(bands))
        for band in bands:
            band["spikes"] = [row[:most] for row in band["spikes"]]
    return {
        "sample": evidence.index,
        "period": program.period,
        "first_spikes_only": most,
        "populations": bands,
    }


def _band(
    name: str,
    size: int,
    spikes: tuple[np.ndarray, np.ndarray],
    begin: int,
    period: int,
    share: int,
) -> dict[str, Any]:
    step, neuron = spikes
    count = min(size, share)
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
    drawn = []
    for band in bands:
        first, last = band["window"]
        rows = [[step - first + 1 for step in row] for row in band["spikes"]]
        drawn.append(Band(f"{band['name']}, steps {first} to {last}", rows))
    chart = raster(title, f"{points} spikes of {shown} neurons.", drawn, data["period"])
    table = Table(
        "Numbers",
        ("population", "neurons", "of them drawn", "spikes", "first step", "last step"),
        [(b["name"], b["neurons"], len(b["shown"]), b["all_spikes"], *b["window"]) for b in bands],
    )
    reading = (
        "Each row is a neuron, each stroke a spike. Time runs to the right through the window in "
        "which a population works on this sample; which steps of the whole these are stands "
        f"beside its name. {shown:,} neurons are drawn, evenly spread over each population."
    )
    if data["first_spikes_only"]:
        reading += f" Of each, the first {data['first_spikes_only']:,} spikes."
    return [Figure(title, reading, chart, table, tall=True)]
