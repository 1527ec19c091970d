"""A recording as it comes in: when its events came, and where on the sensor."""

from __future__ import annotations

from typing import Any

import numpy as np

from neurodeploy.program import INPUT
from neurodeploy.reporting.page.blocks import Block, Figure, Table
from neurodeploy.reporting.page.evidence import Evidence
from neurodeploy.reporting.page.plots.field import field
from neurodeploy.reporting.page.plots.lines import Line, lines
from neurodeploy.reporting.page.plots.raster import Band, raster

__all__ = ["gather", "show"]

#: Rows and columns of the sensor that are drawn; of larger ones, neighbours together.
_SIDE = 64


def gather(evidence: Evidence) -> dict[str, Any]:
    """Counts of the sample's events by step and by place; none where the input is no recording.

    Channels are the input's first axis (the polarities of an event camera), where it has three.
    """
    program = evidence.program
    code, spikes = program.encoder.code, evidence.recording.spikes
    if not code.varies or code.graded or INPUT not in spikes:
        return {"channels": []}
    shape = program.encoder.shape if len(program.encoder.shape) == 3 else (1, 1, -1)
    size = int(np.prod(program.encoder.shape))
    channels, rows, columns = np.empty(size, np.uint8).reshape(shape).shape
    step, place = spikes[INPUT]
    channel, y, x = np.unravel_index(place, (channels, rows, columns))
    together = max(1, -(-max(rows, columns) // _SIDE))
    found = []
    for number in range(channels):
        of = channel == number
        where = np.zeros((-(-rows // together), -(-columns // together)), np.int64)
        np.add.at(where, (y[of] // together, x[of] // together), 1)
        found.append(
            {
                "events": int(of.sum()),
                "a_step": np.bincount(step[of], minlength=program.period + 1)[1:].tolist(),
                "a_place": where.tolist(),
                "steps_of_rows": [
                    np.unique(step[of][y[of] // together == row]).tolist()
                    for row in range(len(where))
                ],
            }
        )
    return {
        "sample": evidence.index,
        "period": program.period,
        "shape": [channels, rows, columns],
        "places_together": together,
        "channels": found,
    }


def show(data: dict[str, Any]) -> list[Block]:
    """When, where, and both."""
    channels = data["channels"]
    if not channels:
        return []
    blocks = [_when(data)]
    if data["shape"][1] > 1:
        blocks += [_where(data), _rows(data)]
    return blocks


def _names(data: dict[str, Any]) -> list[str]:
    count = len(data["channels"])
    return [f"polarity {i}" if count == 2 else f"channel {i}" for i in range(count)]


def _when(data: dict[str, Any]) -> Block:
    title = f"Events of sample {data['sample']}, step by step"
    steps = list(range(1, data["period"] + 1))
    names, counts = _names(data), [channel["a_step"] for channel in data["channels"]]
    series = [
        Line(name, steps, ys, i) for i, (name, ys) in enumerate(zip(names, counts, strict=True))
    ]
    total = sum(channel["events"] for channel in data["channels"])
    return Figure(
        title,
        f"How many inputs send an event at each step of the sample; {total:,} in all. Where hardly "
        "any come at the end, fewer steps may do.",
        lines(title, f"{total} events.", series, ("time step", "events")),
        Table("Numbers", ("step", *names), list(zip(steps, *counts, strict=True))),
        list(enumerate(names)),
    )


def _where(data: dict[str, Any]) -> Block:
    title = f"Where the events of sample {data['sample']} fell"
    fields = [channel["a_place"] for channel in data["channels"]]
    names, side = _names(data), data["places_together"]
    each = "a place of the sensor" if side == 1 else f"{side} by {side} places of the sensor"
    busiest = sorted(
        (
            (count, name, row * side, column * side)
            for name, rows in zip(names, fields, strict=True)
            for row, counts in enumerate(rows)
            for column, count in enumerate(counts)
            if count
        ),
        key=lambda found: (-found[0], *found[1:]),
    )[:20]
    return Figure(
        title,
        f"The sensor, for each of the {len(fields)} channels; a field is {each}, darker the more "
        "events came from it. What the network was trained on should be seen here, upright.",
        field(title, f"{len(fields)} fields.", list(zip(names, fields, strict=True))),
        Table(
            "Numbers: the busiest places",
            ("channel", "row", "column", "events"),
            [(name, row, column, count) for count, name, row, column in busiest],
        ),
    )


def _rows(data: dict[str, Any]) -> Block:
    title = f"Events of sample {data['sample']} by row of the sensor"
    bands = [
        Band(f"{name}, rows from the top", channel["steps_of_rows"])
        for name, channel in zip(_names(data), data["channels"], strict=True)
    ]
    return Figure(
        title,
        "Each line is a row of the sensor, a stroke a step at which any of it sent an event: "
        "movement up or down is a slope.",
        raster(title, f"{len(bands)} channels.", bands, data["period"]),
        Table(
            "Numbers",
            ("channel", "events", "rows with events", "of rows"),
            [
                (
                    name,
                    channel["events"],
                    sum(map(bool, channel["steps_of_rows"])),
                    len(channel["steps_of_rows"]),
                )
                for name, channel in zip(_names(data), data["channels"], strict=True)
            ],
        ),
        tall=True,
    )
