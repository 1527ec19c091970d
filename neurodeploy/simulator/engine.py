"""The fast simulator: event-driven, layer by layer over time, samples in parallel on threads.

Equal to `reference` in every spike and membrane. An aligned program is run sample by sample in
local time (each window starts at step 1), any other acyclic program as one stream.
"""

from __future__ import annotations

import importlib.util
import os
import threading
import time
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from neurodeploy.errors import DataError, ProgramError
from neurodeploy.program import INPUT, Lif, Program
from neurodeploy.simulator import encoding, kernels
from neurodeploy.simulator.closed_form import EventSweep, Sweep, Swept, is_closed_form
from neurodeploy.simulator.layout import internal_order
from neurodeploy.simulator.plan import Layer, Plan, Scatter
from neurodeploy.simulator.reference import Trace
from neurodeploy.simulator.result import Result
from neurodeploy.simulator.steppers import stepper

__all__ = ["Engine", "best_sweep", "default_threads", "prepared", "simulate"]

Progress = Callable[[int], None]
T = TypeVar("T")
_PREPARING = threading.Lock()
_NO_VALUES = np.zeros(0, np.int32)
_NO_RECORD = np.zeros((0, 0), np.int32)


def default_threads() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@dataclass
class _Events:
    """Messages of one source over time: `index` cut by `start`, one entry more than steps."""

    index: np.ndarray
    start: np.ndarray
    value: np.ndarray = field(default_factory=lambda: _NO_VALUES)


class _Workspace(threading.local):
    """Buffers that a thread keeps from sample to sample."""

    def __init__(self) -> None:
        self.arrays: dict[tuple[str, str], np.ndarray] = {}

    def take(self, owner: str, purpose: str, shape: tuple[int, ...], dtype: type) -> np.ndarray:
        """An uninitialised array that lives until the same purpose is asked for again."""
        key = (owner, purpose)
        array = self.arrays.get(key)
        if array is None or array.shape != shape or array.dtype != dtype:
            array = self.arrays[key] = np.empty(shape, dtype)
        return array


@dataclass
class _LayerRun:
    events: _Events
    membranes: np.ndarray
    wrapped: int
    clipped: int


