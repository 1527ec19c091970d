"""`sigma_delta`: what Lava's formulas say, what adds up, and programs that go on over samples."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import neurodeploy as nd
from neurodeploy.errors import ProgramError
from neurodeploy.lava.deploy import stream
from neurodeploy.program import (
    Connection,
    Decoder,
    Dense,
    Encoder,
    Lif,
    Population,
    Program,
    SigmaDelta,
)
from neurodeploy.simulator import reference
from neurodeploy.testing.stream_programs import random_stream

SETTINGS = settings(max_examples=50, deadline=None, derandomize=True)
SEEDS = st.integers(0, 2**32 - 1)


def outputs(program: Program, x: np.ndarray) -> np.ndarray:
    """By the reference."""
    readout = program.population(program.decoder.population)
    rows = reference.run(program, stream(program, x)).messages[readout.name]
    return rows[readout.phase - 1 :][: len(x)]


@SETTINGS
@given(SEEDS)
def test_it_is_what_lava_documents(seed):
    """`lava.proc.sdn.process.SigmaDelta`, its dynamics written out."""
    rng = np.random.default_rng(seed)
    bias, threshold = rng.integers(-90, 90, 6).astype(np.int32), int(rng.integers(1, 50))
    neuron = SigmaDelta(bias, threshold)
    state = neuron.start(6)
    sigma = act = residue = np.zeros(6, np.int64)
    for t in range(30):
        a = rng.integers(-40, 40, 6)
        sigma = a + sigma
        new = np.maximum(sigma + bias, 0)
        delta = new - act + residue
        sent = np.where(np.abs(delta) >= threshold, delta, 0)
        residue, act = delta - sent, new
        np.testing.assert_array_equal(neuron.step(state, a, t, 100).messages, sent)


@SETTINGS
@given(SEEDS)
def test_what_was_sent_adds_up_to_the_activation_but_for_the_threshold(seed):
    rng = np.random.default_rng(seed)
    neuron = SigmaDelta(np.zeros(5, np.int32), int(rng.integers(1, 90)), int(rng.integers(0, 4)))
    state, said = neuron.start(5), np.zeros(5, np.int64)
    for t in range(60):
        sent = neuron.step(state, rng.integers(-100, 100, 5), t, 1000).messages
        assert np.abs(sent).max() <= neuron.sends[1]
        said = said + sent
        assert (np.abs(said - np.maximum(state["v"], 0)) < neuron.threshold).all()


@SETTINGS
@given(SEEDS)
def test_without_thresholds_and_shifts_nothing_is_lost(seed):
    """Every frame of the stream has the outputs that it has alone, whatever was before."""
    program, x = random_stream(np.random.default_rng(seed), shifts=False, threshold=1)
    np.testing.assert_array_equal(outputs(program, x), outputs(program.alone, x))


@SETTINGS
@given(SEEDS)
def test_a_frame_at_which_all_begins_anew_is_a_frame_alone(seed):
    program, x = random_stream(np.random.default_rng(seed))
    alone = outputs(program.alone, x)
    for refresh in (0, 1, 3):
        found = outputs(replace(program, refresh=refresh), x)
        begun = slice(None, None, refresh) if refresh else slice(1)
        np.testing.assert_array_equal(found[begun], alone[begun])


def test_still_frames_send_nothing():
    program, x = random_stream(np.random.default_rng(5), refresh=0)
    result = nd.simulate(program, np.repeat(x[:1], 9, 0))
    sums = {"input", *(p.name for p in program.populations if p.neuron.process == "sigma")}
    for name, count in result.spikes.items():
        assert name in sums or not count[1:].any(), name


def lif_program(**more) -> Program:
    return Program(
        (Population("a", (2,), Lif(np.zeros(2, np.int16), 9), 2),),
        (Connection("input", "a", Dense(np.ones((2, 3), np.int8))),),
        Encoder((3,), "current", 1.0, 0, 255),
        Decoder("a", 1.0),
        4,
        **more,
    )


@pytest.mark.parametrize("refresh", [0, 2, 100])
def test_other_neurons_begin_anew_at_every_sample(refresh):
    with pytest.raises(ProgramError, match="begin anew at every sample"):
        lif_program(refresh=refresh)


@pytest.mark.parametrize("refresh", [-1, 1.0, 2**31, True, None])
def test_refresh_is_a_number_of_samples(refresh):
    with pytest.raises(ProgramError, match="number of samples"):
        lif_program(refresh=refresh)


def test_a_program_is_saved_with_its_refresh(tmp_path):
    program, x = random_stream(np.random.default_rng(3), refresh=5)
    program.save(tmp_path / "p.ndp")
    again = nd.load(tmp_path / "p.ndp")
    assert again.refresh == 5
    assert again.to_dict()["refresh"] == 5
    assert not again.is_aligned
    assert again.windows_meet
    assert again.alone.is_aligned
    np.testing.assert_array_equal(nd.simulate(again, x).outputs, nd.simulate(program, x).outputs)


def test_what_is_cut_is_counted():
    program, x = random_stream(np.random.default_rng(2), refresh=0, frames=12)
    (first, *rest) = program.populations[1:]
    narrow = replace(first, neuron=replace(first.neuron, bits=2))
    program = replace(program, populations=(program.populations[0], narrow, *rest))
    trace = reference.run(program, stream(program, x))
    result = nd.simulate(program, x, warn=str)
    # the reference runs on until the last frame has left
    assert trace.clipped[first.name] >= result.clipped[first.name] > 0
