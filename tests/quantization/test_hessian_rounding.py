"""Rounding of weights by the moments of what they are multiplied with."""

from __future__ import annotations

import numpy as np
import pytest

from neurodeploy.network import Conv, Dense
from neurodeploy.network.batched import float_map
from neurodeploy.quantization.hessian_rounding import least_squares_peaks, moments, rounded


def correlated(rng, samples, inputs):
    """Not negative, as activations are, and alike in groups."""
    mixed = rng.normal(size=(samples, inputs)) @ rng.normal(size=(inputs, inputs))
    return np.maximum(mixed, 0).astype(np.float32)


@pytest.mark.parametrize("seed", range(5))
def test_sums_are_nearer_than_with_the_nearest_integers(seed):
    rng = np.random.default_rng(seed)
    x = correlated(rng, 400, 24)
    dense = Dense("d", rng.normal(size=(8, 24)) * 3, np.zeros(8))
    found = rounded(dense, moments(dense, (24,), x), 7).weight
    assert (found == np.rint(found)).all()
    assert np.abs(found).max() <= 7
    nearest = np.clip(np.rint(dense.weight), -7, 7)
    errors = [(((q - dense.weight) @ x.T) ** 2).mean() for q in (found, nearest)]
    assert errors[0] < errors[1]


def test_of_inputs_without_correlation_the_nearest_is_best():
    rng = np.random.default_rng(0)
    dense = Dense("d", rng.normal(size=(4, 10)) * 3, np.zeros(4))
    moment = np.diag(rng.random(10) + 0.1)[None]
    assert (rounded(dense, moment, 7).weight == np.clip(np.rint(dense.weight), -7, 7)).all()


def test_inputs_that_never_speak():
    dense = Dense("d", np.array([[0.6, -1.4, 9.0]]), np.zeros(1))
    silent = np.zeros((1, 3, 3))
    assert rounded(dense, silent, 7).weight.tolist() == [[1, -1, 7]]


@pytest.mark.parametrize("groups", [1, 2])
def test_moments_of_a_convolution_are_those_of_what_its_neurons_read(groups):
    rng = np.random.default_rng(1)
    weight = rng.normal(size=(4, 4 // groups, 3, 2)).astype(np.float32)
    conv = Conv("c", weight, np.zeros(4), (2, 1), (1, 0, 1, 1), (1, 2), groups)
    x = rng.random((5, 4, 6, 7)).astype(np.float32)
    moment = moments(conv, (4, 6, 7), x.reshape(5, -1))
    sums = float_map(conv, (4, 6, 7))(x.reshape(5, -1)).reshape(5, 4, -1)
    rows = weight.reshape(groups, 4 // groups, -1)
    expected = np.einsum("gri,gij,grj->gr", rows, moment, rows).reshape(4)
    assert np.allclose((sums.astype(float) ** 2).mean((0, 2)), expected, rtol=1e-4)


def test_large_weights_are_cut_where_many_small_ones_gain():
    rng = np.random.default_rng(2)
    weight = rng.normal(size=(2, 200))
    weight[0, 0] = 8.0
    dense = Dense("d", weight, np.zeros(2))
    kept = least_squares_peaks(dense, None, 7)
    assert kept[0] < 7
    # an input that counts for much keeps its weight
    moment = np.eye(200)[None].copy()
    moment[0, 0, 0] = 1e4
    assert least_squares_peaks(dense, moment, 7)[0] > 7
