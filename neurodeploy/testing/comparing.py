"""Reference = engine = `simulate`, whichever way is taken; differences are AssertionErrors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal
from unittest import mock

import numpy as np

import neurodeploy
from neurodeploy.metrics.task import Task
from neurodeploy.program import INPUT, Program
from neurodeploy.simulator import (
    choice,
    encoding,
    gathering,
    kernels,
    plan,
    product,
    recurrent,
    reference,
    stamping,
)
from neurodeploy.simulator.engine import Engine, Run
from neurodeploy.simulator.receptive import Receptive

__all__ = [
    "CYCLES",
    "WAYS",
    "compare_samples",
    "compare_simulate",
    "compare_stream",
    "computed",
    "cut_of",
    "engine_of",
    "stepped",
    "tile_of",
]

#: How populations on cycles are stepped: in one kernel where that can be, or kind by kind.
CYCLES = ("fused", "step by step")

Way = Literal["gather", "stamp", "product", "any"]
#: How connections that have several ways are computed: always one, or now this and now that.
WAYS: tuple[Way, ...] = ("gather", "stamp", "product", "any")


@contextmanager
def stepped(cycles: str) -> Iterator[None]:
    """Settings under which an engine steps cycles in one of `CYCLES`."""
    if cycles == "fused":
        yield
        return
    with mock.patch.object(recurrent.Component, "is_fused", False):
        yield


@contextmanager
def computed(way: Way) -> Iterator[None]:
    """Settings under which an engine computes in one of `WAYS`.

    1. One of them: with the tables that the engine would make.
    2. Any: by its own choice, hurried, over blocks of a few steps, as large layers are in long
       runs; with any tables, whichever might be fastest on some machine.
    """
    if way != "any":
        yield
        return
    with (
        mock.patch.object(plan, "BLOCK_BYTES", 1000),
        mock.patch.object(product, "ROWS_BYTES", 5000),
        mock.patch.object(choice, "_FASTEST_PRODUCT", np.inf),
        mock.patch.object(choice, "_PATIENCE", 0),
        mock.patch.object(choice, "_TRIALS", 1),
        mock.patch.object(choice, "_WORTH", np.inf),
        mock.patch.object(gathering, "_tile", _any_tile),
        mock.patch.object(product, "_tile", _any_divisor),
        mock.patch.object(stamping, "_cut", _any_cut),
    ):
        yield


def tile_of(field: Receptive, number: int) -> tuple[tuple[int, int], int]:
    """Outputs a tile of gathering and lanes a vector: any that `kernels.gather` takes."""
    wide, lanes = 1 + number % 16, kernels.LANES[number // 16 % len(kernels.LANES)]
    # rows of outputs come from one vector
    two = number // 128 % 2 and field.dilation[0] == 1 and 2 * wide * field.outputs <= lanes
    return (2 if two else 1, wide), lanes


def cut_of(weights: int, number: int) -> tuple[int, int]:
    """Pieces of a run that is stamped, and their lanes: any that `kernels.stamp` takes."""
    lanes = kernels.STAMPED[number % len(kernels.STAMPED)]
    return -(-weights // lanes), lanes


def _any_cut(weights: int) -> tuple[int, int]:
    return cut_of(weights, weights)


def _any_tile(field: Receptive, *_: object) -> tuple[tuple[int, int], int]:
    return tile_of(field, 37 * field.weights.size + sum(field.source))


def _any_divisor(field: Receptive) -> int:
    """Outputs a row of the product."""
    divisors = [n for n in range(1, field.out[1] + 1) if field.out[1] % n == 0]
    return divisors[field.weights.size % len(divisors)]


def engine_of(program: Program, way: Way, portion: int | None = None) -> Engine:
    """An engine whose connections that have several ways are computed in one of `WAYS`."""
    engine = Engine(program, portion)
    for arrival in (a for layer in engine.plan.layers for a in layer.arrivals if a.can_gather):
        if way != "any" and way in arrival.choice.ways:
            arrival.choice.only = way
    return engine


def compare_stream(
    program: Program, messages: np.ndarray, ways: Sequence[Way] = WAYS
) -> reference.Trace:
    """Every message, membrane and overflow count of a stream; returns what the reference did."""
    expected = reference.run(program, messages)
    for way in ways:
        with computed(way):
            found = engine_of(program, way).run_stream(messages)
        for p in program.populations:
            place = f"{p.name}, {way}"
            _equal(found.spikes[p.name], expected.spikes[p.name], place)
            _equal(found.membrane[p.name], expected.membrane[p.name], place)
        _equal(found.messages, expected.messages, way)
        _equal(found.wrapped, expected.wrapped, way)
        _equal(found.clipped, expected.clipped, way)
    return expected


def compare_samples(
    program: Program, level: np.ndarray, first_index: int, portion: int, ways: Sequence[Way] = WAYS
) -> None:
    """Samples of an aligned program, beside the reference's stream of them.

    1. All at once; the membranes and messages of all populations, every step.
    2. One by one, in portions of time where it can be cut; every other step, of the decoder's
       population.

    Everything else that a run tells is compared in both.

    Parameters
    ----------
    level
        int32 (samples, integers of one).
    portion
        Steps computed at once in (2).
    """
    windows, messages = _windows(program, level, first_index)
    names = [p.name for p in program.populations]
    every, second = range(program.period), range(0, program.period, 2)
    for way in ways:
        with computed(way):
            engine, pieces = engine_of(program, way), engine_of(program, way, portion)
            whole = engine.run_samples(
                level, first_index, record=names, fired=True, rasters=True, messages=names
            )
            parts = [
                pieces.run_samples(
                    row[None], first_index + k, keep=second, fired=True, rasters=True
                )
                for k, row in enumerate(level)
            ]
        _compare(engine, whole, windows, messages, slice(0, len(level)), every)
        assert set(whole.membranes) == set(names)
        overflow = dict.fromkeys(names, 0), dict.fromkeys(names, 0)
        for k, part in enumerate(parts):
            _compare(pieces, part, windows, messages, slice(k, k + 1), second)
            assert set(part.membranes) == {program.decoder.population}
            for total, of in zip(overflow, (part.wrapped, part.clipped), strict=True):
                for name in names:
                    total[name] += of[name]
        assert overflow == (whole.wrapped, whole.clipped)


@dataclass(frozen=True)
class _Window:
    """What the reference did with one population: (samples, period, neurons) each.

    Membranes in the window in which it reads, messages in the one in which it fires.
    """

    membrane: np.ndarray
    messages: np.ndarray


def _windows(
    program: Program, level: np.ndarray, first_index: int
) -> tuple[dict[str, _Window], np.ndarray]:
    """The reference's windows of each population, and the messages sent to them."""
    count, period = len(level), program.period
    rows = [
        encoding.encode(program.encoder, x, period, first_index + k) for k, x in enumerate(level)
    ]
    drain = max(p.fire_phase(period) for p in program.populations)
    messages = np.concatenate([*rows, np.zeros((drain, rows[0].shape[1]), np.int32)])
    trace = reference.run(program, messages)

    def cut(stream: np.ndarray, phase: int) -> np.ndarray:
        return stream[phase - 1 :][: count * period].reshape(count, period, -1)

    windows = {
        p.name: _Window(
            cut(trace.membrane[p.name], p.phase),
            cut(trace.messages.get(p.name, trace.spikes[p.name]), p.fire_phase(period)),
        )
        for p in program.populations
    }
    return windows, cut(messages, 1)


