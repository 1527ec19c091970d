"""The fast simulator: event-driven, layer by layer over time.

Equal to `reference` in every spike and membrane. Samples of an aligned program are run in local
time (each window starts at step 1), several in a row where layers are small and in portions of
time where they are large; any other acyclic program runs as one stream. What fires later than it
reads (`ttfs` and `radix` a window, `online` some steps) is run for so many steps more, and its
spikes are moved back by them.
"""

from __future__ import annotations

import threading
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from neurodeploy.errors import DataError
from neurodeploy.program import INPUT, Program
from neurodeploy.simulator import encoding, kernels
from neurodeploy.simulator.buffers import Workspace
from neurodeploy.simulator.currents import Sent, add_currents
from neurodeploy.simulator.events import Events, events_of
from neurodeploy.simulator.layout import channels_of, internal_order
from neurodeploy.simulator.neurons import Block, Setup, Stepper, stepper
from neurodeploy.simulator.plan import Arrival, Layer, Plan
from neurodeploy.simulator.recurrent import Component, Stepping, components_of
from neurodeploy.simulator.reference import Trace

__all__ = ["Engine", "Run"]


@dataclass
class Run:
    """What some samples did, by population.

    Attributes
    ----------
    spikes
        int64 (samples,).
    operations
        int64 (connections, samples): synaptic operations, connections in program order.
    membranes
        int32 (samples, steps kept, neurons), C order, of the populations recorded.
    fired
        int64 (samples, neurons), C order: how often each neuron fired; empty unless asked for.
    rasters
        Step (from 0) and neuron (C order) of each spike, by step, of the samples in a row; empty
        unless asked for.
    wrapped, clipped
        Overflows that really happened.
    unsettled
        Neurons times samples whose integer is not that of the closed form (`Neuron.unsettled`), of
        the populations that it may happen to.
    messages
        int32 (samples, period, neurons), C order: what was sent at each step of the window, of the
        populations asked for.
    """

    spikes: dict[str, np.ndarray]
    operations: np.ndarray
    membranes: dict[str, np.ndarray]
    wrapped: dict[str, int]
    clipped: dict[str, int]
    fired: dict[str, np.ndarray] = field(default_factory=dict)
    rasters: dict[str, list[tuple[np.ndarray, np.ndarray]]] = field(default_factory=dict)
    messages: dict[str, np.ndarray] = field(default_factory=dict)
    unsettled: dict[str, int] = field(default_factory=dict)


@dataclass
class _State:
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
class _Rows:
    """The steps that are computed together: of each sample so many, one sample after the other.

    Attributes
    ----------
    sample
        int64: the sample of each row.
    tau
        int64: steps since the sample's window began.
    slot
        int64: the row of `_State.record` for its membranes, -1 for none.
    """

    sample: np.ndarray
    tau: np.ndarray
    slot: np.ndarray