class Engine:
    """A program made ready to run; reusable, thread-safe.

    Parameters
    ----------
    program
        Any acyclic program.
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        self.plan = Plan(program)
        self._workspace = _Workspace()

    def run_stream(self, messages: np.ndarray, membranes: bool = True) -> Trace:
        """The whole program in absolute time, as `reference.run` (currents are not recorded).

        Parameters
        ----------
        messages
            Integers (steps, inputs) within the encoder's range.
        """
        steps = messages.shape[0]
        self._check_messages(messages)
        program = self.program
        sent = {INPUT: _input_events(messages[:, self.plan.input_order])}
        spikes, membrane, wrapped, clipped = {}, {}, {}, {}
        for layer in self.plan.layers:
            p = layer.population
            t = np.arange(1, steps + 1)
            tau = (t - p.phase) % program.period
            run = self._layer(layer, sent, tau, local=False, record=membranes)
            # events live in the thread's buffers until the next sample: keep a copy
            sent[p.name] = _Events(
                run.events.index[: run.events.start[-1]].copy(), run.events.start.copy()
            )
            raster = np.zeros((steps, p.size), bool)
            row = np.repeat(np.arange(steps), np.diff(run.events.start))
            raster[row, layer.order[sent[p.name].index]] = True
            spikes[p.name] = raster
            if membranes:
                membrane[p.name] = np.empty((steps, p.size), np.int32)
                membrane[p.name][:, layer.order] = run.membranes
            wrapped[p.name], clipped[p.name] = run.wrapped, run.clipped
        return Trace(spikes, {}, membrane, wrapped, clipped)

    def run_sample(
        self, level: np.ndarray, index: int, record: Container[str] = ()
    ) -> tuple[dict[str, _LayerRun], np.ndarray]:
        """One sample of an aligned program in local time.

        Parameters
        ----------
        level
            int32 (inputs,), from `encoding.levels`.
        index
            Position of the sample in its data set (seeds the Poisson encoder).
        record
            Populations whose membranes are kept besides the decoder's.

        Returns
        -------
        Runs by population, and synaptic operations of each connection in program order.
        """
        program, steps = self.program, self.program.period
        order = self.plan.input_order
        constant = program.encoder.encoding == "current"
        if constant:
            sent = {INPUT: _input_events(level[None, order])}
        else:
            messages = encoding.encode(program.encoder, level, steps, index)
            sent = {INPUT: _input_events(messages[:, order])}
        tau = np.arange(steps)
        runs, operations = {}, {}
        for layer in self.plan.layers:
            name = layer.population.name
            kept = name == program.decoder.population or name in record
            run = self._layer(layer, sent, tau, local=True, record=kept)
            runs[name], sent[name] = run, run.events
            for scatter in layer.scatters:
                events = sent[scatter.connection.source]
                rows = events.start.size - 1
                count = kernels.count_fan_out(events.index, events.start, rows, scatter.fan_out)
                repeat = steps if constant and scatter.connection.source == INPUT else 1
                operations[id(scatter.connection)] = count * repeat
        return runs, np.array([operations[id(c)] for c in program.connections], np.int64)

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
        sent = {
            name: _input_events(rows[:, internal_order(self.program.shape_of(name))])
            for name, rows in messages.items()
        }
        tau = np.arange(self.program.period)
        run = self._layer(layer, sent, tau, local=True, record=True)
        membranes = np.empty_like(run.membranes)
        membranes[:, layer.order] = run.membranes
        return membranes

    def _check_messages(self, messages: np.ndarray) -> None:
        low, high = self.program.encoder.message_range
        if messages.size and (messages.min() < low or messages.max() > high):
            raise DataError(f"messages leave the encoder's range {low}..{high}")

    def _layer(
        self,
        layer: Layer,
        sent: dict[str, _Events],
        tau: np.ndarray,
        *,
        local: bool,
        record: bool,
    ) -> _LayerRun:
        """One population over all steps (`tau` of each), a block of steps at a time."""
        p, steps = layer.population, tau.size
        take = self._workspace.take
        size, padded = p.size, -(-p.size // 8) * 8
        index = take(p.name, "index", (steps * size + 1,), np.int32)
        start = take(p.name, "start", (steps + 1,), np.int64)
        start[0] = 0
        membranes = np.empty((steps, size), np.int32) if record else _NO_RECORD
        neurons = stepper(
            p.neuron,
            layer.order,
            plain=layer.plain,
            checked=layer.checked or not local,
            period=self.program.period,
            v=take(p.name, "v", (size,), np.int32),
        )

        def is_steady(scatter: Scatter) -> bool:
            source = scatter.connection.source
            return local and source == INPUT and sent[INPUT].start.size == 2 and steps > 1

        steady = [s for s in layer.scatters if is_steady(s)]
        moving = [s for s in layer.scatters if not is_steady(s)]
        base = None
        if steady:
            base = take(p.name, "steady", (1, size), layer.dtype)
            base[:] = 0
            for scatter in steady:
                _add(scatter, base, 0, sent)
        for first in range(0, steps, layer.block_steps):
            count = min(layer.block_steps, steps - first)
            if moving or base is None:
                block = take(p.name, f"block{count}", (count, size), layer.dtype)
                block[:] = 0 if base is None else base
                for scatter in moving:
                    delay = 0 if local else scatter.connection.delay
                    _add(scatter, block, first - delay, sent)
            else:
                block = base
            fired = take(p.name, f"fired{count}", (count, padded), np.uint8)
            if padded > size or neurons.silent:
                fired[:] = 0
            rows = membranes[first : first + count] if record else _NO_RECORD
            neurons.step(block, tau[first : first + count], fired[:, :size], rows)
            kernels.collect(fired.view(np.uint64), index, start, first)
        wrapped, clipped = map(int, neurons.overflow)
        return _LayerRun(_Events(index, start), membranes, wrapped, clipped)


def _input_events(messages: np.ndarray) -> _Events:
    """Event list of (steps, inputs) payloads in internal numbering."""
    row, index = np.nonzero(messages)
    start = np.zeros(messages.shape[0] + 1, np.int64)
    np.cumsum(np.bincount(row, minlength=messages.shape[0]), out=start[1:])
    return _Events(index.astype(np.int32), start, messages[row, index].astype(np.int32))


def _add(scatter: Scatter, block: np.ndarray, first: int, sent: dict[str, _Events]) -> None:
    events = sent[scatter.connection.source]
    graded = scatter.connection.graded and scatter.connection.source == INPUT
    value = events.value if graded else _NO_VALUES
    scatter.kernel(block, first, events.index, events.start, value, *scatter.arguments)


def simulate(
    program: Program,
    x: np.ndarray,
    *,
    threads: int | None = None,
    checkpoints: Sequence[int] = (),
    sent: dict[str, np.ndarray] | None = None,
    progress: Progress | None = None,
    first_index: int = 0,
) -> tuple[Result, np.ndarray]:
    """Run samples through an aligned program.

    Parameters
    ----------
    x
        Samples (n, *shape): integers (preprocessed as the program says) or network input.
    threads
        Default: all cores. The result does not depend on it.
    checkpoints
        Steps (1..period) at which the output is read as well.
    sent
        Filled: by population, int64 (neurons,), the spikes of each neuron over all samples, C
        order. For a rate code only; `activity` knows those of a time code.
    progress
        Called with the number of samples just finished.
    first_index
        Index of the first sample in its data set.

    Returns
    -------
    result, and float32 (checkpoints, n, outputs): outputs read early.
    """
    began = time.perf_counter()
    if not program.is_aligned:
        raise ProgramError(
            "the phases mix neighbouring samples, so samples cannot be run one by one",
            remedy="use Engine.run_stream",
        )
    x = encoding.check_samples(x, program.encoder.sample_shape)
    if is_closed_form(program):
        if checkpoints or sent is not None:
            raise ProgramError(
                "a time-to-first-spike program has no output before its window ends, and its "
                "neurons are counted by `activity`"
            )
        return _sweep(program, x, threads or default_threads(), progress, began), np.zeros((0,))
    if any(not isinstance(p.neuron, Lif) for p in program.populations):
        raise ProgramError(
            "rate-coded and time-coded parts in one program cannot be run sample by sample",
            remedy="use Engine.run_stream",
        )
    engine = prepared(program, Engine)
    n = x.shape[0]
    decoder = program.population(program.decoder.population)
    layer = next(la for la in engine.plan.layers if la.population is decoder)
    raw = np.zeros((1 + len(checkpoints), n, decoder.size), np.int32)
    spikes = np.zeros((len(program.populations), n), np.int64)
    operations = np.zeros((len(program.connections), n), np.int64)
    overflow = np.zeros((2, len(program.populations), n), np.int64)
    if sent is not None:
        sent.update({p.name: np.zeros(p.size, np.int64) for p in program.populations})
    adding = threading.Lock()
    rows = [program.period - 1, *(step - 1 for step in checkpoints)]

    def work(part: range) -> int:
        level = encoding.levels(program.encoder, x[part.start : part.stop])
        for i, k in enumerate(part):
            runs, operations[:, k] = engine.run_sample(level[i], first_index + k)
            raw[:, k, layer.order] = runs[decoder.name].membranes[rows]
            for j, p in enumerate(program.populations):
                run = runs[p.name]
                spikes[j, k] = run.events.start[-1]
                overflow[:, j, k] = run.wrapped, run.clipped
            if sent is not None:
                with adding:
                    _tally(engine.plan, runs, sent)
        return len(part)

    threads = threads or default_threads()
    size = max(1, min(8, n // (8 * threads)))
    parts = [range(a, min(a + size, n)) for a in range(0, n, size)]
    with ThreadPoolExecutor(threads) as pool:
        for done in pool.map(work, parts):
            if progress is not None:
                progress(done)
    outputs = (raw * program.decoder.unit).astype(np.float32)
    names = [p.name for p in program.populations]
    result = Result(
        outputs=outputs[0].reshape(n, *decoder.shape),
        spikes=dict(zip(names, spikes, strict=True)),
        synaptic_operations=_by_name(program, operations),
        wrapped={name: int(row.sum()) for name, row in zip(names, overflow[0], strict=True)},
        clipped={name: int(row.sum()) for name, row in zip(names, overflow[1], strict=True)},
        seconds=time.perf_counter() - began,
    )
    return result, outputs[1:]


def _tally(plan: Plan, runs: Mapping[str, _LayerRun], sent: Mapping[str, np.ndarray]) -> None:
    """Add one sample's spikes of each neuron."""
    for layer in plan.layers:
        events = runs[layer.population.name].events
        fired = np.bincount(events.index[: events.start[-1]], minlength=layer.order.size)
        sent[layer.population.name][layer.order] += fired


