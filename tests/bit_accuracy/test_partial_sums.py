"""Sums in parts: whatever is divided computes what the whole does, a step later."""

from __future__ import annotations

import importlib.util
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import neurodeploy as nd
from neurodeploy.lava.run import run
from neurodeploy.program.bounds import bounds
from neurodeploy.program.manifest_reading import program_from
from neurodeploy.program.manifest_writing import program_to
from neurodeploy.program.partial_sums import helped, joined
from neurodeploy.simulator import reference
from neurodeploy.testing.codecs import messages_of
from neurodeploy.testing.coded_programs import random_coded_program
from neurodeploy.testing.comparing import compare_stream
from neurodeploy.testing.parted_programs import parted
from neurodeploy.testing.programs import random_program, random_ttfs_program

SEEDS = st.integers(0, 2**32 - 1)
MANY = settings(
    max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)


def any_program(rng, seed):
    """A program and the levels of some samples, of any kind or of a window code."""
    kind = seed % 4
    if kind == 0:
        program, messages = random_program(rng, aligned=True, max_depth=3, timed=False)
        assume(program.encoder.sample_shape == program.encoder.shape)
        return program, messages[: 1 + len(messages) // program.period]
    if kind == 1:
        return random_ttfs_program(rng)
    return random_coded_program(rng, ("radix", "graded")[kind % 2])


def made(seed):
    rng = np.random.default_rng(seed)
    program, level = any_program(rng, seed)
    found = parted(rng, program)
    assume(found is not None)
    return program, found, level


def stream(program, level):
    drain = max(p.fire_phase(program.period) for p in program.populations)
    return messages_of(program.encoder, level, program.period, drain)


@MANY
@given(seed=SEEDS)
def test_the_same_a_step_later(seed):
    whole, program, level = made(seed)
    assert program.is_aligned
    messages = stream(program, level)
    there, here = reference.run(whole, messages), reference.run(program, messages)
    for p in whole.populations:
        later = program.population(p.name).phase - p.phase
        windows = slice(p.phase - 1, p.phase - 1 + len(level) * program.period)
        shifted = slice(windows.start + later, windows.stop + later)
        np.testing.assert_array_equal(
            here.membrane[p.name][shifted], there.membrane[p.name][windows]
        )
        fires = whole.population(p.name).fire_phase(whole.period) - 1
        sent = slice(fires, fires + len(level) * program.period)
        after = slice(sent.start + later, sent.stop + later)
        np.testing.assert_array_equal(here.spikes[p.name][after], there.spikes[p.name][sent])


@MANY
@given(seed=SEEDS)
def test_engine_and_reference(seed):
    _, program, level = made(seed)
    compare_stream(program, stream(program, level), ways=("any",))


@pytest.mark.filterwarnings("ignore")
@MANY
@given(seed=SEEDS)
def test_simulate(seed):
    """Outputs and messages, in closed form and stepped."""
    whole, program, level = made(seed)
    assume(level.ndim == 2)
    x = level.reshape(-1, *program.encoder.shape).astype(np.float32)
    found, known = nd.simulate(program, x), nd.simulate(whole, x)
    np.testing.assert_array_equal(found.outputs, known.outputs)
    for name, counted in known.spikes.items():
        np.testing.assert_array_equal(found.spikes[name], counted)
    stepped = replace(program)
    stepped.__dict__["_joined"] = stepped
    stepped.__dict__["_obstacle"] = [("prescribed", "")]
    other = nd.simulate(stepped, x)
    np.testing.assert_equal(found.outputs, other.outputs)
    np.testing.assert_equal(found.spikes, other.spikes)
    np.testing.assert_equal(found.synaptic_operations, other.synaptic_operations)


@MANY
@given(seed=SEEDS)
def test_put_together_again(seed):
    """By structure alone, so behind a file as well; and bounds are those of the whole."""
    whole, program, _ = made(seed)
    manifest, tensors = program_to(program)
    again = joined(program_from(manifest, tensors))
    assert [p.name for p in again.populations] == [p.name for p in whole.populations]
    assert [c.name for c in again.connections] == [c.name for c in whole.connections]
    for name, proof in bounds(whole).items():
        assert bounds(program)[name] == proof
    for way in helped(program):
        assert bounds(program)[way.helpers.name].cannot_clip


@pytest.mark.lava
@pytest.mark.skipif(importlib.util.find_spec("lava") is None, reason="Lava is not installed")
@pytest.mark.parametrize("seed", [1, 2, 3, 4, 5, 6])
def test_on_lava(seed):
    rng = np.random.default_rng(seed)
    program = None
    while program is None:
        program, level = any_program(rng, seed)
        program = parted(rng, program)
    messages = stream(program, level[:3])
    expected = reference.run(program, messages)
    names = [p.name for p in program.populations]
    found = run(program, messages, membranes=names, timeout=60)
    for name in names:
        np.testing.assert_array_equal(found.spikes[name], expected.spikes[name], name)
        np.testing.assert_array_equal(found.membrane[name], expected.membrane[name], name)
    np.testing.assert_equal(found.messages, expected.messages)
