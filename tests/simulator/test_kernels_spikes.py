"""Lists of spikes and their counts, beside NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurodeploy.simulator import kernels
from neurodeploy.simulator.events import events_of
from neurodeploy.simulator.plan import _changes

SEEDS = st.integers(0, 2**32 - 1)
MANY = settings(max_examples=200, deadline=None, derandomize=True)
#: Channels of a position: whole vectors, parts of one, more than one.
CHANNELS = st.sampled_from([1, 3, 15, 16, 17, 32, 48, 64, 80, 96, 100, 128])


def drawn(rng, steps, size):
    """Spikes of some density, from none to all."""
    return rng.random((steps, size)) < rng.choice([0.0, 0.02, 0.3, 1.0])


def packed(fired):
    """One bit a neuron, filled up to words of 64."""
    steps, size = fired.shape
    words = np.zeros((steps, -(-size // kernels.WORD) * kernels.WORD), bool)
    words[:, :size] = fired
    return np.packbits(words, axis=1, bitorder="little").view("<u8")


def check(fired, channels, index, start, place):
    """A list beside what `nonzero` finds."""
    steps, size = fired.shape
    row, neuron = np.nonzero(fired)
    np.testing.assert_array_equal(index[: row.size], neuron)
    ends = np.concatenate([[0], np.cumsum(fired.sum(1))])
    np.testing.assert_array_equal(start, ends)
    each = fired.reshape(steps, size // channels, channels).sum(2)
    begins = ends[:-1, None] + np.concatenate([np.zeros((steps, 1), int), each.cumsum(1)], axis=1)
    np.testing.assert_array_equal(place, begins)


@MANY
@given(SEEDS, CHANNELS, st.integers(1, 9))
def test_collect(seed, channels, positions):
    rng = np.random.default_rng(seed)
    steps, size = int(rng.integers(1, 9)), channels * positions
    fired = drawn(rng, steps, size)
    # one more than there is to be: what is beyond stays as it is
    index = np.full(steps * size + kernels.WIDTH + 1, -1, np.int32)
    start, place = np.full(steps + 2, -1, np.int64), np.full((steps + 1, positions + 1), -1)
    kernels.collect(packed(fired), size, channels, index, start, place)
    check(fired, channels, index, start[:-1], place[:-1])
    assert (index[fired.sum() + kernels.WIDTH :] == -1).all()
    assert start[-1] == -1
    assert (place[-1] == -1).all()


@MANY
@given(SEEDS, CHANNELS, st.integers(1, 9))
def test_events_of(seed, channels, positions):
    """A list, and payloads and bits beside it."""
    rng = np.random.default_rng(seed)
    fired = drawn(rng, 5, channels * positions)
    messages = (fired * rng.choice([-3, 7], fired.shape)).astype(np.int32)
    events = events_of(messages, positions)
    check(fired, channels, events.index, events.start, events.place)
    assert events.index.size >= fired.sum() + kernels.WIDTH
    np.testing.assert_array_equal(events.value, messages[fired])
    np.testing.assert_array_equal(events.bits, packed(fired))
    flat = events.flat()
    np.testing.assert_array_equal(flat.place, np.stack([events.start[:-1], events.start[1:]], 1))


@MANY
@given(SEEDS, CHANNELS, st.integers(1, 9), st.integers(1, 3))
def test_counts(seed, channels, positions, parts):
    """Where a position's neurons share their fan-out, both ways to count agree with a product."""
    rng = np.random.default_rng(seed)
    steps = parts * int(rng.integers(1, 5))
    fired = drawn(rng, steps, channels * positions)
    events = events_of(fired, positions)
    by_position = rng.integers(0, 4, positions)
    fan_out = by_position.repeat(channels)
    expected = (fired @ fan_out).reshape(parts, -1).sum(1)
    counts, same = np.full((2, parts), 5, np.int64)
    kernels.count_fan_out(events.index, events.start[:: steps // parts], fan_out, counts)
    kernels.count_by_position(events.place, *_changes(by_position), same)
    np.testing.assert_array_equal(counts, expected + 5)
    np.testing.assert_array_equal(same, expected + 5)


@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 5, 7), (2, 64, 9)])
def test_count_active(shape):
    values = np.random.default_rng(0).integers(-1, 2, shape).astype(np.float32)
    group = np.arange(shape[1]) % 2
    for signed in (False, True):
        counts = np.ones((shape[0], 2, shape[2]), np.int32)
        kernels.count_active(values, group, signed, counts)
        counted = values != 0 if signed else values > 0
        for k in (0, 1):
            expected = 1 + counted[:, group == k].sum(1)
            np.testing.assert_array_equal(counts[:, k], expected)
