"""Messages and synaptic operations of integers that are bytes, channels last."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import prod

import numpy as np

from neurodeploy.program import INPUT, Program
from neurodeploy.simulator import kernels

__all__ = ["MessageCounts", "channel_groups"]

_BYTE = 8
#: Groups of channels up to which words are gone through for each.
_GROUPS = 4
#: Bytes of a word that are counted at once.
_WORD = 8


def channel_groups(program: Program, name: str) -> tuple[np.ndarray, dict[int, np.ndarray]]:
    """Channels of a source put together that reach as many neurons from each position.

    Returns
    -------
    Group of each channel, int64; and of each connection that leaves the source, by its number, how
    many neurons a channel of each group reaches from each position, float64, flat.
    """
    shape = program.shape_of(name)
    channels = shape[0] if len(shape) == 3 else 1
    leaving = [k for k, c in enumerate(program.connections) if c.source == name]
    tables = [program.connections[k].synapses.fan_out(shape).reshape(channels, -1) for k in leaving]
    group = np.zeros(channels, np.int64)
    if any((table != table[:1]).any() for table in tables):
        group = np.unique(np.concatenate(tables, axis=1), axis=0, return_inverse=True)[1]
        group = group.reshape(channels).astype(np.int64)
    first = [int(np.flatnonzero(group == k)[0]) for k in range(int(group.max()) + 1)]
    fan_out = {
        k: table[first].reshape(-1).astype(np.float64)
        for k, table in zip(leaving, tables, strict=True)
    }
    return group, fan_out


class MessageCounts:
    """How many messages each source of a program sends, and what they cause."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._sources: dict[str, _Source] = {}
        fire = [p.name for p in program.populations if p.neuron.fires]
        for name in (INPUT, *fire):
            code, (group, reached) = program.window_code(name), channel_groups(program, name)
            assert code is not None
            largest = program.encoder.high if name == INPUT else code.largest(program.period)
            sent = code.sent(np.arange(largest + 1), program.period).astype(np.int32)
            table = np.zeros(1 << _BYTE, np.int32)
            table[: largest + 1] = sent
            shape = program.shape_of(name)
            channels = shape[0] if len(shape) == 3 else 1
            fan_out = np.array(list(reached.values()), np.int64)
            self._sources[name] = _Source(
                channels, prod(shape) // channels, group, table, _digit_of(sent),
                fan_out.reshape(len(reached), int(group.max()) + 1, -1), tuple(reached),
            )  # fmt: skip

    def of(
        self, values: dict[str, np.ndarray], n: int
    ) -> tuple[dict[str, np.ndarray], list[np.ndarray]]:
        """Messages int64 (n,) of each population, and operations of each connection.

        Parameters
        ----------
        values
            By source: uint8, flat, (n, positions, channels) and perhaps more.
        """
        program = self._program
        spikes = {p.name: np.zeros(n, np.int64) for p in program.populations}
        operations = [np.zeros(n, np.int64) for _ in program.connections]
        for name, source in self._sources.items():
            spikes[name], done = source.count(values[name], n)
            for k, number in enumerate(source.leaving):
                operations[number] = done[:, k]
        return {p.name: spikes[p.name] for p in program.populations}, operations


@dataclass(frozen=True, eq=False)
class _Source:
    """Attributes as of the kernels; `leaving`: numbers of the connections of `fan_out`."""

    channels: int
    positions: int
    group: np.ndarray
    table: np.ndarray
    digit: int
    fan_out: np.ndarray
    leaving: tuple[int, ...]

    @cached_property
    def lowest(self) -> np.ndarray:
        """See `kernels.count_words`; empty where bytes have to be looked up in the table."""
        groups = self.fan_out.shape[1]
        if self.channels % _WORD or not self.digit or groups > _GROUPS:
            return np.zeros((0, 0), np.uint64)
        byte = sum(1 << at for at in _places(self.digit))
        inside = self.group == np.arange(groups)[:, None]
        return np.ascontiguousarray(inside * np.uint8(byte)).view(np.uint64)

    def count(self, values: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
        """Messages (n,), and operations (n, connections)."""
        spikes, operations = np.zeros(n, np.int64), np.zeros((n, len(self.leaving)), np.int64)
        maps = values[: n * self.positions * self.channels].reshape(n, self.positions, -1)
        if self.lowest.size:
            words = maps.view(np.uint64)
            kernels.count_words(words, self.digit, self.lowest, self.fan_out, spikes, operations)
        else:
            kernels.count_by_table(maps, self.group, self.table, self.fan_out, spikes, operations)
        return spikes, operations


def _places(digit: int) -> range:
    """Lowest bits of the digits that a byte holds."""
    return range(0, _BYTE - digit + 1, digit)


def _digit_of(sent: np.ndarray) -> int:
    """Bits of the digits of which those that are not 0 are the messages; 0 where there are none."""
    x = np.arange(sent.size)
    for digit in range(1, _BYTE + 1):
        found = sum(((x >> at) & ((1 << digit) - 1)) != 0 for at in _places(digit))
        if np.array_equal(found, sent):
            return digit
    return 0
