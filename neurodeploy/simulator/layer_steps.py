"""Populations over some steps: one layer block by block, or the layers of a cycle together."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from neurodeploy.program import INPUT, Program
from neurodeploy.simulator import kernels
from neurodeploy.simulator.buffers import Workspace
from neurodeploy.simulator.currents import Sent, add_currents
from neurodeploy.simulator.events import Events, events_of
from neurodeploy.simulator.neurons import Block, Setup, Stepper, stepper
from neurodeploy.simulator.plan import Arrival, Layer
from neurodeploy.simulator.recurrent import Component, Stepping

__all__ = ["LayerState", "LayerSteps", "Rows"]


@dataclass
class LayerState:
    """One population while some samples run.

    Attributes
    ----------
    neurons
        Its neurons.
    steady
        Currents (samples, neurons) that are the same at every step, if any.
    record
        int32 (samples * steps kept, neurons) for membranes, internal order.
    counted
        First row whose overflows count, and the first after it whose do not; None for all rows.
    overflow
        int64 (2,): currents that wrapped and membranes that clipped in these rows.
    """

    neurons: Stepper
    steady: np.ndarray | None
    record: np.ndarray
    counted: tuple[int, int] | None = None
    overflow: np.ndarray = field(default_factory=lambda: np.zeros(2, np.int64))


@dataclass
class Rows:
    """The steps that are computed together: of each sample so many, one sample after the other.

    Attributes
    ----------
    sample
        int64: the sample of each row.
    tau
        int64: steps since the sample's window began.
    slot
        int64: the row of `LayerState.record` for its membranes, -1 for none.
    """

    sample: np.ndarray
    tau: np.ndarray
    slot: np.ndarray


class LayerSteps:
    """Steps layers of a program; its buffers are the thread's."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._held = threading.local()
        self._free: list[Workspace] = []

    @property
    def _workspace(self) -> Workspace:
        """The thread's buffers: those of a run that is over, or new ones."""
        if not hasattr(self._held, "workspace"):
            try:
                self._held.workspace = self._free.pop()
            except IndexError:
                self._held.workspace = Workspace()
        return self._held.workspace

    def _neurons(self, layer: Layer, *, checked: bool) -> Stepper:
        p = layer.population
        return stepper(
            p.neuron,
            Setup(
                order=layer.order,
                bias=layer.bias,
                period=self.program.period,
                proof=layer.proof,
                dtype=layer.dtype,
                checked=checked,
                v=self._workspace.take(p.name, "v", (layer.filled,), np.int32),
            ),
        )

    def _is_steady(self, arrival: Arrival) -> bool:
        return arrival.connection.source == INPUT and self.program.encoder.code.steady

    def _steady(self, layer: Layer, sent: Sent) -> np.ndarray | None:
        """Currents (samples, neurons) from a constant input."""
        steady = [a for a in layer.arrivals if self._is_steady(a)]
        if not steady:
            return None
        samples = sent[INPUT].steps
        base = self._workspace.take(
            layer.population.name, "steady", (samples, layer.filled), layer.dtype
        )
        base[:] = 0
        for arrival in steady:
            add_currents(arrival, base, 0, sent, self._workspace.take, keep=True)
        return base

    def _component(
        self,
        component: Component,
        states: Mapping[str, LayerState],
        sent: Sent,
        rows: Mapping[str, Rows],
        *,
        delayed: bool = False,
    ) -> Sent:
        """The populations of a component over some steps: one layer, or a cycle step by step.

        Parameters
        ----------
        states, rows
            By population.
        sent, delayed
            As for `_layer`.
        """
        names = [layer.population.name for layer in component.layers]
        if not component.is_cyclic:
            (layer,), (name,) = component.layers, names
            return {name: self._layer(layer, states[name], sent, rows[name], delayed=delayed)}
        steppings = [
            self._stepping(component, layer, states[name], sent, rows[name], delayed)
            for layer, name in zip(component.layers, names, strict=True)
        ]
        # in local time messages of the sample before do not count
        tau = rows[names[0]].tau
        component.run(steppings, np.arange(tau.size) if delayed else tau, delayed)
        found: Sent = {}
        for layer, stepping, name in zip(component.layers, steppings, names, strict=True):
            states[name].overflow += stepping.overflow
            messages = stepping.messages if layer.graded else stepping.fired
            found[name] = events_of(messages, layer.order.size // layer.channels)
        return found

    def _stepping(
        self,
        component: Component,
        layer: Layer,
        state: LayerState,
        sent: Sent,
        rows: Rows,
        delayed: bool,
    ) -> Stepping:
        """A layer of a cycle, with what arrives at it from outside."""
        steps, size = rows.tau.size, layer.order.size
        arrivals = self._moving(component.outside(layer), delayed)
        currents = np.zeros((steps, size), np.int64)
        most = min(layer.block_steps, steps)
        blocks = self._workspace.take(
            layer.population.name, "block", (most, layer.filled), layer.dtype
        )
        for first, count in _blocks(steps, most, None):
            block = blocks[:count]
            self._fill(block, state, arrivals, first, rows, sent, delayed)
            currents[first : first + count] = block[:, :size]
        return Stepping(
            currents,
            rows.tau,
            rows.slot,
            state.record,
            state.neurons,
            np.zeros((steps, size), np.uint8),
            np.zeros((steps if layer.graded else 0, size), np.int32),
            (0, steps) if state.counted is None else state.counted,
        )

    def _moving(self, arrivals: Sequence[Arrival], delayed: bool) -> list[Arrival]:
        """What is not steady; what fills a block comes before what adds to it."""
        moving = [a for a in arrivals if delayed or not self._is_steady(a)]
        return sorted(moving, key=lambda a: not a.can_gather)

    def _fill(
        self,
        block: np.ndarray,
        state: LayerState,
        moving: Sequence[Arrival],
        first: int,
        rows: Rows,
        sent: Sent,
        delayed: bool,
    ) -> None:
        """What arrives at a layer over the steps of a block, the first of which is `first`."""
        keep = state.steady is not None
        if state.steady is not None:
            part = slice(first, first + len(block))
            np.take(state.steady, rows.sample[part], axis=0, out=block, mode="clip")
        elif not moving or not moving[0].can_gather:
            block[:] = 0
            keep = True
        for arrival in moving:
            delay = arrival.connection.delay if delayed else 0
            add_currents(arrival, block, first - delay, sent, self._workspace.take, keep=keep)
            keep = True

    def _layer(
        self,
        layer: Layer,
        state: LayerState,
        sent: Sent,
        rows: Rows,
        *,
        delayed: bool = False,
    ) -> Events:
        """One population over some steps, a block of them at a time.

        Parameters
        ----------
        sent
            What its sources send, at the same steps. Windows of pooled positions are kept in it.
        delayed
            Whether the steps are absolute time, in which connections take their delay.
        """
        p, steps = layer.population, rows.tau.size
        take = self._workspace.take
        size = p.size
        # in local time a window's spikes stand beside what it reads
        lag = 0 if delayed else p.fire_phase(self.program.period) - p.phase
        fired = take(p.name, "bits", (steps + lag, layer.words), np.uint64)
        rows_sent = steps + lag if layer.graded else 0
        integers = take(p.name, "sent", (rows_sent, layer.filled), layer.message_type)
        moving = self._moving(layer.arrivals, delayed)
        always = None if moving else state.steady
        most = min(layer.block_steps, steps) if always is None else steps
        numbers = np.arange(most)
        blocks = take(p.name, "block", (most if always is None else 0, layer.filled), layer.dtype)
        if state.neurons.silent:
            fired[:] = 0
        for first, count in _blocks(steps, most, state.counted):
            part = slice(first, first + count)
            if always is not None:
                block, row_of = always, rows.sample[part]
            else:
                block, row_of = blocks[:count], numbers[:count]
                self._fill(block, state, moving, first, rows, sent, delayed)
            before = state.neurons.overflow.copy()
            state.neurons.step(
                Block(
                    block, row_of, rows.tau[part], fired[part], state.record, rows.slot[part],
                    integers[part],
                )
            )  # fmt: skip
            if state.counted is None or state.counted[0] <= first < state.counted[1]:
                state.overflow += state.neurons.overflow - before
        if lag:
            self._fire(layer, state, self.program.period, fired[steps:], integers[steps:])
        events = Events(
            take(p.name, "index", (steps * size + kernels.WIDTH,), np.int32),
            take(p.name, "start", (steps + 1,), np.int64),
            take(p.name, "place", (steps, size // layer.channels + 1), np.int64),
            bits=fired[lag:],
        )
        kernels.collect(events.bits, size, layer.channels, events.index, events.start, events.place)
        if not layer.graded:
            return events
        sent_integers = integers[lag:]
        value = take(p.name, "value", (steps * size,), np.int32)[: events.start[-1]]
        kernels.pick(sent_integers, events.index, events.start, value)
        narrow = layer.message_type is np.int8
        return replace(events, value=value, sent=sent_integers if narrow else events.sent)

    @staticmethod
    def _fire(
        layer: Layer, state: LayerState, period: int, fired: np.ndarray, integers: np.ndarray
    ) -> None:
        """Steps after the last window: nothing arrives any more, the neurons fire."""
        tau = np.arange(len(fired)) % period
        silence: np.ndarray = np.zeros((1, layer.filled), layer.dtype)
        nowhere = np.full(tau.size, -1, np.int64)
        state.neurons.step(Block(silence, 0 * tau, tau, fired, state.record, nowhere, integers))


def _blocks(steps: int, most: int, counted: tuple[int, int] | None) -> Iterator[tuple[int, int]]:
    """First row and number of rows of each block; no block crosses an end of `counted`."""
    ends = sorted({min(max(0, row), steps) for row in (*(counted or ()), steps)})
    first = 0
    for end in ends:
        while first < end:
            count = min(most, end - first)
            yield first, count
            first += count
