"""The kinds that rates are made of: what each promises, step by step."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurodeploy.program import CountMaximum, IntegrateFire, Lif, TwoCompartments
from neurodeploy.program.neurons.count_maximum import CELLS

SETTINGS = settings(max_examples=60, deadline=None, derandomize=True)
SEEDS = st.integers(0, 2**32 - 1)


def stepped(neuron, inputs):
    """Messages and membranes of a window; `inputs` is (steps, neurons)."""
    state = neuron.start(inputs.shape[1])
    sent, membranes = [], []
    for tau, a in enumerate(inputs):
        found = neuron.step(state, a, tau, len(inputs))
        assert found.wrapped == 0
        assert found.clipped == 0
        sent.append(found.messages)
        membranes.append(state.get("v", found.messages).copy())
    return np.array(sent), np.array(membranes)


def trains(rng, steps, cells, signed):
    """Messages whose sums are never negative."""
    sent, count = np.zeros((steps, cells), np.int64), np.zeros(cells, np.int64)
    for row in sent:
        row[:] = rng.random(cells) < rng.random()
        if signed:
            row -= (rng.random(cells) < rng.random()) & (count + row > 0)
        count += row
    return sent


@SETTINGS
@given(SEEDS, st.booleans())
def test_the_maximum_of_counts_is_exact_at_every_step(seed, signed):
    """docs/semantics.md, section 13: whoever led before."""
    rng = np.random.default_rng(seed)
    cells = int(rng.integers(1, CELLS + 1))
    inputs = trains(rng, int(rng.integers(1, 40)), cells, signed)
    arriving = (inputs * 4 ** np.arange(cells)).sum(1, keepdims=True)
    sent, _ = stepped(CountMaximum(signed=signed), arriving)
    np.testing.assert_array_equal(sent[:, 0].cumsum(), inputs.cumsum(0).max(1))


@SETTINGS
@given(SEEDS)
def test_two_compartments_spike_as_reset_by_subtraction(seed):
    """docs/semantics.md, section 14; the membrane is a threshold higher where it spiked."""
    rng = np.random.default_rng(seed)
    size, steps = 5, int(rng.integers(1, 50))
    bias = rng.integers(-400, 400, size).astype(np.int16)
    mantissa, exponent = int(rng.integers(1, 128)), int(rng.integers(0, 4))
    theta = mantissa << exponent
    inputs = rng.integers(-2 * theta, 3 * theta + 1, (steps, size))
    initial = int(rng.integers(-(theta << 6), theta << 6))
    two = TwoCompartments(bias, mantissa, exponent, bias_exponent=2, v_initial=initial)
    one = Lif(bias, theta, bias_exponent=2, reset="subtract", v_initial=initial)
    spikes, higher = stepped(two, inputs)
    expected, v = stepped(one, inputs)
    np.testing.assert_array_equal(spikes, expected)
    np.testing.assert_array_equal(higher, v + (spikes * theta << 6))
    assert two.is_stock
    assert not one.is_stock


@SETTINGS
@given(SEEDS)
def test_signed_spikes_end_where_the_sum_says(seed):
    """docs/semantics.md, section 12: whatever came first, if it is settled."""
    rng = np.random.default_rng(seed)
    size, steps = 8, int(rng.integers(2, 60))
    threshold = rng.integers(10, 200, size).astype(np.int32)
    bias = rng.integers(-9, 9, size).astype(np.int32)
    neuron = IntegrateFire(bias, threshold, threshold >> 1)
    inputs = rng.integers(-60, 80, (steps, size))
    sent, v = stepped(neuron, inputs)
    count = sent.sum(0)
    assert (sent.cumsum(0) >= 0).all()
    total = inputs.sum(0) + steps * bias
    np.testing.assert_array_equal(v[-1], (threshold >> 1) + total - count * threshold)
    settled = (v[-1] >= 0) & (v[-1] < threshold)
    closed = ((threshold >> 1) + total) // threshold
    np.testing.assert_array_equal(count[settled], closed[settled])


def test_without_signed_spikes_none_is_taken_back():
    one = np.ones(1, np.int32)
    inputs = np.array([[10], [-10], [0]])
    signed, _ = stepped(IntegrateFire(0 * one, 5 * one, 0 * one), inputs)
    unsigned, v = stepped(IntegrateFire(0 * one, 5 * one, 0 * one, signed=False), inputs)
    assert signed[:, 0].tolist() == [1, -1, 0]
    assert unsigned[:, 0].tolist() == [1, 0, 0]
    assert v[-1, 0] == -5


@pytest.mark.parametrize("kind", [IntegrateFire, CountMaximum, TwoCompartments])
def test_bounds_hold(kind):
    """No membrane leaves what the kind claims, on random and on extreme input."""
    from neurodeploy.program.neurons import Drive
    from neurodeploy.testing.neurons import neuron_of

    for seed in range(40):
        rng = np.random.default_rng(seed)
        steps = int(rng.integers(1, 30))
        neuron = neuron_of(rng, kind, 6, steps)
        low, high = sorted(rng.integers(-3000, 3000, 2).tolist())
        drive = Drive(np.full(6, low), np.full(6, high))
        bounds = neuron.bounds(drive, steps)
        if not (bounds.cannot_clip and bounds.cannot_wrap):
            continue
        for inputs in (
            rng.integers(low, high + 1, (steps, 6)),
            rng.choice([low, high], (steps, 6)),
            np.full((steps, 6), low),
            np.full((steps, 6), high),
        ):
            state = neuron.start(6)
            for tau, a in enumerate(inputs):
                neuron.step(state, a, tau, steps)
                if "v" in state:
                    assert state["v"].min() >= bounds.membrane[0]
                    assert state["v"].max() <= bounds.membrane[1]
