"""Samples through a program, in parallel on threads."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np

from neurodeploy.errors import ProgramError
from neurodeploy.metrics.task import Task
from neurodeploy.program import Program
from neurodeploy.program.partial_sums import joined
from neurodeploy.program.workable import check_workable
from neurodeploy.simulator import encoding
from neurodeploy.simulator.closed_form import (
    Sweep,
    is_by_sample,
    is_closed_form,
    is_in_step,
    is_window_coded,
    read_out,
)
from neurodeploy.simulator.engine import Engine
from neurodeploy.simulator.memory import Share, default_limit, share
from neurodeploy.simulator.parted_sweep import PartedSweep
from neurodeploy.simulator.preparing import best_sweep, check_by_sample, prepared
from neurodeploy.simulator.result import Result
from neurodeploy.simulator.streaming import run_frames, run_windows, warm_up
from neurodeploy.simulator.threads import default_threads, spread

__all__ = ["Progress", "simulate"]

Progress = Callable[[int], None]


def simulate(
    program: Program,
    x: np.ndarray,
    *,
    threads: int | None = None,
    memory: int | None = None,
    checkpoints: Sequence[int] = (),
    sent: dict[str, np.ndarray] | None = None,
    progress: Progress | None = None,
    first_index: int = 0,
) -> tuple[Result, np.ndarray]:
    """Run samples through a program, each in its windows (`docs/semantics.md`, section 6).

    1. In closed form, where that is proved to be exact (`closed_form.obstacle`).
    2. Stepped, each sample on its own, in any other aligned program.
    3. Stepped as one stream, where phases mix neighbouring samples: a sample's output depends on
       those before it.

    Parameters
    ----------
    x
        Samples (n, *shape): integers (preprocessed as the program says) or network input. Read
        a batch at a time: the array may be a mapped file.
    threads
        Number of threads; default: one a core. The result does not depend on it.
    memory
        Bytes that the buffers of all threads may take (`simulator.memory`); default: half of
        what is available. The result does not depend on it.
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

    Raises
    ------
    DataError
        The samples do not fit.
    ProgramError
        Outputs read early, or spikes a neuron, of a program that has none.
    UsageError
        One sample does not fit into the memory.
    """
    began = time.perf_counter()
    alone = is_by_sample(program)
    if checkpoints or sent is not None or first_index:
        check_by_sample(program)
    x = encoding.check_samples(x, program.encoder.sample_shape)
    decoding = program.decoder.code
    if checkpoints and decoding.membranes != "last":
        raise ProgramError(
            f"an output of the kind {decoding.name!r} cannot be read before its window ends"
        )
    whole = joined(program)
    if is_window_coded(whole) and (checkpoints or sent is not None):
        raise ProgramError(
            "a program of a window code (ttfs, radix, online) has no output before its window "
            "ends, and its neurons are counted by `activity`"
        )
    check_workable(program, "simulation")
    wanted = min(threads or default_threads(), len(x))
    limit = default_limit() if memory is None else memory
    divided = share(whole, wanted, limit)
    if not alone:
        return _streamed(program, x, divided, progress, began), np.zeros((0,))
    if is_closed_form(whole) and (read := read_out(whole)) is not None:
        return _swept(program, x, read, divided, progress, began), np.zeros((0,))
    portion = () if divided.steps == program.period else (divided.steps,)
    engine = prepared(program, Engine, *portion)
    n = x.shape[0]
    decoder = program.population(program.decoder.population)
    shape = program.output_shape
    outputs = np.zeros((1 + len(checkpoints), n, *shape), np.float32)
    spikes = np.zeros((len(program.populations), n), np.int64)
    operations = np.zeros((len(program.connections), n), np.int64)
    overflow = np.zeros((2, len(program.populations)), np.int64)
    unsettled: dict[str, int] = {}
    if sent is not None:
        sent.update({p.name: np.zeros(p.size, np.int64) for p in program.populations})
    adding = threading.Lock()
    wanted_steps = [
        program.decoder.read_steps(program.period) - 1,
        *(step - 1 for step in checkpoints),
    ]
    kept = sorted(set(wanted_steps))
    if decoding.membranes == "all":
        kept = list(range(program.period))
    rows = [kept.index(step) for step in wanted_steps]
    asked = {decoder.name} if decoding.messages else set()
    names = [p.name for p in program.populations]

    def work(part: range) -> int:
        level = encoding.levels(program.encoder, x[part.start : part.stop])
        run = engine.run_samples(
            level, first_index + part.start, keep=kept, fired=sent is not None, messages=asked
        )
        here = slice(part.start, part.stop)
        operations[:, here] = run.operations
        membranes = run.membranes[decoder.name]
        if decoding.membranes == "last":
            read = [membranes[:, [row]] for row in rows]
        else:
            read = [membranes]
        messages = run.messages.get(decoder.name, np.zeros((len(part), 0, decoder.size), np.int32))
        for k, seen in enumerate(read):
            integers = program.decoder.integers(seen, messages, program.period)
            values = (integers * program.decoder.unit).astype(np.float32)
            outputs[k, here] = values.reshape(len(part), *shape)
        spikes[:, here] = [run.spikes[name] for name in names]
        with adding:
            overflow[:] += [[of[name] for name in names] for of in (run.wrapped, run.clipped)]
            for name, wrong in run.unsettled.items():
                unsettled[name] = unsettled.get(name, 0) + wrong
            for name, count in run.fired.items():
                assert sent is not None
                sent[name] += count.sum(0)
        return len(part)

    for done in spread(work, _parts(n, divided), divided.threads):
        if progress is not None:
            progress(done)
    task = Task.of(program)
    result = Result(
        outputs=task.shaped(outputs[0]),
        spikes=dict(zip(names, spikes, strict=True)),
        synaptic_operations=_by_name(program, operations),
        wrapped=dict(zip(names, map(int, overflow[0]), strict=True)),
        clipped=dict(zip(names, map(int, overflow[1]), strict=True)),
        unsettled=unsettled,
        seconds=time.perf_counter() - began,
        task=task,
    )
    return result, outputs[1:]


def _parts(n: int, divided: Share, each: int = 1) -> Iterator[range]:
    """Ranges of samples for one thread at a time; smaller at the end, so that all end together.

    `each`: samples that belong together.
    """
    first, shares = 0, 2 * divided.threads if divided.threads > 1 else 1
    while first < n:
        left = -(-(n - first) // shares)
        size = min(divided.samples, left)
        size = min(-(-size // each) * each, n - first)
        yield range(first, first + size)
        first += size


def _by_name(program: Program, rows: Iterable[np.ndarray]) -> dict[str, np.ndarray]:
    """Rows in the order of the connections, by name; connections of one name add up."""
    found: dict[str, np.ndarray] = {}
    for c, row in zip(program.connections, rows, strict=True):
        found[c.name] = found[c.name] + row if c.name in found else row
    return found


def _swept(
    program: Program,
    x: np.ndarray,
    read: Callable[[np.ndarray], np.ndarray],
    divided: Share,
    progress: Progress | None,
    began: float,
) -> Result:
    """A program of a window code in closed form."""
    sweep: Sweep = prepared(program, best_sweep if joined(program) is program else PartedSweep)
    task = Task.of(program)
    none = {p.name: 0 for p in program.populations}

    def work(part: range) -> Result:
        swept = sweep.run(encoding.levels(program.encoder, x[part.start : part.stop]))
        outputs = (read(swept.membrane) * program.decoder.unit).astype(np.float32)
        return Result(
            outputs=task.shaped(outputs),
            spikes=swept.spikes,
            synaptic_operations=_by_name(program, swept.operations),
            wrapped=none,
            clipped=none | swept.clipped,
            task=task,
        )

    parts = []
    for part in spread(work, _parts(len(x), divided), divided.threads):
        parts.append(part)
        if progress is not None:
            progress(part.samples)
    return Result.join(parts, time.perf_counter() - began)


def _streamed(
    program: Program, x: np.ndarray, divided: Share, progress: Progress | None, began: float
) -> Result:
    """A program whose windows mix samples, in parts of its stream."""
    engine = prepared(program, Engine)
    task = Task.of(program)

    def work(part: range) -> Result:
        meets = program.is_stream and is_in_step(program)
        run = (
            run_frames(engine, x, part, divided.samples) if meets else run_windows(engine, x, part)
        )
        outputs = (run.integers * program.decoder.unit).astype(np.float32)
        return Result(
            outputs=task.shaped(outputs),
            spikes=run.spikes,
            synaptic_operations=_by_name(program, run.operations),
            wrapped=run.wrapped,
            clipped=run.clipped,
            task=task,
        )

    # every window may depend on all before it: nothing to divide
    whole = math.isinf(warm_up(program))
    ways = iter([range(len(x))]) if whole else _parts(len(x), divided, program.refresh)
    parts = []
    for part in spread(work, ways, divided.threads):
        parts.append(part)
        if progress is not None:
            progress(part.samples)
    return Result.join(parts, time.perf_counter() - began)
