"""Files of event cameras as raw events: a file is a recording.

`.aedat4`, `.es`, `.raw`, `.dat` and `.csv` are read by `faery`; `.bin` (N-MNIST's 40 bits an event)
and structured arrays (`.npy`, as tonic makes them) by NumPy. Nothing in a file is executed.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from neurodeploy.errors import DataError, NeuroDeployError, UsageError
from neurodeploy.event_samples import RawEvents
from neurodeploy.files import read_bytes

__all__ = ["CAMERA_FILES", "cropped", "read_camera_files"]

#: Suffixes that faery reads.
_FAERY = (".aedat4", ".csv", ".dat", ".es", ".raw")
CAMERA_FILES = (*_FAERY, ".bin", ".npy")
#: Bytes of a file, and events of all files together.
MAX_FILE, MAX_EVENTS = 2**31, 2**27
_REMEDY = "give a recording of an event camera, one file each"


def read_camera_files(paths: Sequence[str | Path]) -> RawEvents:
    """The events of some files, in order; no labels.

    Times count from the first event where the format has absolute ones, in `.bin` from 0.

    Raises
    ------
    DataError
        A file that cannot be read, holds no events, or claims more than the limits.
    UsageError
        A suffix that nothing reads, or the reader (faery) is not installed.
    """
    parts = []
    left = MAX_EVENTS
    for path in map(Path, paths):
        if path.suffix.lower() not in CAMERA_FILES:
            raise UsageError(
                f"nothing reads {path.suffix or 'a file without a suffix'}",
                place=str(path),
                remedy=f"these are read: {', '.join(sorted(CAMERA_FILES))}, .npz",
            )
        part = _read(path, left)
        if not part.shape[1]:
            raise DataError("holds no events", place=str(path), remedy=_REMEDY)
        if part.min() < 0:
            raise DataError("negative times or places", place=str(path), remedy=_REMEDY)
        left -= part.shape[1]
        parts.append(part)
    start = np.concatenate([[0], np.cumsum([part.shape[1] for part in parts])])
    t, x, y, p = np.concatenate(parts, axis=1)
    return RawEvents(t, x, y, p, start.astype(np.int64), None)


def cropped(
    raw: RawEvents, corner: tuple[int, int], size: tuple[int, int], by: int
) -> tuple[RawEvents, int]:
    """Events of a part of the sensor, `by` times `by` places as one; and how many lie outside.

    Parameters
    ----------
    corner, size
        (x, y) of the first place, and width and height, in places of the sensor.
    """
    x, y = raw.x - corner[0], raw.y - corner[1]
    inside = (x >= 0) & (y >= 0) & (x < size[0]) & (y < size[1])
    recording = np.repeat(np.arange(len(raw.start) - 1), np.diff(raw.start))[inside]
    counts = np.bincount(recording, minlength=len(raw.start) - 1)
    start = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    kept = RawEvents(
        raw.t[inside], x[inside] // by, y[inside] // by, raw.p[inside], start, raw.label
    )
    return kept, int(inside.size - inside.sum())


def _read(path: Path, most: int) -> np.ndarray:
    """int64 (4, events): t, x, y, p."""
    place = os.fspath(path)
    try:
        if path.stat().st_size > MAX_FILE:
            raise DataError(f"is larger than {MAX_FILE} bytes", place=place, remedy=_REMEDY)
        if path.suffix.lower() == ".bin":
            return _bin(read_bytes(path, MAX_FILE), most, place)
        if path.suffix.lower() == ".npy":
            return _structured(path, most, place)
        return _faery(path, most, place)
    except (DataError, UsageError):
        raise
    except NeuroDeployError as error:
        raise DataError(error.message, place=place, remedy=_REMEDY) from None
    except Exception as error:  # each reader has errors of its own
        told = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise DataError(f"cannot be read ({told})", place=place, remedy=_REMEDY) from None


def _check_count(count: int, most: int, place: str) -> None:
    if count > most:
        raise DataError(
            f"more than {MAX_EVENTS} events", place=place, remedy="convert fewer files at a time"
        )


def _bin(content: bytes, most: int, place: str) -> np.ndarray:
    """N-MNIST: x, y (8 bits each), polarity (1 bit), microseconds (23 bits); Orchard 2015."""
    if len(content) % 5:
        raise DataError(f"{len(content)} bytes are no events of 5", place=place, remedy=_REMEDY)
    _check_count(len(content) // 5, most, place)
    raw = np.frombuffer(content, np.uint8).reshape(-1, 5).astype(np.int64)
    t = (raw[:, 2] & 127) << 16 | raw[:, 3] << 8 | raw[:, 4]
    return np.stack([t, raw[:, 0], raw[:, 1], raw[:, 2] >> 7])


def _structured(path: Path, most: int, place: str) -> np.ndarray:
    """An array with the fields t, x, y, p."""
    array = np.load(path, mmap_mode="r", allow_pickle=False)
    names = array.dtype.names or ()
    if array.ndim != 1 or not {"t", "x", "y", "p"} <= set(names):
        raise DataError("is no array of events with t, x, y, p", place=place, remedy=_REMEDY)
    _check_count(array.size, most, place)
    columns = [np.asarray(array[name]) for name in ("t", "x", "y", "p")]
    if any(column.dtype.kind not in "biu" for column in columns):
        raise DataError("its times and places are not whole", place=place, remedy=_REMEDY)
    found = np.stack([column.astype(np.int64) for column in columns])
    if found.shape[1]:
        found[0] -= found[0].min()
    return found


def _faery(path: Path, most: int, place: str) -> np.ndarray:
    try:
        import faery
    except ImportError:
        raise UsageError(
            f"{path.suffix} files are read with faery, which is not installed",
            place=place,
            remedy="install the extra: pip install 'neurodeploy-compiler[events]'",
        ) from None
    packets, count = [], 0
    for packet in faery.events_stream_from_file(path):
        count += len(packet)
        _check_count(count, most, place)
        packets.append(np.stack([packet[name].astype(np.int64) for name in ("t", "x", "y", "p")]))
    if not count:
        return np.zeros((4, 0), np.int64)
    found = np.concatenate(packets, axis=1)
    found[0] -= found[0].min()
    return found
