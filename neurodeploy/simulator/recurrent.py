"""Populations on cycles: stepped together in time, everything else stays layer by layer.

Two ways, equal bit for bit. A component of `lif` populations whose weights are small enough to
stand in memory as rows runs in one kernel (`kernels.recurrent`). Any other is stepped kind by
kind and step by step, with the stepper of each kind.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from neurodeploy.program import Connection, Lif, Neuron, Program
from neurodeploy.program.triplets import triplets
from neurodeploy.simulator import kernels
from neurodeploy.simulator.layout import internal_order
from neurodeploy.simulator.neurons import Block, Stepper
from neurodeploy.simulator.neurons.lif import MODES
from neurodeploy.simulator.plan import Arrival, Layer

__all__ = ["Component", "Stepping", "components_of"]

#: Entries of all weight rows of a component up to which they are laid out in full (4 bytes each).
_MOST_WEIGHTS = 2**26


@dataclass
class Stepping:
    """One layer of a component over some steps.

    Attributes
    ----------
    currents
        int64 (steps, neurons), internal order: what arrives from outside.
    tau
        int64 (steps,): steps since the window began.
    slot
        int64 (steps,): row of `record` for the membranes, -1 for none.
    record
        int32 (any, neurons filled up to whole words).
    neurons
        Its stepper, for the way step by step.
    fired
        uint8 (steps, neurons), zeros: takes 1 for each message.
    messages
        int32 (steps, neurons), or no rows: takes the integers of a graded kind.
    counted
        Rows (from, to) whose overflows count.
    overflow
        int64 (2,): wraps and clips in these rows.
    """

    currents: np.ndarray
    tau: np.ndarray
    slot: np.ndarray
    record: np.ndarray
    neurons: Stepper
    fired: np.ndarray
    messages: np.ndarray
    counted: tuple[int, int]
    overflow: np.ndarray = field(default_factory=lambda: np.zeros(2, np.int64))


@dataclass(frozen=True)
class _Inside:
    """A connection within the component: numbers of its ends, and its arrival."""

    source: int
    target: int
    arrival: Arrival


@dataclass(frozen=True)
class _Fused:
    """Arguments of `kernels.step_recurrent` that stay; populations in the order of `order`."""

    order: list[int]
    offset: np.ndarray
    parameters: np.ndarray
    bias: np.ndarray
    ends: np.ndarray
    where: np.ndarray


class Component:
    """Layers that are on cycles with each other.

    Parameters
    ----------
    layers
        In program order.
    """

    def __init__(self, program: Program, layers: Sequence[Layer]) -> None:
        self.program = program
        number = {layer.population.name: k for k, layer in enumerate(layers)}
        inside = [
            _Inside(number[a.connection.source], k, a)
            for k, layer in enumerate(layers)
            for a in layer.arrivals
            if a.connection.source in number
        ]
        self.layers = tuple(layers)
        self.inside = tuple(inside)

    @property
    def is_cyclic(self) -> bool:
        """Whether there is a cycle at all; a single population may have none."""
        return bool(self.inside)

    def outside(self, layer: Layer) -> list[Arrival]:
        """What arrives at a layer from other components."""
        within = {one.arrival.number for one in self.inside}
        return [a for a in layer.arrivals if a.number not in within]

    def late(self, connection: Connection, delayed: bool) -> int:
        """Steps between two rows that a message connects: of absolute time, or of the windows'."""
        return connection.delay if delayed else self.program.lead(connection)

    def order(self, delayed: bool) -> list[int]:
        """Layers so that a message that arrives at its own row comes from a layer before."""
        after: dict[int, set[int]] = {k: set() for k in range(len(self.layers))}
        for one in self.inside:
            if self.late(one.arrival.connection, delayed) == 0:
                after[one.target].add(one.source)
        found: list[int] = []
        while len(found) < len(after):
            # a cycle takes at least one step, so there is always a next one
            found.append(next(k for k in after if k not in found and after[k] <= set(found)))
        return found

    def run(self, steppings: Sequence[Stepping], age: np.ndarray, delayed: bool) -> None:
        """Step all layers.

        Parameters
        ----------
        steppings
            Of each layer.
        age
            int64 (steps,): how many steps back messages count, those of the same sample.
        delayed
            Whether rows are absolute time.
        """
        if self.is_fused:
            self._run_lif(steppings, age, delayed)
        else:
            self._run_any(steppings, age, delayed)

    @cached_property
    def is_fused(self) -> bool:
        """Whether the one kernel serves."""
        weights = sum(
            self.layers[one.source].order.size * self.layers[one.target].order.size
            for one in self.inside
        )
        return weights <= _MOST_WEIGHTS and all(
            type(layer.population.neuron) is Lif for layer in self.layers
        )

    @cached_property
    def _fused(self) -> dict[bool, _Fused]:
        """What the kernel reads, laid out once for each way of counting time."""
        return {delayed: self._laid_out(delayed) for delayed in (False, True)}

    @cached_property
    def _weights(self) -> list[np.ndarray]:
        """Weights (sources, targets) of each inside connection, internal order, exponent applied.

        int16 where that holds them, else int32.
        """
        rows = [_rows(one.arrival) for one in self.inside]
        narrow = all(r.min(initial=0) >= -(2**15) and r.max(initial=0) < 2**15 for r in rows)
        return [r.astype(np.int16 if narrow else np.int32) for r in rows]

    @cached_property
    def _flat_weights(self) -> tuple[np.ndarray, np.ndarray]:
        """All of them one after the other, and where each begins; connections in inside order."""
        sizes = [rows.size for rows in self._weights]
        where = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)[:-1]
        return np.concatenate([rows.reshape(-1) for rows in self._weights]), where

    @cached_property
    def _inner(self) -> type:
        """Integers that hold any sum of what arrives from inside at one neuron."""
        largest = [0] * len(self.layers)
        for one, rows in zip(self.inside, self._weights, strict=True):
            sums = np.abs(rows.astype(np.int64)).sum(0)
            largest[one.target] += int(sums.max(initial=0))
        return np.int32 if max(largest) < 2**31 else np.int64

    def _laid_out(self, delayed: bool) -> _Fused:
        order = self.order(delayed)
        place = {k: p for p, k in enumerate(order)}
        sizes = [self.layers[k].order.size for k in order]
        numbers = sorted(range(len(self.inside)), key=lambda c: place[self.inside[c].target])
        ends = [
            (place[one.source], place[one.target], self.late(one.arrival.connection, delayed))
            for one in (self.inside[c] for c in numbers)
        ]
        period = self.program.period
        neurons = [self.layers[k].population.neuron for k in order]
        parameters = [
            (
                n.du, n.dv, n.shift, n.threshold << n.shift, MODES[n.reset], n.v_initial,
                period - n.quiet,
            )
            for n in map(_lif, neurons)
        ]  # fmt: skip
        return _Fused(
            order,
            np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
            np.array(parameters, np.int64),
            np.concatenate([self.layers[k].bias for k in order]).astype(np.int64),
            np.array(ends, np.int64),
            self._flat_weights[1][numbers],
        )

    def _run_lif(self, steppings: Sequence[Stepping], age: np.ndarray, delayed: bool) -> None:
        fused = self._fused[delayed]
        offset, neurons = fused.offset, int(fused.offset[-1])
        rows = [steppings[k] for k in fused.order]
        slots = int(fused.ends[:, 2].max(initial=0)) + 1
        record = np.empty((max(len(r.record) for r in rows), neurons), np.int32)
        fired = np.zeros((len(age), neurons), np.uint8)
        overflow = np.zeros((len(rows), 2), np.int64)
        alone = len(rows) == 1
        currents = rows[0].currents if alone else np.concatenate([r.currents for r in rows], axis=1)
        kernels.step_recurrent(
            currents, np.stack([r.tau for r in rows]), age, offset, fused.parameters, fused.bias,
            np.zeros(neurons, np.int64), np.zeros(neurons, np.int64), fused.ends, fused.where,
            self._flat_weights[0], np.zeros(neurons, self._inner),
            np.zeros((slots, neurons), np.int32), np.zeros((slots, len(rows)), np.int64), fired,
            np.array([r.counted for r in rows]), overflow, record,
            np.stack([r.slot for r in rows]),
        )  # fmt: skip
        for p, r in enumerate(rows):
            own = slice(offset[p], offset[p + 1])
            r.fired[:] = fired[:, own]
            r.record[:, : offset[p + 1] - offset[p]] = record[: len(r.record), own]
            r.overflow += overflow[p]

    def _run_any(self, steppings: Sequence[Stepping], age: np.ndarray, delayed: bool) -> None:
        incoming: list[list[tuple[_Inside, int]]] = [[] for _ in steppings]
        for one in self.inside:
            incoming[one.target].append((one, self.late(one.arrival.connection, delayed)))
        order = self.order(delayed)
        here = np.zeros(1, np.int64)
        for s in range(len(age)):
            for k in order:
                r, layer = steppings[k], self.layers[k]
                size = layer.order.size
                current = np.zeros((1, layer.filled), np.int64)
                current[0, :size] = r.currents[s]
                for one, late in incoming[k]:
                    if late <= age[s]:
                        _add(one.arrival, current, steppings[one.source], s - late)
                bits = np.zeros((1, layer.words), np.uint64)
                sends = 1 if len(r.messages) else 0
                sent: np.ndarray = np.zeros((sends, layer.filled), layer.message_type)
                before = r.neurons.overflow.copy()
                r.neurons.step(
                    Block(current, here, r.tau[s : s + 1], bits, r.record, r.slot[s : s + 1], sent)
                )
                if r.counted[0] <= s < r.counted[1]:
                    r.overflow += r.neurons.overflow - before
                flags = np.unpackbits(bits.view(np.uint8)[0], bitorder="little", count=size)
                r.fired[s] = flags
                if len(r.messages):
                    r.messages[s] = sent[0, :size]


