"""Spikes over time: what one population sends to the next."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from neurodeploy.simulator import kernels
from neurodeploy.simulator.layout import words_of

__all__ = ["Events", "events_of", "pooled"]

_NO_VALUES = np.zeros(0, np.int32)
_NO_BITS = np.zeros((0, 0), np.uint64)
_NO_ROWS = np.zeros((0, 0), np.int8)
_BYTE = np.iinfo(np.int8)


@dataclass(frozen=True)
class Events:
    """Messages of one source, by step, position and channel.

    Attributes
    ----------
    index
        int32, internal number of the neuron of each message, with at least `kernels.WIDTH` unused
        entries at its end.
    start
        int64 (steps + 1,), where the messages of each step begin.
    place
        int64 (steps, positions + 1), where those of each position begin.
    value
        int32 payloads, or empty for binary messages.
    bits
        uint64 (steps, words), the same as a bit a neuron; without rows where it is not at hand.
    sent
        int8 (steps, neurons filled up to whole words), the payloads of all neurons; without rows
        where they are not at hand, or are too large.
    """

    index: np.ndarray
    start: np.ndarray
    place: np.ndarray
    value: np.ndarray = field(default_factory=lambda: _NO_VALUES)
    bits: np.ndarray = field(default_factory=lambda: _NO_BITS)
    sent: np.ndarray = field(default_factory=lambda: _NO_ROWS)

    @property
    def steps(self) -> int:
        """How many steps they span."""
        return self.start.size - 1

    def flat(self) -> Events:
        """The same with a step for its only position."""
        place = np.stack([self.start[:-1], self.start[1:]], axis=1)
        return Events(self.index, self.start, place, self.value)


def events_of(messages: np.ndarray, positions: int) -> Events:
    """The messages that are not 0 of integers (steps, sources) in internal order."""
    steps, sources = messages.shape
    sent = np.ascontiguousarray(messages, np.int32)
    bytes_of_bits = np.zeros((steps, words_of(sources) * 8), np.uint8)
    packed = np.packbits(sent != 0, axis=1, bitorder="little")
    bytes_of_bits[:, : packed.shape[1]] = packed
    bits = bytes_of_bits.view("<u8").astype(np.uint64, copy=False)
    index = np.zeros(steps * sources + kernels.WIDTH, np.int32)
    start = np.zeros(steps + 1, np.int64)
    place = np.zeros((steps, positions + 1), np.int64)
    kernels.collect(bits, sources, sources // positions, index, start, place)
    value = np.empty(int(start[-1]), np.int32)
    kernels.pick(sent, index, start, value)
    narrow = _NO_ROWS
    if value.min(initial=0) >= _BYTE.min and value.max(initial=0) <= _BYTE.max:
        narrow = np.zeros((steps, words_of(sources) * kernels.WORD), np.int8)
        narrow[:, :sources] = messages
    return Events(index, start, place, value, bits, narrow)


def pooled(events: Events, shape: tuple[int, ...], window: tuple[int, int], room: Events) -> Events:
    """Binary events of a (C, H, W) map, with windows of positions taken together.

    Parameters
    ----------
    room
        Buffers of the size that is needed; overwritten.
    """
    channels, _, width = shape
    kernels.pool_events(
        events.index, events.place, 0, events.steps, width, channels, *window, room.index,
        room.place,
    )  # fmt: skip
    return Events(room.index, events.start, room.place)
