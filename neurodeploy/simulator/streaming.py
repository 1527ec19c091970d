"""Programs whose samples cannot be run one by one, as one stream in absolute time.

Phases that mix neighbouring samples (and windows that begin before the first step) are valid: a
population works on sample k in its window of that sample, on whatever arrives there
(docs/semantics.md, section 6). What a window holds depends on the samples before it, but not for
ever: every population resets in each window, so a part of the stream is run from a few windows
earlier and equals the whole from there on, bit for bit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from neurodeploy.program import INPUT, Program
from neurodeploy.simulator import encoding
from neurodeploy.simulator.engine import Engine
from neurodeploy.simulator.layer_steps import LayerState

__all__ = [
    "Streamed",
    "messages_of_samples",
    "run_frames",
    "run_windows",
    "warm_up",
    "windows",
]


@dataclass(frozen=True)
class Streamed:
    """What consecutive samples of a stream did, each population in its own windows.

    Attributes
    ----------
    integers
        What the decoder reads (`Decoding.integers`): (samples, neurons), or a row a step.
    spikes
        int64 (samples,) by population, in the window in which it fires.
    operations
        int64 (samples,) for each connection, in program order.
    wrapped, clipped
        Overflows in these windows, by population.
    """

    integers: np.ndarray
    spikes: dict[str, np.ndarray]
    operations: list[np.ndarray]
    wrapped: dict[str, int]
    clipped: dict[str, int]

    @classmethod
    def join(cls, parts: Sequence[Streamed]) -> Streamed:
        """Consecutive parts as one."""

        def total(counts: Sequence[dict[str, int]]) -> dict[str, int]:
            return {name: sum(of[name] for of in counts) for name in counts[0]}

        return cls(
            np.concatenate([p.integers for p in parts]),
            {k: np.concatenate([p.spikes[k] for p in parts]) for k in parts[0].spikes},
            [np.concatenate(rows) for rows in zip(*(p.operations for p in parts), strict=True)],
            total([p.wrapped for p in parts]),
            total([p.clipped for p in parts]),
        )


def warm_up(program: Program) -> float:
    """Steps after which no population's state depends on what it was before them.

    Infinite with cycles: a spike of a window may lead to spikes of all windows after it. And of
    streams that never begin anew, or do so in windows that do not meet.
    """
    if program.recurrent:
        return math.inf
    if program.is_stream:
        ends = program.refresh and program.windows_meet
        return (program.refresh - 1) * program.period if ends else math.inf
    steps = {INPUT: 0}
    for p in program.order:
        # what arrives is right from here on; then a reset comes within a window, and what fires a
        # window after it reads needs all of the one before
        arrives = max((steps[c.source] + c.delay for c in program.incoming(p.name)), default=0)
        steps[p.name] = arrives + program.period + p.fire_phase(program.period) - p.phase
    return max(steps.values())


def run_windows(engine: Engine, x: np.ndarray, part: range) -> Streamed:
    """Some samples of a stream.

    Parameters
    ----------
    x
        All samples of the stream (n, *shape), from the first step on.
    part
        Numbers of the samples wanted, consecutive.
    """
    program = engine.program
    period, count = program.period, len(part)
    reads = {p.name: p.phase for p in program.populations}
    fires = {INPUT: 1} | {p.name: p.fire_phase(period) for p in program.populations}
    first = _first(program, part.start)
    begin, end = first * period, part.stop * period + max(fires.values()) - 1

    def rows(phase: int) -> tuple[int, int]:
        """Rows of the part from the first window's first step to the last one's last."""
        row = phase + part.start * period - 1 - begin
        return row, row + count * period

    messages = messages_of_samples(program, x, range(first, -(-end // period)))[: end - begin]
    decoder = program.decoder.population
    trace = engine.run_stream(
        messages, {decoder}, begin=begin, counted={name: rows(p) for name, p in reads.items()}
    )
    sent: dict[str, np.ndarray] = {}
    for name, phase in fires.items():
        of = messages != 0 if name == INPUT else trace.spikes[name]
        sent[name] = windows(of, *rows(phase), period).sum(1)
    of_window = trace.messages.get(decoder, trace.spikes[decoder])
    return Streamed(
        program.decoder.integers(
            # before the first step the membrane is 0
            windows(trace.membrane[decoder], *rows(reads[decoder]), period),
            windows(of_window.astype(np.int32), *rows(fires[decoder]), period),
            period,
        ),
        {p.name: sent[p.name].sum(1) for p in program.populations},
        [
            sent[c.source] @ c.synapses.fan_out(program.shape_of(c.source))
            for c in program.connections
        ],
        trace.wrapped,
        trace.clipped,
    )


def run_frames(
    engine: Engine,
    x: np.ndarray,
    part: range,
    size: int,
    sent: dict[str, np.ndarray] | None = None,
) -> Streamed:
    """Some frames of a stream whose windows meet, from one at which all begins anew.

    A few at a time, so that memory does not grow with the stream.

    Parameters
    ----------
    x
        All frames (n, *shape).
    part
        Numbers of the frames wanted, consecutive.
    size
        Frames at a time.
    sent
        Filled: by population, int64 (neurons,), the messages of each neuron over these frames.
    """
    program = engine.program
    decoder, decoding = program.population(program.decoder.population), program.decoder.code
    read = program.decoder.read_steps(program.period) - 1
    kept = range(program.period) if decoding.membranes == "all" else (read,)
    asked = {decoder.name} if decoding.messages else set()
    states: dict[str, LayerState] = {}
    found = []
    for first in range(part.start, part.stop, size):
        level = encoding.levels(program.encoder, x[first : min(first + size, part.stop)])
        run = engine.run_samples(
            level, first, keep=kept, messages=asked, fired=sent is not None, states=states
        )
        nothing = np.zeros((len(level), 0, decoder.size), np.int32)
        integers = program.decoder.integers(
            run.membranes[decoder.name], run.messages.get(decoder.name, nothing), program.period
        )
        for name, count in run.fired.items():
            assert sent is not None
            sent[name] = sent.get(name, 0) + count.sum(0)
        found.append(Streamed(integers, run.spikes, list(run.operations), run.wrapped, run.clipped))
    return Streamed.join(found)


def _first(program: Program, start: int) -> int:
    """The sample from which a stream has to be run for all from `start` on to be right."""
    warm = warm_up(program)
    if math.isinf(warm):
        return 0
    if program.is_stream:
        return start - start % program.refresh
    return max(0, start - -(-int(warm) // program.period))


def windows(values: np.ndarray, start: int, stop: int, period: int) -> np.ndarray:
    """Rows of consecutive windows, (windows, period, neurons); before the first step zeros."""
    window = np.zeros((stop - start, values.shape[1]), values.dtype)
    window[max(0, -start) :] = values[max(0, start) : stop]
    return window.reshape(-1, period, values.shape[1])


def messages_of_samples(program: Program, x: np.ndarray, samples: range) -> np.ndarray:
    """What the input sends over the windows of some samples; nothing after the last one."""
    level = encoding.levels(program.encoder, x[samples.start : samples.stop])
    messages = np.zeros((len(samples) * program.period, program.inputs), np.int32)
    for k, row in enumerate(level):
        at = slice(k * program.period, (k + 1) * program.period)
        messages[at] = encoding.encode(program.encoder, row, program.period, samples.start + k)
    return messages