def _compare(
    engine: Engine,
    run: Run,
    windows: dict[str, _Window],
    messages: np.ndarray,
    part: slice,
    keep: Sequence[int],
) -> None:
    """A run beside the windows of its samples."""
    program = engine.program
    counts = {INPUT: (messages[part] != 0).sum(1)}
    for layer in engine.plan.layers:
        name = layer.population.name
        membrane, sent = windows[name].membrane[part], windows[name].messages[part]
        spikes = sent != 0
        counts[name] = spikes.sum(1)
        _equal(run.spikes[name], spikes.sum((1, 2)), name)
        _equal(run.fired[name], counts[name], name)
        if name in run.membranes:
            _equal(run.membranes[name], membrane[:, list(keep)], name)
        if name in run.messages:
            _equal(run.messages[name], sent, name)
        # in the engine's order within a step
        row, neuron = np.nonzero(spikes.reshape(-1, layer.order.size)[:, layer.order])
        step, fired = map(np.concatenate, zip(*run.rasters[name], strict=True))
        _equal(step, row % program.period, name)
        _equal(fired, layer.order[neuron], name)
    for connection, operations in zip(program.connections, run.operations, strict=True):
        fan_out = connection.synapses.fan_out(program.shape_of(connection.source))
        _equal(operations, counts[connection.source] @ fan_out, connection.name)


