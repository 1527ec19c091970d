"""Streams of frames: reference = engine, whole, in portions, from any refresh on."""

from __future__ import annotations

import numpy as np
import pytest

import neurodeploy as nd
from neurodeploy.cost.firing import firing
from neurodeploy.errors import ProgramError
from neurodeploy.lava.deploy import stream
from neurodeploy.simulator import reference
from neurodeploy.simulator.engine import Engine
from neurodeploy.simulator.preparing import check_by_sample
from neurodeploy.simulator.streaming import run_frames, run_windows
from neurodeploy.testing.parted_programs import parted
from neurodeploy.testing.stream_programs import random_stream

SEEDS = range(25)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_engine_is_the_reference(seed):
    program, x = random_stream(np.random.default_rng(seed))
    messages = stream(program, x)
    expected, found = reference.run(program, messages), Engine(program).run_stream(messages)
    for p in program.populations:
        np.testing.assert_array_equal(found.messages[p.name], expected.messages[p.name], p.name)
        np.testing.assert_array_equal(found.membrane[p.name], expected.membrane[p.name], p.name)
    assert found.clipped == expected.clipped == dict.fromkeys(expected.clipped, 0)


@pytest.mark.parametrize("seed", SEEDS)
def test_portions_are_the_whole(seed):
    """Frames a few at a time, with what those before left, and from a later refresh on."""
    rng = np.random.default_rng(seed)
    program, x = random_stream(rng, frames=17)
    engine = Engine(program)
    whole = run_windows(engine, x, range(len(x)))
    begin = 2 * program.refresh if program.refresh else 0
    for first, size in ((0, 1), (0, 5), (begin, 4)):
        found = run_frames(engine, x, range(first, len(x)), size)
        np.testing.assert_array_equal(found.integers, whole.integers[first:])
        np.testing.assert_equal(
            found.spikes, {name: count[first:] for name, count in whole.spikes.items()}
        )
        np.testing.assert_array_equal(found.operations, np.array(whole.operations)[:, first:])


@pytest.mark.parametrize("seed", range(6))
def test_simulate_does_not_depend_on_threads_or_memory(seed):
    program, x = random_stream(np.random.default_rng(seed), frames=40)
    one = nd.simulate(program, x, threads=1)
    for more in ({"threads": 3}, {"threads": 2, "memory": "40MB"}):
        found = nd.simulate(program, x, **more)
        assert found.checksum == one.checksum
        np.testing.assert_equal(found.spikes, one.spikes)
        np.testing.assert_equal(found.synaptic_operations, one.synaptic_operations)


@pytest.mark.parametrize("refresh", [0, 7])
def test_the_messages_of_each_neuron_add_up_to_those_of_the_run(refresh):
    program, x = random_stream(np.random.default_rng(1), refresh=refresh, frames=30)
    counted, ran = firing(program, x), nd.simulate(program, x)
    for name, count in ran.spikes.items():
        assert counted.sent[name].sum() == count.sum(), name
    assert counted.sent["input"].sum() == np.count_nonzero(x)


def test_what_needs_samples_by_themselves_says_so():
    program, _ = random_stream(np.random.default_rng(1), refresh=0)
    with pytest.raises(ProgramError, match="frames of a stream"):
        check_by_sample(program)
    check_by_sample(program.alone)


@pytest.mark.parametrize("seed", range(5))
def test_a_record_has_every_frame_of_the_stream(seed):
    program, x = random_stream(np.random.default_rng(seed), frames=8)
    readout = program.population(program.decoder.population)
    expected = reference.run(program, stream(program, x)).messages[readout.name]
    found = nd.record(program, x).spikes[readout.name]
    np.testing.assert_array_equal(found[:, 0], expected[readout.phase - 1 :][: len(x)])


def test_sums_in_parts_are_the_same_streams():
    """Helpers repeat sums at the step at which they come, so frames may go on over them."""
    compared = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        program, x = random_stream(rng)
        made = parted(rng, program)
        if made is not None:
            assert made.refresh == program.refresh
            np.testing.assert_array_equal(
                nd.simulate(made, x).outputs, nd.simulate(program, x).outputs
            )
            compared += 1
    assert compared > 5
