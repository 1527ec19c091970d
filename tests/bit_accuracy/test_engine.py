"""Reference = engine, on random programs: every spike, membrane and overflow count."""

from __future__ import annotations

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neurodeploy.program import INPUT
from neurodeploy.simulator import encoding, reference
from neurodeploy.simulator.engine import Engine
from neurodeploy.simulator.simulation import simulate
from neurodeploy.testing.programs import random_program

SEEDS = st.integers(0, 2**32 - 1)
MANY = settings(
    max_examples=500, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
SOME = settings(MANY, max_examples=100)


@MANY
@given(SEEDS)
def test_stream(seed):
    program, messages = random_program(np.random.default_rng(seed))
    expected = reference.run(program, messages)
    found = Engine(program).run_stream(messages)
    for p in program.populations:
        np.testing.assert_array_equal(found.spikes[p.name], expected.spikes[p.name])
        np.testing.assert_array_equal(found.membrane[p.name], expected.membrane[p.name])
    assert found.wrapped == expected.wrapped
    assert found.clipped == expected.clipped


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
    neurons = {"zero", "subtract", "none", "ttfs", "earliest"}
    assert kinds == {"dense", "convolution", "sparse"} | neurons


@SOME
@given(SEEDS, st.integers(1, 4))
def test_samples_of_aligned_programs(seed, count):
    """Samples run one by one, on threads, equal the same samples streamed without a drain."""
    program, _ = random_program(np.random.default_rng(seed), aligned=True, timed=False)
    assert program.is_aligned
    rng = np.random.default_rng(seed)
    unit, low, high = program.encoder.unit, program.encoder.low, program.encoder.high
    level = rng.integers(low, high + 1, (count, *program.encoder.shape))
    result, _ = simulate(program, (level * unit).astype(np.float32), threads=2)

    levels = encoding.levels(program.encoder, (level * unit).astype(np.float32))
    period = program.period
    last = max(p.phase for p in program.populations)
    messages = np.zeros((count * period + last, levels.shape[1]), np.int32)
    for k in range(count):
        part = encoding.encode(program.encoder, levels[k], period, k)
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
