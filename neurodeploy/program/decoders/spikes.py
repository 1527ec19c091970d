"""Read-outs of messages: how many (or how much) were sent, and when the first one was."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from neurodeploy.program.decoders.base import Decoding, register_decoding

__all__ = ["FirstSpikeTime", "SpikeCount"]


@register_decoding
class SpikeCount(Decoding):
    """The sum of what was sent in the window: spikes by number, integers by value."""

    name: ClassVar[str] = "spike_count"
    description: ClassVar[str] = "the number of spikes in the window (integers are added up)"
    messages: ClassVar[bool] = True
    adds_up: ClassVar[bool] = True

    def integers(self, membranes: np.ndarray, messages: np.ndarray, period: int) -> np.ndarray:
        """See `Decoding.integers`."""
        return messages.sum(1, dtype=np.int64)


@register_decoding
class FirstSpikeTime(Decoding):
    """The steps that were left when the first message was sent, 0 for none: early is large."""

    name: ClassVar[str] = "first_spike"
    description: ClassVar[str] = "steps left when the first spike came: the earlier the larger"
    messages: ClassVar[bool] = True

    def integers(self, membranes: np.ndarray, messages: np.ndarray, period: int) -> np.ndarray:
        """See `Decoding.integers`."""
        sent = messages != 0
        return np.where(sent.any(1), period - sent.argmax(1), 0)
