"""Time to first spike: reference = event by event = ONNX Runtime, in every window."""

from __future__ import annotations

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neurodeploy.program import INPUT
from neurodeploy.program.neurons import Ttfs
from neurodeploy.simulator import encoding, reference
from neurodeploy.simulator.closed_form import EventSweep, is_closed_form
from neurodeploy.simulator.dense_sweep import DenseSweep, can_sweep
from neurodeploy.simulator.engine import Engine
from neurodeploy.simulator.integer_sweep import integer_sweep
from neurodeploy.testing.programs import random_ttfs_program

MANY = settings(
    max_examples=500, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)


def streamed(program, level):
    """Messages of the samples one after the other, and silence until the last window ends."""
    parts = [
        encoding.encode(program.encoder, row, program.period, k) for k, row in enumerate(level)
    ]
    drain = max(p.fire_phase(program.period) for p in program.populations)
    return np.concatenate([*parts, np.zeros((drain, level.shape[1]), np.int32)])


@MANY
@given(st.integers(0, 2**32 - 1))
def test_every_way_is_the_same(seed):
    program, level = random_ttfs_program(np.random.default_rng(seed))
    assert is_closed_form(program)
    assert program.is_aligned
    messages, window = streamed(program, level), program.period
    expected = reference.run(program, messages)
    stream = Engine(program).run_stream(messages)
    for p in program.populations:
        np.testing.assert_array_equal(stream.spikes[p.name], expected.spikes[p.name])
        np.testing.assert_array_equal(stream.membrane[p.name], expected.membrane[p.name])

    ways = [EventSweep(program).run(level)]
    if can_sweep(program):
        ways.append(DenseSweep(program).run(level))
    whole = integer_sweep(program) if seed % 3 == 0 else None  # for time
    if whole is not None:
        ways.append(whole.run(level))
    decoder = program.population(program.decoder.population)
    fired = {INPUT: level != 0}
    for p in program.populations:
        fires = p.phase if isinstance(p.neuron, Ttfs) and not p.neuron.fires else None
        start = fires or p.fire_phase(window)
        raster = expected.spikes[p.name][start - 1 :][: len(level) * window]
        counts = raster.reshape(len(level), window, -1).sum(1)
        assert counts.max(initial=0) <= 1, "more than one spike in a window"
        fired[p.name] = counts > 0
    last = np.arange(1, len(level) + 1) * window + decoder.phase - 2
    for way in ways:
        np.testing.assert_array_equal(way.membrane, expected.membrane[decoder.name][last])
        for p in program.populations:
            np.testing.assert_array_equal(way.spikes[p.name], fired[p.name].sum(1))
        for c, done in zip(program.connections, way.operations, strict=True):
            fan_out = c.synapses.fan_out(program.shape_of(c.source))
            np.testing.assert_array_equal(done, fired[c.source] @ fan_out)


def test_both_ways_are_taken():
    """Programs that ONNX Runtime can express and programs that it cannot are among them."""
    programs = [random_ttfs_program(np.random.default_rng(s))[0] for s in range(100)]
    able = [can_sweep(program) for program in programs]
    assert 10 < sum(able) < 95
    assert sum(integer_sweep(program) is not None for program in programs[:40]) > 8
