"""Reference = engine, on random programs: every spike, membrane and overflow count.

Whichever way a connection is computed, however time and samples are cut.
"""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from itertools import combinations
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neurodeploy.program import INPUT, Ttfs
from neurodeploy.simulator import encoding, reference
from neurodeploy.simulator.engine import Engine
from neurodeploy.simulator.simulation import simulate
from neurodeploy.testing import programs
from neurodeploy.testing.comparing import (
    WAYS,
    compare_samples,
    compare_stream,
    computed,
    engine_of,
)
from neurodeploy.testing.kernel_paths import watched
from neurodeploy.testing.programs import random_program

SEEDS = st.integers(0, 2**32 - 1)
MANY = settings(
    max_examples=500, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
SOME = settings(MANY, max_examples=100)


def levels(rng, program, count):
    """Integers of some samples, anything that the encoder takes."""
    low, high = program.encoder.low, program.encoder.high
    return rng.integers(low, high + 1, (count, *program.encoder.shape)).astype(np.int32)


@MANY
@given(SEEDS)
def test_stream(seed):
    compare_stream(*random_program(np.random.default_rng(seed), wide=seed % 2 == 0))


@SOME
@given(SEEDS)
def test_samples_and_portions(seed):
    """Samples at once or one by one, whole or in portions of time; all that a run tells."""
    rng = np.random.default_rng(seed)
    program, _ = random_program(rng, aligned=True, timed=False, wide=seed % 2 == 0)
    level = levels(rng, program, int(rng.integers(1, 5))).reshape(
        -1, np.prod(program.encoder.shape)
    )
    portion = int(rng.integers(1, program.period + 1))
    compare_samples(program, level, int(rng.integers(100)), portion)


def test_samples_in_portions_run_one_by_one():
    rng = np.random.default_rng(2)
    program, _ = random_program(rng, aligned=True, timed=False)
    assert program.period > 1
    level = levels(rng, program, 2).reshape(2, -1)
    with pytest.raises(ValueError, match="one by one"):
        Engine(program, 1).run_samples(level)


def test_the_programs_are_worth_comparing():
    """Spikes, wraps, clips, leaks, every synapse kind and reset mode occur among them."""
    seen = {"spikes": 0, "wrapped": 0, "clipped": 0, "leaks": 0, "aligned": 0}
    kinds = set()
    for seed in range(120):
        program, messages = random_program(np.random.default_rng(seed))
        trace = reference.run(program, messages)
        seen["spikes"] += sum(int(s.sum()) for s in trace.spikes.values())
        seen["wrapped"] += sum(trace.wrapped.values())
        seen["clipped"] += sum(trace.clipped.values())
        seen["leaks"] += sum(getattr(p.neuron, "dv", 0) > 0 for p in program.populations)
        seen["aligned"] += program.is_aligned
        kinds |= {c.synapses.kind for c in program.connections}
        kinds |= {getattr(p.neuron, "reset", p.neuron.kind) for p in program.populations}
    assert all(count > 10 for count in seen.values()), seen
    neurons = {"zero", "subtract", "none", "ttfs", "earliest", "radix", "mask_maximum", "online"}
    neurons |= {"levels"}
    neurons |= {"integrate_fire", "count_maximum", "two_compartments"}
    assert kinds == {"dense", "convolution", "sparse"} | neurons


#: What the kernels are called for, and on what (see `watched`).
PATHS = {
    *(f"gather lanes {n}" for n in (16, 32, 64, 128, 256)),
    *(f"gather tile {n}" for n in range(1, 17)),
    *("gather16", "gather32", "gather several panels", "gather added", "gather in place"),
    *("gather last panel in part", "gather last tile in part", "gather before the first event"),
    *("gather two rows", "gather last two rows in part"),
    *("gather one position", "gather one row", "gather padded", "gather strided"),
    *("gather rows dilated", "gather strided and dilated"),
    *(f"stamp lanes {n}" for n in (16, 32, 48, 96, 192)),
    *("stamp16", "stamp32", "stamp added", "stamp in place", "stamp before the first event"),
    *("stamp several pieces", "stamp one run", "stamp several kinds"),
    *("stamp fewer runs at an edge", "stamp a silent step"),
    *("put16", "put32", "put added", "put in place", "spread_patches"),
    *("lay_out", "lay_out before the first event"),
    *("lay_out_bits", "lay_out_bits before the first event"),
    *("pool_events 2x2", "pool_events 3x3", "pool_events 2x3", "pool_events 1x3"),
    *("add_diagonal16", "add_diagonal32", "add_diagonal before the first event"),
    *("collect by position", "collect located", "count_by_position", "count_fan_out"),
    *(f"step_plain {reset}" for reset in ("zero", "subtract", "none")),
    *(f"step_lif {reset}" for reset in ("zero", "subtract", "none")),
    *("step_plain checked", "step_plain unchecked", "step_plain16", "step_plain32"),
    *("step_plain last word in part", "step_plain whole words"),
    *(f"{kernel}{bits}" for kernel in ("step_lif", "step_ttfs") for bits in (16, 32, 64)),
    *("step_earliest16", "step_earliest32"),
    *(f"step_{kind}{bits}" for kind in ("radix", "mask_maximum", "online") for bits in (16, 32)),
    *("step_levels32", *(f"step_levels_plain{bits}" for bits in (16, 32))),
    *(f"step_levels_plain {what}" for what in ("checked", "unchecked", "leaky", "without leak")),
    *(f"step_count_maximum{bits}" for bits in (16, 32)),
    *("step_integrate_fire64", *(f"step_integrate_fire_plain{bits}" for bits in (16, 32))),
    *(f"step_integrate_fire_plain {what}" for what in ("signed", "unsigned", "readout")),
    *(f"step_integrate_fire_plain {what}" for what in ("checked", "unchecked")),
    *(f"{kernel} before the first event" for kernel in ("lay_out_integers", "lay_out_rows")),
    *(f"{kernel} from a zero point" for kernel in ("lay_out_integers", "lay_out_rows")),
    *(f"{kernel} from 0" for kernel in ("lay_out_integers", "lay_out_rows")),
    *("turn_units negated", "spread_units negated", "spread_units as they are"),
    *("add_diagonal_integers16", "add_diagonal_integers before the first event"),
    *(f"step_two_compartments_plain{bits}" for bits in (16, 32)),
    "step_two_compartments32",
    *(f"scatter_{kind} graded {bits}" for kind in ("rows", "sparse") for bits in (16, 32, 64)),
    *(f"scatter_grouped {sent} {bits}" for sent in ("graded", "binary") for bits in (16, 32)),
    *(f"scatter_sparse binary {bits}" for bits in (16, 32, 64)),
    *(f"scatter_single {sent} {bits}" for sent in ("graded", "binary") for bits in (16, 32)),
    *(f"scatter_{kind} before the first event" for kind in ("rows", "grouped", "sparse", "single")),
    "scatter_rows binary 64",  # what is not graded is gathered, but in 64 bit
}


def test_every_path_is_taken():
    """Each kernel, on all that makes it work differently, several times among a few programs."""
    with (
        watched() as seen,
        mock.patch.object(programs, "volume", wraps=programs.volume) as volume,
    ):
        for seed in range(500):
            rng = np.random.default_rng(seed)
            program, messages = random_program(rng, wide=seed % 2 == 0)
            for way in WAYS:
                with computed(way):
                    engine_of(program, way).run_stream(messages)
            if seed % 10 == 0:  # rare among so many kinds
                program, messages = random_program(rng, wide=True, among=(Ttfs,))
                Engine(program).run_stream(messages)
            if seed % 4 == 0:
                program, _ = random_program(rng, aligned=True, timed=False)
                level = levels(rng, program, 2).reshape(2, -1)
                engine_of(program, "gather").run_samples(level)
    laid = ("lay_out", "lay_out_bits", "lay_out_integers", "lay_out_rows")
    seen["flat product"] = sum(seen[kernel] for kernel in laid) - seen["spread_patches"]
    rare = {path: seen[path] for path in sorted({*PATHS, "flat product"}) if seen[path] < 2}
    assert not rare
    assert volume.call_count > 10


def _way(arrival):
    if arrival.diagonal is not None:
        return "diagonal"
    return "gather" if arrival.can_gather else arrival.scatter.kernel.__name__


def test_the_same_population_is_reached_in_many_ways():
    """Several connections into one, of different exponents and kinds of computation."""
    kinds: Counter[str] = Counter()
    for seed in range(400):
        program, _ = random_program(np.random.default_rng(seed), wide=seed % 2 == 0)
        for layer in Engine(program).plan.layers:
            ways = {_way(arrival) for arrival in layer.arrivals}
            exponents = {a.connection.exponent for a in layer.arrivals}
            kinds["exponents differ"] += len(exponents) > 1
            kinds.update("+".join(pair) for pair in combinations(sorted(ways), 2))
            kinds["gather twice"] += sum(a.can_gather for a in layer.arrivals) > 1
    wanted = ("exponents differ", "diagonal+gather", "gather twice", "gather+scatter_sparse")
    assert all(kinds[name] > 3 for name in wanted), kinds


@SOME
@given(SEEDS, st.integers(1, 4))
def test_samples_of_aligned_programs(seed, count):
    """Samples run one by one, on threads, equal the same samples streamed without a drain."""
    program, _ = random_program(np.random.default_rng(seed), aligned=True, timed=False)
    assert program.is_aligned
    rng = np.random.default_rng(seed)
    x = (levels(rng, program, count) * program.encoder.unit).astype(np.float32)
    result, _ = simulate(program, x, threads=2)

    level = encoding.levels(program.encoder, x)
    period = program.period
    last = max(p.phase for p in program.populations)
    messages = np.zeros((count * period + last, level.shape[1]), np.int32)
    for k in range(count):
        part = encoding.encode(program.encoder, level[k], period, k)
        messages[k * period : (k + 1) * period] = part
    trace = reference.run(program, messages)

    counts = {INPUT: messages[: count * period]}
    for p in program.populations:
        window = trace.spikes[p.name][p.phase - 1 :][: count * period]
        counts[p.name] = window
        per_sample = window.reshape(count, period, -1).sum((1, 2))
        np.testing.assert_array_equal(result.spikes[p.name], per_sample)
    decoder = program.population(program.decoder.population)
    rows = np.arange(1, count + 1) * period + decoder.phase - 2
    expected = (trace.membrane[decoder.name][rows] * program.decoder.unit).astype(np.float32)
    np.testing.assert_array_equal(result.outputs.reshape(count, -1), expected)
    for c in program.connections:
        if sum(other.name == c.name for other in program.connections) > 1:
            continue
        sent = (counts[c.source] != 0).reshape(count, period, -1).sum(1)
        operations = sent @ c.synapses.fan_out(program.shape_of(c.source))
        np.testing.assert_array_equal(result.synaptic_operations[c.name], operations)


@pytest.mark.parametrize(
    ("way", "programs"), [("pure Python", 12), ("early AVX-512", 50), ("without AVX-512", 100)]
)
def test_other_ways_of_running(way, programs):
    """Kernels as Python runs them, which checks every index, and on processors with less.

    A few programs; the tool compares more and reports the lines that they visit.
    """
    tool = Path(__file__).resolve().parents[2] / "tools" / "kernel_coverage.py"
    command = [sys.executable, str(tool), "--way", way, "--programs", str(programs)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "equal" in done.stdout
