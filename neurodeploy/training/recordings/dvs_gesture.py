"""DVS128 Gesture (Amir et al. 2017): 11 gestures before a 128 x 128 event camera.

The folder holds an ``.aedat`` file and a ``_labels.csv`` a trial, and the lists of trials to train
and to test. A row of a label file is one gesture: class 1..11, begin and end in microseconds.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np

from neurodeploy.errors import DataError, NeuroDeployError
from neurodeploy.event_samples import RawEvents
from neurodeploy.files import read_bytes
from neurodeploy.training.recordings.aedat import PolarityEvents, read_aedat

__all__ = ["CLASSES", "SENSOR", "SPLITS", "read_dvs_gesture"]

#: Width and height.
SENSOR = 128
CLASSES = 11
SPLITS = {"train": "trials_to_train.txt", "test": "trials_to_test.txt"}
_COLUMNS = ["class", "startTime_usec", "endTime_usec"]
#: Bytes of a text file.
_TEXT = 2**24


def read_dvs_gesture(
    folder: str | Path,
    split: str,
    *,
    downsample: int = 1,
    window_us: float | None = None,
    limit: int | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> RawEvents:
    """The gestures of a split, one recording each, its time counted from its begin.

    Parameters
    ----------
    split
        A key of `SPLITS`.
    downsample
        Pixels on each axis that become one: 4 makes a sensor of 32 x 32.
    window_us
        Only so much of each gesture, from its begin.
    limit
        Only the first so many trials.
    progress
        Called with the trials done and all there are.

    Returns
    -------
    RawEvents
        Labels 0..10, in the order of the classes.

    Raises
    ------
    DataError
        A file that is missing, or does not hold what it should.
    """
    folder = Path(folder)
    names = _lines(folder / SPLITS[split])[:limit]
    parts: list[tuple[np.ndarray, ...]] = []
    labels: list[int] = []
    for done, name in enumerate(names):
        progress(done, len(names))
        if Path(name).name != name:
            raise DataError(f"{name!r} is no name of a file", place=str(folder / SPLITS[split]))
        path = folder / name
        rows = _labels(path.with_name(f"{path.stem}_labels.csv"))
        events = read_aedat(path)
        for label, begin, end in rows:
            if window_us is not None:
                end = min(end, begin + int(window_us))
            parts.append(_cut(events, begin, end, downsample, str(path)))
            labels.append(label)
    progress(len(names), len(names))
    if not parts:
        raise DataError("holds no gestures", place=str(folder))
    start = np.concatenate([[0], np.cumsum([len(part[0]) for part in parts])])
    t, x, y, p = (np.concatenate(column) for column in zip(*parts, strict=True))
    return RawEvents(t, x, y, p, start.astype(np.int64), np.array(labels, np.uint8))


def _cut(
    events: PolarityEvents, begin: int, end: int, downsample: int, place: str
) -> tuple[np.ndarray, ...]:
    """t, x, y, p of the events of ``begin`` ... ``end``, small integers."""
    first, last = np.searchsorted(events.t, [begin, end])
    t = (events.t[first:last] - begin).astype(np.uint32)
    x, y = events.x[first:last], events.y[first:last]
    if max(int(x.max(initial=0)), int(y.max(initial=0))) >= SENSOR:
        raise DataError(f"has events outside the sensor of {SENSOR} x {SENSOR}", place=place)
    return (
        t,
        (x // downsample).astype(np.uint8),
        (y // downsample).astype(np.uint8),
        events.p[first:last],
    )


def _labels(path: Path) -> list[tuple[int, int, int]]:
    """Class from 0, begin and end of each gesture."""
    found = []
    header, *rows = list(csv.reader(_lines(path))) or [[]]
    if [word.strip() for word in header] != _COLUMNS:
        raise DataError(f"its first line is not {','.join(_COLUMNS)}", place=str(path))
    for number, row in enumerate(rows, 2):
        try:
            label, begin, end = (int(word) for word in row)
        except ValueError:
            raise DataError(f"line {number} is not three whole numbers", place=str(path)) from None
        if not (1 <= label <= CLASSES and 0 <= begin <= end < begin + 2**32):
            raise DataError(
                f"line {number}: class {label}, {begin}..{end} us is no gesture", place=str(path)
            )
        found.append((label - 1, begin, end))
    return found


def _lines(path: Path) -> list[str]:
    """The lines of a text file that are not empty."""
    try:
        text = read_bytes(path, _TEXT).decode("ascii", "replace")
    except NeuroDeployError as error:
        raise DataError(
            error.message,
            place=str(path),
            remedy="name the folder DvsGesture, with its .aedat, .csv and .txt files",
        ) from None
    return [line.strip() for line in text.splitlines() if line.strip()]
