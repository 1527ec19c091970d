"""The fast simulator: event-driven, layer by layer over time.

Equal to `reference` in every spike and membrane. Samples of an aligned program are run in local
time (each window starts at step 1), several in a row where layers are small and in portions of
time where they are large; any other program runs as one stream. What fires later than it
reads (`ttfs` and `radix` a window, `online` some steps) is run for so many steps more, and its
spikes are moved back by them.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence

import numpy as np

from neurodeploy.errors import DataError
from neurodeploy.program import INPUT, Program
from neurodeploy.simulator import encoding, kernels
from neurodeploy.simulator.currents import Sent
from neurodeploy.simulator.events import Events, events_of
from neurodeploy.simulator.layer_steps import LayerState, LayerSteps, Rows
from neurodeploy.simulator.layout import channels_of, internal_order
from neurodeploy.simulator.plan import Layer, Plan
from neurodeploy.simulator.recurrent import components_of
from neurodeploy.simulator.reference import Trace
from neurodeploy.simulator.run import Run

__all__ = ["Engine", "Run"]


class Engine(LayerSteps):
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
        super().__init__(program)
        self.plan = Plan(program)
        self.components = components_of(program, self.plan.layers)
        late = any(p.fire_phase(1) > p.phase for p in program.populations)
        if program.is_stream or program.recurrent or late:
            portion = None
        self.portion = program.period if portion is None else max(1, min(portion, program.period))

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
                rows[p.name] = Rows(
                    np.zeros(steps, np.int64),
                    (everything + begin + 1 - p.phase) % program.clock,
                    everything if kept else none,
                )
                states[p.name] = LayerState(
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
                    sent=events.sent.copy(),
                )
                self._trace(layer, states[layer.population.name], events, trace)
        return trace

    @staticmethod
    def _trace(layer: Layer, state: LayerState, events: Events, trace: Trace) -> None:
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
        states: dict[str, LayerState] | None = None,
    ) -> Run:
        """Samples of an aligned program, each on its own in local time.

        Of a stream whose windows meet: frames that follow each other, in local time as well.

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
        states
            Of a stream: what the frames before the first left behind, by population, empty before
            a frame at which all begins anew; filled with what these leave behind.
        """
        try:
            return self._run_samples(
                level, first_index, keep, record, fired, rasters, messages, states
            )
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
        carried: dict[str, LayerState] | None,
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
        states: dict[str, LayerState] = {} if carried is None else carried
        for portion in range(0, period, self.portion):
            tau = np.arange(portion, min(portion + self.portion, period))
            if self.portion < period and samples > 1:
                raise ValueError("samples in portions of time run one by one")
            rows = Rows(
                np.repeat(np.arange(samples), tau.size),
                np.tile(tau, samples),
                np.full(tau.size * samples, -1, np.int64),
            )
            begun = (rows.tau + program.period * (first_index + rows.sample)) % program.clock
            stepped = Rows(rows.sample, begun, rows.slot)
            watched = Rows(rows.sample, begun, slots[rows.tau])
            watched.slot[watched.slot >= 0] += (rows.sample * len(kept))[watched.slot >= 0]
            sent = self._encoded(level, first_index, tau)
            for component in self.components:
                for layer in component.layers:
                    name = layer.population.name
                    if portion == 0:
                        size = samples * len(kept) if name in recorded else 0
                        before = states.get(name)
                        states[name] = LayerState(
                            before.neurons
                            if before is not None
                            else self._neurons(layer, checked=layer.checked),
                            self._steady(layer, sent),
                            np.empty((size, layer.filled), np.int32),
                        )
                seen = {
                    layer.population.name: watched if layer.population.name in recorded else stepped
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
        state = LayerState(self._neurons(layer, checked=layer.checked), None, taken)
        return self._layer(layer, state, dict(sent), Rows(np.zeros_like(steps), steps, slot))

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

    def _count(self, layer: Layer, sent: Sent, rows: Rows, run: Run) -> None:
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
