"""AEDAT 3.1, the files of jAER and cAER: polarity events in packets."""

from __future__ import annotations

import mmap
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from neurodeploy.errors import DataError, NeuroDeployError
from neurodeploy.files import map_bytes

__all__ = ["PolarityEvents", "read_aedat"]

_VERSION, _END = b"#!AER-DAT3.1", b"#!END-HEADER"
#: Type, source: 16 bit; size, offset of the time, overflow, capacity, number, valid: 32 bit.
_PACKET = np.dtype("<u2, <u2, <u4, <u4, <u4, <u4, <u4, <u4")
_POLARITY = 1
_EVENT = np.dtype([("data", "<u4"), ("time", "<u4")])
#: Lines of text before the packets, and bytes of one.
_LINES, _LINE = 1000, 10_000


@dataclass(frozen=True, eq=False)
class PolarityEvents:
    """Events by time of arrival: t int64 in microseconds, x and y uint16, p uint8."""

    t: np.ndarray
    x: np.ndarray
    y: np.ndarray
    p: np.ndarray


def read_aedat(path: str | Path) -> PolarityEvents:
    """The valid polarity events of a file; packets of other types are passed over.

    Raises
    ------
    DataError
        It cannot be read, is of another version, or ends within a packet.
    """
    place = str(path)
    try:
        content = map_bytes(path)
    except NeuroDeployError as error:
        raise DataError(error.message, place=place) from None
    at = _header_ends(content, place)
    found: list[np.ndarray] = []
    times: list[np.ndarray] = []
    while at < len(content):
        if len(content) - at < _PACKET.itemsize:
            raise DataError(f"ends within the head of a packet, at byte {at}", place=place)
        head = np.frombuffer(content, _PACKET, 1, at)[0]
        kind, size, overflow, capacity, number = (int(head[k]) for k in (0, 2, 4, 5, 6))
        begin = at + _PACKET.itemsize
        at = begin + size * capacity
        if number > capacity or at > len(content):
            raise DataError(
                f"a packet of {capacity} events of {size} bytes does not end within the file",
                place=place,
                remedy="copy the file again: it seems to be cut off",
            )
        if kind != _POLARITY:
            continue
        if size != _EVENT.itemsize:
            raise DataError(f"polarity events of {size} bytes, not {_EVENT.itemsize}", place=place)
        events = np.frombuffer(content, _EVENT, number, begin)
        events = events[(events["data"] & 1) == 1]
        found.append(events["data"].copy())
        times.append(events["time"].astype(np.int64) + (overflow << 31))
    data = np.concatenate(found) if found else np.zeros(0, np.uint32)
    t = np.concatenate(times) if times else np.zeros(0, np.int64)
    order = np.argsort(t, kind="stable")
    data = data[order]
    return PolarityEvents(
        t[order],
        (data >> 17).astype(np.uint16),
        ((data >> 2) & 0x7FFF).astype(np.uint16),
        ((data >> 1) & 1).astype(np.uint8),
    )


def _header_ends(content: bytes | mmap.mmap, place: str) -> int:
    """Where the lines of text end."""
    if content[: len(_VERSION)] != _VERSION:
        told = content[:20].split(b"\n")[0].decode("ascii", "replace").strip()
        raise DataError(
            f"is no AEDAT 3.1 file: it begins with {told!r}",
            place=place,
            remedy="convert it with dv-processing or jAER",
        )
    at = 0
    for _ in range(_LINES):
        end = content.find(b"\n", at, at + _LINE)
        if end < 0:
            break
        line, at = content[at:end], end + 1
        if line.startswith(_END):
            return at
    raise DataError("its lines of text have no end", place=place)
