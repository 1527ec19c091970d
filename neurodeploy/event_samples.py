"""Recordings of events as samples: two layouts of `.npz`, binned into steps, as rasters.

1. Steps: ``step`` and ``input`` (flat, C order) of each event, ``start`` (n + 1), ``label`` (n).
2. Raw, as an event camera sends: ``t`` (or ``t_us``) in microseconds, ``x``, ``y``, ``p``;
   ``start`` and ``label`` as above. Time counts from 0 in every recording.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from neurodeploy.errors import DataError, UsageError, shown
from neurodeploy.program import Program
from neurodeploy.samples import (
    MAX_BYTES,
    Samples,
    array_names,
    load_arrays,
    read_samples,
)

__all__ = ["Events", "RawEvents", "binned", "microseconds", "read_events", "samples_for"]

_UNITS = {"us": 1.0, "ms": 1e3, "s": 1e6}
_REMEDY = "see docs/spiking-networks.md for the arrays of an event file"


@dataclass(frozen=True, eq=False)
class Events:
    """Events in steps.

    Attributes
    ----------
    step, input
        int64 (events,): when, and at which input (flat, C order).
    start
        int64 (n + 1,): recording k holds the events ``start[k]:start[k + 1]``.
    label
        (n,), or None.
    """

    step: np.ndarray
    input: np.ndarray
    start: np.ndarray
    label: np.ndarray | None

    @property
    def recording(self) -> np.ndarray:
        """The recording of each event."""
        return np.repeat(np.arange(len(self.start) - 1), np.diff(self.start))


@dataclass(frozen=True, eq=False)
class RawEvents:
    """Events as a camera sends them: t in microseconds, x, y, polarity p, int64 (events,)."""

    t: np.ndarray
    x: np.ndarray
    y: np.ndarray
    p: np.ndarray
    start: np.ndarray
    label: np.ndarray | None


def microseconds(option: str, text: str) -> float:
    """A time such as ``1ms``, ``500us`` or ``0.3s``.

    Raises
    ------
    UsageError
    """
    found = re.fullmatch(r"\s*([0-9.]+(?:e-?[0-9]+)?)\s*(us|ms|s)\s*", str(text))
    try:
        value = float(found[1]) * _UNITS[found[2]] if found else 0.0
    except ValueError:
        value = 0.0
    if not 0 < value < 1e12:
        raise UsageError(
            f"{shown(text)} is not a time", place=option, remedy="write it like 1ms, 500us or 0.3s"
        )
    return value


def read_events(path: str | Path, limit: int | None = None) -> Events | RawEvents | None:
    """The events of a file; None where it holds samples of another form.

    Parameters
    ----------
    limit
        Only the first so many recordings.

    Raises
    ------
    DataError
        Arrays that are missing, or do not fit together.
    """
    names = array_names(path)
    if "start" not in names:
        return None
    place = os.fspath(path)
    time = next((name for name in ("t", "t_us") if name in names), "")
    keys = ("step", "input") if "step" in names else (time or "t", "x", "y", "p")
    held = load_arrays(path, (*keys, "start", "label"))
    missing = [key for key in keys if key not in held]
    if missing:
        raise DataError(f"events without {', '.join(missing)}", place=place, remedy=_REMEDY)
    count = held[keys[0]].size
    for key in (*keys, "start"):
        if held[key].dtype.kind not in "biu" or held[key].ndim != 1:
            raise DataError(f"{key} is {held[key].dtype} {held[key].shape}, not integers (events,)",
                            place=place, remedy=_REMEDY)  # fmt: skip
        if key != "start" and held[key].size != count:
            raise DataError(f"{key} and {keys[0]} differ in length", place=place, remedy=_REMEDY)
    start = held["start"].astype(np.int64)
    if start.size < 2 or start[0] != 0 or start[-1] != count or np.any(np.diff(start) < 0):
        raise DataError(
            f"start does not divide {count} events: it has to rise from 0 to {count}",
            place=place,
            remedy=_REMEDY,
        )
    label = held.get("label")
    if label is not None and (
        label.shape[:1] != (start.size - 1,) or label.dtype.kind not in "biuf"
    ):
        raise DataError(
            f"label is {label.dtype} {label.shape} for {start.size - 1} recordings",
            place=place,
            remedy=_REMEDY,
        )
    if limit is not None:
        start = start[: limit + 1]
        label = None if label is None else label[:limit]
    arrays = [held[key][: start[-1]].astype(np.int64) for key in keys]
    if any(np.any(array < 0) for array in arrays):
        raise DataError("negative times or places", place=place, remedy=_REMEDY)
    if keys[0] == "step":
        return Events(arrays[0], arrays[1], start, label)
    return RawEvents(arrays[0], arrays[1], arrays[2], arrays[3], start, label)


def binned(
    raw: RawEvents, sensor: tuple[int, int, int], bin_us: float, place: str = "events"
) -> Events:
    """Raw events in steps: input ``(p, y, x)`` of the sensor, step ``t // bin``.

    Parameters
    ----------
    sensor
        (polarities, height, width); with one polarity all events are alike.
    bin_us
        Microseconds a step.

    Raises
    ------
    DataError
        Events outside the sensor.
    """
    polarities, height, width = sensor
    p = raw.p if polarities > 1 else np.zeros_like(raw.p)
    for name, values, size in (("x", raw.x, width), ("y", raw.y, height), ("p", p, polarities)):
        if values.size and int(values.max()) >= size:
            raise DataError(
                f"{name} reaches {int(values.max())}; the sensor is {width} x {height}, "
                f"{polarities} polarities",
                place=place,
                remedy="state the sensor that the events come from",
            )
    step = np.floor(raw.t / bin_us).astype(np.int64)
    return Events(step, (p * height + raw.y) * width + raw.x, raw.start, raw.label)


def within(events: Events, steps: int) -> tuple[Events, str]:
    """The events of the first steps, and a line on what is lost; empty where nothing is."""
    kept = events.step < steps
    lost = int(kept.size - kept.sum())
    counts = np.bincount(events.recording[kept], minlength=len(events.start) - 1)
    start = np.concatenate([[0], np.cumsum(counts)])
    key = (events.recording[kept] * steps + events.step[kept]) * (
        int(events.input.max(initial=0)) + 1
    ) + events.input[kept]
    distinct = np.unique(key).size
    same = int(kept.sum()) - distinct
    empty = int((counts == 0).sum())
    said = []
    if lost:
        said.append(f"{lost:,} come after step {steps:,} and are dropped")
    if same:
        said.append(f"{same:,} fall on another of the same input and step")
    if empty:
        said.append(f"{empty:,} recordings have none within the window")
    line = f"of {kept.size:,} events " + ", ".join(said) if said else ""
    return replace(events, step=events.step[kept], input=events.input[kept], start=start), line


def raster(events: Events, steps: int, size: int, counts: bool) -> np.ndarray:
    """uint8 (n, steps, size): 1 where there is an event, or how many (255 at most)."""
    n = len(events.start) - 1
    if n * steps * size > MAX_BYTES:
        raise DataError(
            f"{n} recordings of {steps} steps and {size} inputs take more than {MAX_BYTES} bytes",
            place="events",
            remedy="set a --limit, or split the file",
        )
    made = np.zeros((n, steps, size), np.uint8)
    at = (events.recording, events.step, events.input)
    if not counts:
        made[at] = 1
        return made
    flat = np.ravel_multi_index(at, made.shape)
    places, often = np.unique(flat, return_counts=True)
    made.reshape(-1)[places] = np.minimum(often, 255)
    return made


def samples_for(
    program: Program,
    given: Any,
    limit: int | None = None,
    bin: str | None = None,
    warn: Callable[[str], None] | None = None,
    labels: bool = False,
) -> Samples:
    """Whatever a user passes to a program: events as rasters where it takes them, else samples.

    Parameters
    ----------
    given
        As `samples.read_samples` takes it, or the path of an event file.
    bin
        Time of a step for raw events; default: the `dt` that the program was compiled with.

    Raises
    ------
    DataError, UsageError
    """
    encoder = program.encoder
    events = None
    if encoder.code.varies and isinstance(given, str | os.PathLike):
        events = read_events(Path(given), limit)
    if bin is not None and not isinstance(events, RawEvents):
        raise UsageError("only raw events are put into steps", place="--bin", remedy="leave it out")
    if events is None:
        return read_samples(given, encoder.sample_shape, limit=limit, labels=labels)
    place = os.fspath(given)
    rows = encoder.code.rows(encoder)
    shape = encoder.sample_shape[1:]
    if isinstance(events, RawEvents):
        if len(shape) != 3 or shape[0] > 2:
            raise DataError(
                f"raw events for a program that reads {shape}, not (polarities, height, width)",
                place=place,
                remedy="put them into steps first: neurodeploy events",
            )
        sensor = (int(shape[0]), int(shape[1]), int(shape[2]))
        events = binned(events, sensor, _bin(program, bin, warn), place)
    size = prod(shape)
    if int(events.input.max(initial=0)) >= size:
        raise DataError(
            f"input {int(events.input.max())} of a program with {size} inputs",
            place=place,
            remedy="give events of the sensor that the network was trained for",
        )
    events, line = within(events, rows)
    if line and warn is not None:
        warn(line)
    x = raster(events, rows, size, counts=encoder.code.graded)
    return Samples(x.reshape(-1, rows, *shape), events.label)


def _bin(program: Program, stated: str | None, warn: Callable[[str], None] | None) -> float:
    """Microseconds a step."""
    dt = program.recorded("options").get("dt")
    trained = dt * 1e6 if isinstance(dt, int | float) and dt > 0 else None
    if stated is None:
        if trained is None:
            raise UsageError(
                "raw events, and nobody said how long a step is",
                place="--bin",
                remedy="give --bin, like 1ms: what the network was trained with",
            )
        return trained
    asked = microseconds("--bin", stated)
    if trained is not None and abs(asked - trained) > 1e-6 * trained and warn is not None:
        warn(
            f"steps of {asked:g} us; the program was compiled for {trained:g} us (--dt): leaks "
            "and weights are those of the latter"
        )
    return asked