def _lif(neuron: Neuron) -> Lif:
    assert type(neuron) is Lif, "the kernel serves no other kind"
    return neuron


def _add(arrival: Arrival, current: np.ndarray, source: Stepping, row: int) -> None:
    """The messages of one row, spike by spike."""
    index = np.flatnonzero(source.fired[row]).astype(np.int32)
    if not index.size:
        return
    value = source.messages[row, index] if arrival.payloads else np.zeros(0, np.int32)
    start = np.array([0, index.size], np.int64)
    way = arrival.scatter
    way.kernel(current, 0, index, start, value, *way.arguments)


def _rows(arrival: Arrival) -> np.ndarray:
    """Weights int32 (sources, targets) in internal order, exponent applied."""
    source, target = internal_order(arrival.source), internal_order(arrival.target)
    to, at, weights = triplets(arrival.connection.synapses, arrival.source)
    matrix = np.zeros((target.size, source.size), np.int32)
    np.add.at(matrix, (to, at), weights.astype(np.int32))
    return np.ascontiguousarray(matrix[target][:, source].T << arrival.connection.exponent)


def components_of(program: Program, layers: Sequence[Layer]) -> tuple[Component, ...]:
    """The layers as the program groups them, sources first."""
    by_name = {layer.population.name: layer for layer in layers}
    return tuple(
        Component(program, [by_name[p.name] for p in component]) for component in program.components
    )
