"""What a neuron kind may ask of the connections that reach it."""

from __future__ import annotations

from typing import Any, Protocol

__all__ = ["Incoming"]


class Incoming(Protocol):
    """Weights and their left shift (`program.Connection`)."""

    @property
    def synapses(self) -> Any:
        """Has int8 `weights`."""

    @property
    def exponent(self) -> int:
        """Their left shift."""