class Engine:
    """A program made ready to run; reusable, thread-safe.

    Parameters
    ----------
    program
        Any program.
    portion
        Most steps of a sample that are computed before the next layer is: bounds the memory. A
        program with populations that fire later than they read is not cut: they need all of a
        window before they fire. Neither is one with cycles: spikes of a window are under way.
    """

    def __init__(self, program: Program, portion: int | None = None) -> None:
        self.program = program
        self.plan = Plan(program)
        self.components = components_of(program, self.plan.layers)
        if program.recurrent or any(p.fire_phase(1) > p.phase for p in program.populations):
            portion = None
        self.portion = program.period if portion is None else max(1, min(portion, program.period))
        self._held = threading.local()
        self._free: list[Workspace] = []

    def run_stream(
        self,
        messages: np.ndarray,
        membranes: bool | Container[str] = True,
        *,
        begin: int = 0,
        counted: Mapping[str, tuple[int, int]] | None = None,
    ) -> Trace:
        """The whole program in absolute time, as `reference.run` (currents are not recorded).

        Parameters
        ----------
        messages
            Integers (steps, inputs) within the encoder's range.
        membranes
            Whether they are kept, or of which populations.
        begin
            Steps that went by before the first row; the state there is the one before step 1.
        counted
            By population, the rows (from, to) whose overflows count; all of them if None.
        """
        steps = messages.shape[0]
        self._check_messages(messages)
        program = self.program
        sent: Sent = {INPUT: self.events(INPUT, messages)}
        everything = np.arange(steps)
        none = np.full(steps, -1, np.int64)
        trace = Trace({}, {}, {}, {}, {})
        for component in self.components:
            states, rows = {}, {}
            for layer in component.layers:
                p = layer.population
                kept = membranes if isinstance(membranes, bool) else p.name in membranes
                rows[p.name] = _Rows(
                    np.zeros(steps, np.int64),
                    (everything + begin + 1 - p.phase) % program.period,
                    everything if kept else none,
                )
                states[p.name] = _State(
                    self._neurons(layer, checked=True),
                    None,
                    np.empty((steps if kept else 0, layer.filled), np.int32),
                    None if counted is None else counted[p.name],
                )
            sent |= self._component(component, states, sent, rows, delayed=True)
            for layer in component.layers:
                events = sent[layer.population.name]
                # events live in the thread's buffers until the next run: keep a copy
                index = events.index[: events.start[-1]]
                room = np.zeros(kernels.WIDTH, np.int32)
                sent[layer.population.name] = Events(
                    np.concatenate([index, room]),
                    events.start.copy(),
                    events.place.copy(),
                    events.value.copy(),
                    bits=events.bits.copy(),
                )
                self._trace(layer, states[layer.population.name], events, trace)
        return trace

    @staticmethod
    def _trace(layer: Layer, state: _State, events: Events, trace: Trace) -> None:
        """Add what a population did to a trace."""
        p, steps = layer.population, events.steps
        row = np.repeat(np.arange(steps), np.diff(events.start))
        neuron = layer.order[events.index[: events.start[-1]]]
        trace.spikes[p.name] = np.zeros((steps, p.size), bool)
        trace.spikes[p.name][row, neuron] = True
        if layer.graded:
            trace.messages[p.name] = np.zeros((steps, p.size), np.int32)
            trace.messages[p.name][row, neuron] = events.value
        if len(state.record):
            trace.membrane[p.name] = _in_c_order(state.record, layer.order)
        trace.wrapped[p.name], trace.clipped[p.name] = map(int, state.overflow)

    def run_samples(
        self,
        level: np.ndarray,
        first_index: int = 0,
        *,
        keep: Sequence[int] | None = None,
        record: Container[str] = (),
        fired: bool = False,
        rasters: bool = False,
        messages: Container[str] = (),
    ) -> Run:
        """Samples of an aligned program, each on its own in local time.

        Parameters
        ----------
        level
            int32 (samples, inputs), from `encoding.levels`.
        first_index
            Position of the first in its data set (seeds the Poisson encoder).
        keep
            Steps (from 0, none twice) after which membranes are kept; all of them if None.
        record
            Populations whose membranes are kept besides the decoder's.
        fired, rasters
            Whether to fill `Run.fired` and `Run.rasters`.
        messages
            Populations for `Run.messages`.
        """
        try:
            return self._run_samples(level, first_index, keep, record, fired, rasters, messages)
        finally:  # threads come and go, their buffers stay
            self._free.append(self._workspace)
            del self._held.workspace

    def _run_samples(
        self,
        level: np.ndarray,
        first_index: int,
        keep: Sequence[int] | None,
        record: Container[str],
        fired: bool,
        rasters: bool,
        messages: Container[str],
    ) -> Run:
        program, plan = self.program, self.plan
        samples, period = len(level), program.period
        kept = range(period) if keep is None else keep
        slots = np.full(period, -1, np.int64)
        slots[list(kept)] = np.arange(len(kept))
        recorded = {
            la.population.name
            for la in plan.layers
            if la.population.name in record or la.population.name == program.decoder.population
        }
        run = Run(
            spikes={p.name: np.zeros(samples, np.int64) for p in program.populations},
            operations=np.zeros((len(program.connections), samples), np.int64),
            membranes={},
            wrapped={},
            clipped={},
            fired={
                p.name: np.zeros((samples, p.size), np.int64) for p in program.populations if fired
            },
            rasters={p.name: [] for p in program.populations if rasters},
            messages={
                p.name: np.zeros((samples, period, p.size), np.int32)
                for p in program.populations
                if p.name in messages
            },
        )
        states: dict[str, _State] = {}
        for portion in range(0, period, self.portion):
            tau = np.arange(portion, min(portion + self.portion, period))
            if self.portion < period and samples > 1:
                raise ValueError("samples in portions of time run one by one")
            rows = _Rows(
                np.repeat(np.arange(samples), tau.size),
                np.tile(tau, samples),
                np.full(tau.size * samples, -1, np.int64),
            )
            watched = _Rows(rows.sample, rows.tau, slots[rows.tau])
            watched.slot[watched.slot >= 0] += (rows.sample * len(kept))[watched.slot >= 0]
            sent = self._encoded(level, first_index, tau)
            for component in self.components:
                for layer in component.layers:
                    name = layer.population.name
                    if name not in states:
                        size = samples * len(kept) if name in recorded else 0
                        states[name] = _State(
                            self._neurons(layer, checked=layer.checked),
                            self._steady(layer, sent),
                            np.empty((size, layer.filled), np.int32),
                        )
                seen = {
                    layer.population.name: watched if layer.population.name in recorded else rows
                    for layer in component.layers
                }
                sent |= self._component(component, states, sent, seen)
                for layer in component.layers:
                    self._count(layer, sent, rows, run)
        for layer in plan.layers:
            name, state = layer.population.name, states[layer.population.name]
            run.wrapped[name], run.clipped[name] = map(int, state.overflow)
            unsettled = getattr(state.neurons, "unsettled", None)
            if unsettled is not None and layer.population.neuron.fires:
                run.unsettled[name] = int(unsettled[0])
            if name in recorded:
                ordered = _in_c_order(state.record, layer.order)
                run.membranes[name] = ordered.reshape(samples, len(kept), -1)
        return run

    def run_window(self, layer: Layer, messages: Mapping[str, np.ndarray]) -> np.ndarray:
        """Membranes of one population over one window, given what reaches it there.

        Parameters
        ----------
        messages
            By source, integers (period, sources) in C order, at the step of the window at which
            each arrives.

        Returns
        -------
        int32 (period, neurons), C order.
        """
        sent: Sent = {name: self.events(name, rows) for name, rows in messages.items()}
        record = np.empty((self.program.period, layer.filled), np.int32)
        self.run_layer(layer, sent, record)
        return _in_c_order(record, layer.order)

    def events(self, source: str, messages: np.ndarray) -> Events:
        """Messages of a source, integers (steps, neurons) in C order, as the engine takes them."""
        shape = self.program.shape_of(source)
        positions = messages.shape[1] // channels_of(shape)
        return events_of(messages[:, internal_order(shape)], positions)

    def run_layer(self, layer: Layer, sent: Sent, record: np.ndarray | None = None) -> Events:
        """One population over one window.

        Parameters
        ----------
        sent
            What its sources send at each step of the window.
        record
            int32 (period, neurons filled up to whole words): takes the membranes, internal order.

        Returns
        -------
        Its spikes, in buffers that the thread's next run overwrites.
        """
        steps = np.arange(self.program.period)
        slot = np.full(steps.size, -1, np.int64) if record is None else steps
        taken = np.empty((0, layer.filled), np.int32) if record is None else record
        state = _State(self._neurons(layer, checked=layer.checked), None, taken)
        return self._layer(layer, state, dict(sent), _Rows(np.zeros_like(steps), steps, slot))

    @property
    def _workspace(self) -> Workspace:
        """The thread's buffers: those of a run that is over, or new ones."""
        if not hasattr(self._held, "workspace"):
            try:
                self._held.workspace = self._free.pop()
            except IndexError:
                self._held.workspace = Workspace()
        return self._held.workspace

    def _check_messages(self, messages: np.ndarray) -> None:
        low, high = self.program.encoder.message_range
        if messages.size and (messages.min() < low or messages.max() > high):
            raise DataError(f"messages leave the encoder's range {low}..{high}")

    def _encoded(self, level: np.ndarray, first_index: int, tau: np.ndarray) -> Sent:
        """What the input sends at steps `tau` of each sample; a constant current sends once."""
        encoder, period = self.program.encoder, self.program.period
        if encoder.code.steady:
            return {INPUT: self.events(INPUT, level)}
        steps = range(int(tau[0]), int(tau[-1]) + 1)
        rows = [
            encoding.encode(encoder, row, period, first_index + k, steps)
            for k, row in enumerate(level)
        ]
        return {INPUT: self.events(INPUT, np.concatenate(rows))}

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
        states: Mapping[str, _State],
        sent: Sent,
        rows: Mapping[str, _Rows],
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
        state: _State,
        sent: Sent,
        rows: _Rows,
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
        state: _State,
        moving: Sequence[Arrival],
        first: int,
        rows: _Rows,
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
        state: _State,
        sent: Sent,
        rows: _Rows,
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
        integers = take(p.name, "sent", (steps + lag if layer.graded else 0, size), np.int32)
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
        if layer.graded:
            return events_of(integers[lag:], size // layer.channels)
        events = Events(
            take(p.name, "index", (steps * size + kernels.WIDTH,), np.int32),
            take(p.name, "start", (steps + 1,), np.int64),
            take(p.name, "place", (steps, size // layer.channels + 1), np.int64),
            bits=fired[lag:],
        )
        kernels.collect(events.bits, size, layer.channels, events.index, events.start, events.place)
        return events

    @staticmethod
    def _fire(
        layer: Layer, state: _State, period: int, fired: np.ndarray, integers: np.ndarray
    ) -> None:
        """Steps after the last window: nothing arrives any more, the neurons fire."""
        tau = np.arange(len(fired)) % period
        silence: np.ndarray = np.zeros((1, layer.filled), layer.dtype)
        nowhere = np.full(tau.size, -1, np.int64)
        state.neurons.step(Block(silence, 0 * tau, tau, fired, state.record, nowhere, integers))

    def _count(self, layer: Layer, sent: Sent, rows: _Rows, run: Run) -> None:
        """Add what a population did at some steps to the run's figures."""
        name, samples = layer.population.name, run.operations.shape[1]
        events = sent[name]
        ends = events.start[:: rows.tau.size // samples]
        run.spikes[name] += np.diff(ends)
        for arrival in layer.arrivals:
            source = sent[arrival.connection.source]
            steady = self._is_steady(arrival)
            each = source.steps // samples
            counted = np.zeros(samples, np.int64)
            if arrival.by_position is None:
                kernels.count_fan_out(source.index, source.start[::each], arrival.fan_out, counted)
            else:
                kernels.count_by_position(source.place, *arrival.by_position, counted)
            run.operations[arrival.number] += counted * (rows.tau.size // samples if steady else 1)
        for k in range(samples if run.fired else 0):
            sample = events.index[ends[k] : ends[k + 1]]
            run.fired[name][k, layer.order] += np.bincount(sample, minlength=layer.order.size)
        if name in run.messages:
            row = np.repeat(np.arange(rows.tau.size), np.diff(events.start))
            value = events.value if layer.graded else 1
            at = layer.order[events.index[: events.start[-1]]]
            run.messages[name][rows.sample[row], rows.tau[row], at] = value
        if run.rasters:
            step = rows.tau[np.repeat(np.arange(rows.tau.size), np.diff(events.start))]
            run.rasters[name].append((step, layer.order[events.index[: events.start[-1]]]))


def _in_c_order(record: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Membranes int32 (rows, neurons) in C order, of rows in internal order."""
    if (order[:-1] < order[1:]).all():  # a flat population: no map to turn
        return record[:, : order.size].copy()
    ordered = np.empty((len(record), order.size), np.int32)
    ordered[:, order] = record[:, : order.size]
    return ordered


def _blocks(steps: int, most: int, counted: tuple[int, int] | None) -> Iterator[tuple[int, int]]:
    """First row and number of rows of each block; no block crosses an end of `counted`."""
    ends = sorted({min(max(0, row), steps) for row in (*(counted or ()), steps)})
    first = 0
    for end in ends:
        while first < end:
            count = min(most, end - first)
            yield first, count
            first += count
