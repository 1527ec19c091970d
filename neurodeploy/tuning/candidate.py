"""A scheme with its options, and how it did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["Candidate"]


@dataclass(frozen=True)
class Candidate:
    """A scheme with its options, tried.

    Attributes
    ----------
    scheme, options
        The options are those that differ from the scheme's defaults.
    latency, period
        Steps from a sample's first input to its output; steps between samples.
    samples
        Choosing samples that it was tried on; fewer than all where it was beaten before.
    agreement, low, high
        Percent, and its 95 % interval (Wilson 1927; None where outputs are numbers).
    operations, spikes
        Synaptic operations and spikes a sample, mean.
    energy
        Joules a sample by the cost model; None where it was not asked for, or there is no model.
    held_out
        Agreement on the held-out samples; None where nobody looked.
    note
        Why it is not taken, where that is not its rank.
    """

    scheme: str
    options: dict[str, Any]
    latency: int = 0
    period: int = 0
    samples: int = 0
    agreement: float = 0.0
    low: float | None = None
    high: float | None = None
    operations: float = 0.0
    spikes: float = 0.0
    energy: float | None = None
    held_out: float | None = None
    note: str = ""

    @property
    def name(self) -> str:
        """``graded, bits 6``."""
        said = ", ".join(f"{key} {value}" for key, value in self.options.items())
        return f"{self.scheme}, {said}" if said else self.scheme

    @property
    def flags(self) -> str:
        """As the command line takes it."""
        options = " ".join(
            f"--{key.replace('_', '-')} {value}" for key, value in self.options.items()
        )
        return f"--scheme {self.scheme} {options}".rstrip()
