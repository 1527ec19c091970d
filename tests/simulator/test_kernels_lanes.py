"""Vectors in compiled kernels do what the functions that stand in for them do with arrays."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numba import njit

from neurodeploy.simulator.kernels import lanes

COMPILED = SimpleNamespace(**{name: getattr(lanes, name) for name in lanes.__all__})
PURE = SimpleNamespace(
    load=lanes._load_array,
    store=lanes._store_array,
    move=lanes._move_array,
    spread=lanes._spread_array,
    bits=lanes._bits_of_array,
    flags=lanes._flags_of_word,
    store_flags=lanes._store_flags_of_word,
    above=np.greater,
    choose=np.where,
    population_count=lanes._count_of_word,
)
FEW = settings(max_examples=100, deadline=None, derandomize=True)


def arithmetic(use, width):
    """Sums, differences, products and shifts of two vectors."""
    load, store, spread = use.load, use.store, use.spread

    def run(left, right, out):
        a, b = load(left, 1, width), load(right, 2, width)
        store(out, 3, ((a - b) << spread(2, width)) + a * (b >> spread(5, width)))

    return run


def comparison(use, width):
    """The larger of two, and which were larger as bits; the inverse of that; how many."""
    above, bits, choose, flags = use.above, use.bits, use.choose, use.flags
    load, store, spread, count = use.load, use.store, use.spread, use.population_count

    def run(left, right, out):
        a, b = load(left, 1, width), load(right, 2, width)
        larger = above(a, b)
        word = bits(larger)
        store(out, 0, choose(larger, a, b))
        store(out, width, choose(flags(word, width), spread(7, width), b))
        return word, count(word)

    return run


def copy(use, width):
    move = use.move

    def run(left, right, out):
        move(out, 1, left, 2, width)

    return run


@pytest.mark.parametrize("width", [16, 64])
@pytest.mark.parametrize("dtype", [np.int16, np.int32, np.int64])
@pytest.mark.parametrize("made", [arithmetic, comparison])
def test_vectors(made, dtype, width):
    compiled, pure = njit(made(COMPILED, width)), made(PURE, width)
    # vectors are of 32 bit: longer integers are cut, and none are written
    written = np.int32 if dtype is np.int64 else dtype
    limits = np.iinfo(dtype)
    values = st.one_of(st.integers(limits.min, limits.max), st.integers(-3, 3))
    array = arrays(dtype, width + 3, elements=values)

    @FEW
    @given(array, array)
    def run(left, right):
        found, expected = np.full((2, 2 * width + 3), 9, written)
        assert compiled(left, right, found) == pure(left, right, expected)
        np.testing.assert_array_equal(found, expected)

    run()


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int32])
def test_move(dtype):
    compiled, pure = njit(copy(COMPILED, 32)), copy(PURE, 32)
    left = np.random.default_rng(0).integers(0, 127, 40).astype(dtype)
    found, expected = np.zeros((2, 40), dtype)
    compiled(left, left, found)
    pure(left, left, expected)
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(found[1:33], left[2:34])


@FEW
@given(st.integers(0, 2**64 - 1))
def test_flags_of_a_word(word):
    """Sixty-four truth values from a word, in vectors and in memory."""
    found, expected = np.full((2, 70), 9, np.uint8)
    _store_flags(found, 3, np.uint64(word))
    PURE.store_flags(expected, 3, word)
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(found[3:67], [(word >> k) & 1 for k in range(64)])
    assert _population_count(np.uint64(word)) == PURE.population_count(word) == bin(word).count("1")
    assert PURE.bits(PURE.flags(word, 64)) == word
    assert PURE.bits(PURE.flags(word, 16)) == word % 2**16


@njit
def _store_flags(array, at, word):
    lanes.store_flags(array, at, word)


@njit
def _population_count(word):
    return lanes.population_count(word)
