"""The files that a run's spikes, messages and membranes go to, a row a step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, BinaryIO

import numpy as np

__all__ = ["Tape"]


class Tape:
    """Packed bits, ``ceil(n / 8)`` bytes a step, and little-endian int32, n a step.

    Parameters
    ----------
    spikes, membranes, messages
        Files: who sent, as bits; membranes and integers sent, as int32. Empty to leave them out.
    """

    def __init__(self, spikes: str = "", membranes: str = "", messages: str = "") -> None:
        self.spikes = _opened(spikes)
        self.membranes = _opened(membranes)
        self.messages = _opened(messages)

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> Tape:
        """The one that a process's parameters name."""
        names = ("spikes", "membranes", "messages")
        return cls(**{name: parameters.get(name) or "" for name in names})

    def write(self, sent: np.ndarray, membranes: np.ndarray) -> None:
        """One row of what is wanted."""
        self.write_spikes(sent)
        self.write_membranes(membranes)
        self.write_messages(sent)

    def write_messages(self, sent: np.ndarray) -> None:
        """One row of integers."""
        if self.messages is not None:
            self.messages.write(sent.astype("<i4").tobytes())

    def write_spikes(self, sent: np.ndarray) -> None:
        """One row of bits: where it is not zero."""
        if self.spikes is not None:
            self.spikes.write(np.packbits(sent != 0).tobytes())

    def write_membranes(self, membranes: np.ndarray) -> None:
        """One row of numbers."""
        if self.membranes is not None:
            self.membranes.write(membranes.astype("<i4").tobytes())


def _opened(path: str) -> BinaryIO | None:
    # unbuffered: processes of Lava end without flushing what Python holds back
    return open(path, "wb", buffering=0) if path else None