def _equal(found: object, expected: object, place: str) -> None:
    np.testing.assert_equal(found, expected, place)


def compare_simulate(program: Program, x: np.ndarray, threads: int = 1) -> reference.Trace:
    """`neurodeploy.simulate`, closed forms included, beside the reference's stream of the samples.

    Outputs, spikes and synaptic operations of each sample, and overflows, each in the windows of
    the samples (docs/semantics.md, sections 6 and 7). Any valid program. Returns the reference's
    trace.

    Parameters
    ----------
    x
        Samples (n, *sample shape), as for `neurodeploy.simulate`.
    """
    result = neurodeploy.simulate(program, x, threads=threads)
    count, period = len(x), program.period
    level = encoding.levels(
        program.encoder, encoding.check_samples(x, program.encoder.sample_shape)
    )
    sent = [encoding.encode(program.encoder, row, period, k) for k, row in enumerate(level)]
    fires = {p.name: p.fire_phase(period) for p in program.populations}
    drain = np.zeros((max(fires.values()), program.inputs), np.int32)
    messages = np.concatenate([*sent, drain])
    trace = reference.run(program, messages)
    outputs = Task.of(program).shaped(_decoded(program, trace, count))
    _equal(result.outputs, outputs, "outputs")
    counts = {INPUT: _a_sample(messages != 0, 1, count, period)}
    counts |= {name: _a_sample(trace.spikes[name], at, count, period) for name, at in fires.items()}
    operations: dict[str, np.ndarray] = {}
    for c in program.connections:
        done = counts[c.source] @ c.synapses.fan_out(program.shape_of(c.source))
        operations[c.name] = operations.get(c.name, 0) + done
    _equal(result.synaptic_operations, operations, "operations")
    _equal(result.spikes, {name: counts[name].sum(1) for name in fires}, "spikes")
    for part in ("wrapped", "clipped"):
        overflows = {
            p.name: getattr(trace, part)[p.name]
            and _between(program, messages, part, p.name, p.phase - 1, count * period)
            for p in program.populations
        }
        _equal(getattr(result, part), overflows, part)
    return trace


def _decoded(program: Program, trace: reference.Trace, count: int) -> np.ndarray:
    """The outputs of docs/semantics.md, section 7, window by window."""
    decoder, period = program.population(program.decoder.population), program.period
    name = decoder.name
    silent = np.zeros((1, decoder.size), np.int32)
    # step t is row t; before the first step every membrane is 0
    membrane = np.concatenate([silent, trace.membrane[name]])
    sent = np.concatenate([silent, trace.messages.get(name, trace.spikes[name].astype(np.int32))])
    reads, fires = decoder.phase, decoder.fire_phase(period)
    integers = [
        program.decoder.integers(
            membrane[reads + k * period :][None, :period],
            sent[fires + k * period :][None, :period],
            period,
        )
        for k in range(count)
    ]
    outputs = (np.concatenate(integers) * program.decoder.unit).astype(np.float32)
    return outputs.reshape(count, *program.output_shape)


def _a_sample(fired: np.ndarray, phase: int, count: int, period: int) -> np.ndarray:
    """Spikes of each neuron in each window (samples, neurons); a step before the first has none."""
    silent = np.zeros((1, fired.shape[1]), bool)
    rows = np.concatenate([silent, fired])[phase:][: count * period]
    return rows.reshape(count, period, -1).sum(1)


def _between(
    program: Program, messages: np.ndarray, part: str, name: str, first: int, steps: int
) -> int:
    """The reference's overflows in some steps: those up to their end, less those before."""

    def until(row: int) -> int:
        return int(getattr(reference.run(program, messages[: max(0, row)]), part)[name])

    return until(first + steps) - until(first)