def prepared(program: Program, make: Callable[[Program], T]) -> T:
    """What `make` prepares of a program, once: programs do not change, so it is kept with them."""
    kept = program.__dict__.setdefault("_prepared", {})
    with _PREPARING:
        if make not in kept:
            kept[make] = make(program)
    return kept[make]


def _by_name(program: Program, rows: Iterable[np.ndarray]) -> dict[str, np.ndarray]:
    """Rows in the order of the connections, by name; connections of one name add up."""
    found: dict[str, np.ndarray] = {}
    for c, row in zip(program.connections, rows, strict=True):
        found[c.name] = found[c.name] + row if c.name in found else row
    return found


def _sweep(
    program: Program, x: np.ndarray, threads: int, progress: Progress | None, began: float
) -> Result:
    """A time-to-first-spike program in closed form, in batches that bound the memory."""
    sweep = prepared(program, best_sweep)
    n = x.shape[0]
    # a few samples at a time keep a layer's values in a core's cache
    batch = max(1, min(8, n // threads, 20_000_000 // max(1, program.neurons)))

    def work(start: int) -> Swept:
        return sweep.run(encoding.levels(program.encoder, x[start : start + batch]))

    parts = []
    with ThreadPoolExecutor(threads) as pool:
        for part in pool.map(work, range(0, n, batch)):
            parts.append(part)
            if progress is not None:
                progress(len(part.membrane))
    decoder = program.population(program.decoder.population)
    membrane = np.concatenate([part.membrane for part in parts])
    outputs = (membrane * program.decoder.unit).astype(np.float32)
    operations = [
        np.concatenate([part.operations[i] for part in parts])
        for i in range(len(program.connections))
    ]
    names = [p.name for p in program.populations]
    return Result(
        outputs=outputs.reshape(n, *decoder.shape),
        spikes={name: np.concatenate([part.spikes[name] for part in parts]) for name in names},
        synaptic_operations=_by_name(program, operations),
        wrapped=dict.fromkeys(names, 0),
        clipped=dict.fromkeys(names, 0),
        seconds=time.perf_counter() - began,
    )


def best_sweep(program: Program) -> Sweep:
    """ONNX Runtime's where it is installed and can express the program, else spike by spike."""
    if importlib.util.find_spec("onnxruntime") and importlib.util.find_spec("onnx"):
        from neurodeploy.simulator.dense_sweep import DenseSweep, can_sweep

        if can_sweep(program):
            return DenseSweep(program)
    return EventSweep(program)
