"""The files that a run's spikes and membranes go to, a row a step."""

from __future__ import annotations

from typing import BinaryIO

import numpy as np

__all__ = ["Tape"]


class Tape:
    """Packed bits, ``ceil(n / 8)`` bytes a step, and little-endian int32, n a step.

    Parameters
    ----------
    spikes, membranes
        Files; empty to leave them out.
    """

    def __init__(self, spikes: str = "", membranes: str = "") -> None:
        self.spikes = _opened(spikes)
        self.membranes = _opened(membranes)

    def write(self, spikes: np.ndarray, membranes: np.ndarray) -> None:
        """One row of what is wanted."""
        self.write_spikes(spikes)
        self.write_membranes(membranes)

    def write_spikes(self, spikes: np.ndarray) -> None:
        """One row of bits: where it is not zero."""
        if self.spikes is not None:
            self.spikes.write(np.packbits(spikes != 0).tobytes())

    def write_membranes(self, membranes: np.ndarray) -> None:
        """One row of numbers."""
        if self.membranes is not None:
            self.membranes.write(membranes.astype("<i4").tobytes())


def _opened(path: str) -> BinaryIO | None:
    # unbuffered: processes of Lava end without flushing what Python holds back
    return open(path, "wb", buffering=0) if path else None
