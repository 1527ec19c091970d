"""`graded_relu`: what Lava's processes do, in one step, and what is cut."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurodeploy.program import (
    Connection,
    Decoder,
    Dense,
    Encoder,
    GradedRelu,
    Population,
    Program,
    Sparse,
)
from neurodeploy.program.neurons.graded_relu import bias_parts, is_whole, shifted_sums
from neurodeploy.simulator import reference
from neurodeploy.simulator.closed_form import is_closed_form
from neurodeploy.simulator.encoding import encode, levels
from neurodeploy.simulator.simulation import simulate

SETTINGS = settings(max_examples=60, deadline=None, derandomize=True)
SEEDS = st.integers(0, 2**32 - 1)


@SETTINGS
@given(SEEDS, st.booleans())
def test_a_step_is_the_sum_shifted_towards_minus_infinity(seed, signed):
    rng = np.random.default_rng(seed)
    shift, a = int(rng.integers(0, 12)), rng.integers(-(2**20), 2**20, 7)
    bias = rng.integers(-500, 500, 7).astype(np.int32)
    found = GradedRelu(bias, shift, signed=signed).step({}, a, 0, 1)
    exact = [int(np.floor(int(v) / 2**shift)) + int(b) for v, b in zip(a, bias, strict=True)]
    np.testing.assert_array_equal(found.messages, exact if signed else np.maximum(exact, 0))
    assert found.clipped == 0


@SETTINGS
@given(SEEDS)
def test_the_closed_form_is_the_step(seed):
    rng = np.random.default_rng(seed)
    neuron = GradedRelu(
        rng.integers(-500, 500, 9).astype(np.int32), int(rng.integers(0, 9)),
        int(rng.integers(3, 12)), bool(rng.integers(2)),
    )  # fmt: skip
    a = rng.integers(-(2**16), 2**16, 9)
    form = neuron.closed_form(1)
    np.testing.assert_array_equal(form.send(a + form.bias), neuron.step({}, a, 0, 1).messages)


@SETTINGS
@given(SEEDS)
def test_synapses_of_eight_bits_bring_any_bias(seed):
    rng = np.random.default_rng(seed)
    bias = rng.integers(-(2 ** int(rng.integers(1, 24))) + 1, 2**6, 5)
    parts = bias_parts(bias)
    assert all(np.abs(weights).max() <= 127 for weights, _ in parts)
    np.testing.assert_array_equal(sum(weights << exponent for weights, exponent in parts), bias)


def test_whole_connections_stay_whole_behind_the_shift():
    weights = Dense(np.array([[4, -8], [12, 0]], np.int8))
    assert is_whole(Connection("a", "b", weights, exponent=3), 5)
    assert not is_whole(Connection("a", "b", weights, exponent=3), 6)


def test_synapses_that_occur_twice_are_shifted_by_themselves():
    """Lava has them in processes of their own, so such neurons are no stock."""
    once = Sparse(np.array([3, 5], np.int8), np.array([0, 1], np.int32), np.array([0, 2]), 2)
    twice = Sparse(np.array([3, 5], np.int8), np.array([1, 1], np.int32), np.array([0, 2]), 2)
    assert shifted_sums([Connection("a", "b", once)], 2) == 1
    assert shifted_sums([Connection("a", "b", twice)], 2) == 2
    assert shifted_sums([Connection("a", "b", twice, exponent=2)], 2) == 0


def two_layers(bits: int) -> Program:
    """A hidden layer whose messages may be cut, and a readout."""
    hidden = GradedRelu(np.array([5, -3, 0], np.int32), 2, bits)
    readout = GradedRelu(np.zeros(2, np.int32), signed=True)
    return Program(
        (Population("h", (3,), hidden, 2), Population("out", (2,), readout, 3)),
        (
            Connection("input", "h", Dense(np.array([[9, -4], [3, 7], [-2, 5]], np.int8))),
            Connection("h", "out", Dense(np.array([[1, -2, 3], [-4, 5, 6]], np.int8))),
        ),
        Encoder((2,), "graded", 1.0, 0, 40),
        Decoder("out", 1.0, "spike_count"),
        1,
    )


@pytest.mark.parametrize("bits", [4, 6, 12])
def test_what_is_cut_is_counted_and_the_same_everywhere(bits):
    program = two_layers(bits)
    x = np.random.default_rng(bits).integers(0, 41, (50, 2)).astype(np.float32)
    assert is_closed_form(program)
    result, _ = simulate(program, x)
    rows = [encode(program.encoder, row, 1, k) for k, row in enumerate(levels(program.encoder, x))]
    trace = reference.run(program, np.concatenate([*rows, np.zeros((2, 2), np.int32)]))
    np.testing.assert_array_equal(result.outputs, trace.messages["out"][2:])
    sums = x @ np.array([[9, 3, -2], [-4, 7, 5]])
    wide = np.floor(sums / 4) + np.array([5, -3, 0]) >= 2**bits
    assert result.clipped["h"] == wide.sum()
    assert trace.clipped["h"] >= wide.sum()
    assert (wide.sum() > 0) == (bits < 12)
