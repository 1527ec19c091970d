"""A recording against the reference, spike for spike and membrane for membrane."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neurodeploy.errors import ProgramError
from neurodeploy.program import INPUT, Earliest
from neurodeploy.simulator import encoding, reference
from neurodeploy.simulator.recording import record
from neurodeploy.testing.programs import random_program, random_ttfs_program

MANY = settings(
    max_examples=100, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)


def agree(program, level):
    """The first window of every population, on the sample and silence behind it."""
    period = program.period
    messages = encoding.encode(program.encoder, level, period, 0)
    last = max(p.fire_phase(period) for p in program.populations) + period
    silence = np.zeros((last - 1, level.size), np.int32)
    expected = reference.run(program, np.concatenate([messages, silence]))
    names = [p.name for p in program.populations]
    found = record(program, level, 0, watch=names)
    if program.encoder.encoding != "current":
        step, neuron = found.spikes[INPUT]
        raster = np.zeros(messages.shape, bool)
        raster[step - 1, neuron] = True
        np.testing.assert_array_equal(raster, messages != 0)
    for p in program.populations:
        begin = p.fire_phase(period) - 1
        step, neuron = found.spikes[p.name]
        assert np.all(np.diff(step) >= 0)
        raster = np.zeros((period, p.size), bool)
        raster[step - 1 - begin, neuron] = True
        assert raster.sum() == step.size
        window = slice(begin, begin + period)
        np.testing.assert_array_equal(raster, expected.spikes[p.name][window])
        if not isinstance(p.neuron, Earliest):
            window = slice(p.phase - 1, p.phase - 1 + period)
            np.testing.assert_array_equal(found.membrane[p.name], expected.membrane[p.name][window])


@MANY
@given(st.integers(0, 2**32 - 1))
def test_time_to_first_spike(seed):
    program, level = random_ttfs_program(np.random.default_rng(seed))
    agree(program, level[0])


@MANY
@given(st.integers(0, 2**32 - 1))
def test_rate(seed):
    rng = np.random.default_rng(seed)
    program, _ = random_program(rng, aligned=True, timed=False)
    encoder = program.encoder
    size = int(np.prod(encoder.shape))
    agree(program, rng.integers(encoder.low, encoder.high + 1, size).astype(np.int32))


def test_phases_that_mix_samples():
    rng = np.random.default_rng(0)
    while True:
        program, messages = random_program(rng, aligned=False, timed=False)
        if not program.is_aligned:
            break
    with pytest.raises(ProgramError, match="mix"):
        record(program, messages[0])
