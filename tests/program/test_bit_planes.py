"""Inputs on several lines: their highest bits, and the rest."""

from __future__ import annotations

import json

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

import neurodeploy as nd
from neurodeploy.errors import ProgramError
from neurodeploy.program import (
    Connection,
    Decoder,
    Dense,
    Encoder,
    IntegrateFire,
    Population,
    TwoCompartments,
)
from neurodeploy.program.bit_planes import split_levels
from neurodeploy.program.codec import PROBABILITY_ONE
from neurodeploy.program.manifest_writing import program_to
from neurodeploy.simulator.encoding import encode, levels

SETTINGS = settings(max_examples=60, deadline=None)


def encoder_of(shape=(2, 3), planes=2, **more):
    more = {"encoding": "deterministic", "low": 0, "high": PROBABILITY_ONE} | more
    lines = (shape[0] * (planes + 1), *shape[1:])
    return Encoder(lines, unit=2.0**-16, bit_planes=planes, **more)


@SETTINGS
@given(st.integers(0, 2**32 - 1), st.integers(0, 8), st.integers(1, 3))
def test_lines_add_up_to_the_value(seed, planes, channels):
    rng = np.random.default_rng(seed)
    encoder = encoder_of((channels, 2), planes, offset=-0.25)
    x = rng.random((4, channels, 2)) * 1.4 - 0.4
    level = levels(encoder, x)
    assert level.shape == (4, channels * (planes + 1) * 2)
    assert level.dtype == np.int32
    by_line = level.reshape(4, channels, planes + 1, 2)
    assert np.isin(by_line[:, :, :planes], (0, PROBABILITY_ONE)).all()
    assert by_line.min() >= 0
    assert by_line.max() <= PROBABILITY_ONE
    real = (level * encoder.units + encoder.offsets).reshape(by_line.shape).sum(2)
    np.testing.assert_allclose(real, np.clip(x, -0.25, 0.75), atol=2**-16)


@SETTINGS
@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.sampled_from([8, 16, 32, 33]))
def test_a_window_says_as_many_levels_more(seed, planes, steps):
    """Spikes of a window, each worth its line's share, are the value to the finest spike."""
    rng = np.random.default_rng(seed)
    encoder = encoder_of((1, 5), planes)
    level = levels(encoder, rng.random((1, 1, 5)))[0]
    sent = encode(encoder, level, steps, 0)
    share = encoder.units.reshape(planes + 1, 5) * PROBABILITY_ONE / steps
    said = (sent.sum(0).reshape(planes + 1, 5) * share).sum(0)
    whole = (level * encoder.units).reshape(planes + 1, 5).sum(0)
    np.testing.assert_array_less(np.abs(said - whole), 0.5001 / (steps << planes))
    # at every step, not only at the last, it is nearer by as much
    total = (sent.cumsum(0).reshape(steps, planes + 1, 5) * share).sum(1)
    straight = whole * np.arange(1, steps + 1)[:, None] / steps
    np.testing.assert_array_less(np.abs(total - straight), 0.5001 / (steps << planes))


def test_reals_beyond_the_range_stay_on_the_last_line():
    level = np.array([[-0.5, 1.5]]) * PROBABILITY_ONE
    lines = split_levels(level, 1, 1).reshape(2, 2)
    assert lines[0].tolist() == [0, PROBABILITY_ONE]
    assert lines[1].tolist() == [-PROBABILITY_ONE, 2 * PROBABILITY_ONE]


@pytest.mark.parametrize(
    "wrong",
    [
        {"planes": -1},
        {"planes": 16},
        {"planes": 2, "low": -1},
        {"planes": 2, "encoding": "current"},
        {"planes": 2, "sample_shape": (6, 3)},
    ],
)
def test_what_has_no_bit_planes_is_refused(wrong):
    with pytest.raises(ProgramError):
        encoder_of(**wrong)


def test_lines_that_no_channel_fills_are_refused():
    with pytest.raises(ProgramError, match="bit planes"):
        Encoder((4, 2), "deterministic", 1.0, 0, 1, bit_planes=2)


def test_a_program_keeps_them(tmp_path):
    encoder = encoder_of((2, 3), 3, channel_units=(1.0, 0.5), offset=-1.0)
    one = np.ones(2, np.int32)
    weights = np.arange(-24, 24, dtype=np.int8).reshape(2, 24)
    program = nd.Program(
        (Population("output", (2,), IntegrateFire(0 * one, 9 * one, 0 * one), 2),),
        (Connection("input", "output", Dense(weights)),),
        encoder,
        Decoder("output", 1.0),
        4,
        "rate",
    )
    program.save(tmp_path / "a.ndp")
    again = nd.load(tmp_path / "a.ndp")
    assert again.encoder == encoder
    assert again.encoder.sample_shape == (2, 3)
    x = np.random.default_rng(0).random((5, 2, 3)).astype(np.float32)
    np.testing.assert_array_equal(nd.simulate(again, x).outputs, nd.simulate(program, x).outputs)


@pytest.mark.parametrize("later", [False, True])
def test_files_hold_what_came_later_only_where_it_is_used(later):
    """So that programs of before are read, and written as they were."""
    zeros = np.zeros(2, np.int16)
    neuron = TwoCompartments(zeros, 9, v_initial=5 if later else 0)
    program = nd.Program(
        (Population("output", (2,), neuron, 2),),
        (Connection("input", "output", Dense(np.ones((2, 12 if later else 6), np.int8))),),
        encoder_of((2, 3), int(later)),
        Decoder("output", 1.0),
        4,
        "rate",
    )
    written, _ = program_to(program)
    assert ("bit_planes" in written["encoder"]) == later
    assert ("v_initial" in json.dumps(written["populations"])) == later
