"""From the estimator to a program: integers, the three back ends, windows that do not mix."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sklearn")

import neurodeploy as nd
from neurodeploy.errors import UsageError
from neurodeploy.testing.comparing import compare_simulate
from neurodeploy.training.reconstruction import ThresholdNetworkClassifier
from neurodeploy.training.reconstruction.compiling import compiled, program_score
from neurodeploy.training.reconstruction.tasks import (
    addition,
    first_last_xor,
    rows_of_images,
    xor_split,
)

MNIST = Path(__file__).parents[3] / "../shared/data/mnist_test.npz"
SMALL = {"rounds": 4, "candidates": 1000, "keep": 80, "random_state": 0}


@pytest.fixture(scope="module")
def xor():
    model = ThresholdNetworkClassifier(**SMALL)
    return model.fit(*xor_split(8, 128, np.random.default_rng(0))[0])


@pytest.fixture(scope="module")
def adder():
    model = ThresholdNetworkClassifier(thetas=(0.5, 1.5, 2.5), rho=1e-3, **SMALL)
    return model.fit(*addition(2, 5, 250, np.random.default_rng(0)))


def strings(n, length, seed=0):
    return first_last_xor(np.random.default_rng(seed).integers(0, 2, (n, length)))


def test_integer_units_lose_nothing(xor, adder):
    x, y = strings(300, 14)
    program = compiled(xor, x)
    assert program.is_aligned
    # int8 rounds the readout alone: the hidden spikes are those of the network
    largest = np.abs(xor.result_.coefficients).max()
    found = nd.simulate(program, x).outputs
    error = largest / 127 * (1 + len(xor.result_.active))
    np.testing.assert_allclose(found, xor.decision_function(x), atol=error)
    assert program_score(xor, program, x, y) == xor.score(x, y)
    x, y = addition(2, 20, 200, np.random.default_rng(1))
    program = compiled(adder, x)
    assert nd.simulate(program, x).outputs.shape == (200, 21, 2)
    assert program_score(adder, program, x, y) == adder.score(x, y) == 1.0
    assert nd.simulate(program, x).accuracy(y) == 100.0


@pytest.fixture(scope="module")
def programs(xor, adder):
    """Both tiny programs, and samples of them."""
    (x, _), (a, _) = strings(100, 9), addition(2, 7, 100, np.random.default_rng(2))
    return [(compiled(xor, x), x), (compiled(adder, a), a)]


def test_a_stream_of_100_samples_is_100_samples(programs):
    """Reference, as one stream, equals the engine, sample by sample: windows do not mix."""
    for program, x in programs:
        compare_simulate(program, x)
        outputs = nd.simulate(program, x).outputs
        order = np.random.default_rng(0).permutation(100)
        np.testing.assert_array_equal(nd.simulate(program, x[order]).outputs, outputs[order])
        for k in (0, 57):
            np.testing.assert_array_equal(nd.simulate(program, x[k][None]).outputs[0], outputs[k])


@pytest.fixture(scope="module")
def mnist():
    """Images row by row, read by a leaky trace: model, program, the images that it did not see."""
    if not MNIST.exists():
        pytest.skip(f"{MNIST} is absent")
    with np.load(MNIST) as held:
        images, y = rows_of_images(held["x"][:1000]), held["y"][:1000].astype(int)
    x = images.astype(np.float32) / 255
    model = ThresholdNetworkClassifier(
        "gaussian", betas=(0.99,), thetas=(1.0,), gain=0.2, feature="trace", trace_beta=0.99,
        group=True, rounds=1, candidates=80, rho=3e-3, seconds=2, random_state=0,
    ).fit(x[:500], y[:500])  # fmt: skip
    return model, compiled(model, x), x[500:], y[500:]


def test_mnist_row_by_row_with_a_leaky_trace(mnist):
    model, program, x, y = mnist
    assert program.encoder.unit == pytest.approx(1 / 255)
    assert {p.neuron.dv for p in program.populations} == {41}
    expected = model.decision_function(x)
    assert (expected.argmax(1) == y).mean() > 0.45
    outputs = nd.simulate(program, x).outputs
    assert (outputs.argmax(1) == expected.argmax(1)).mean() > 0.96
    assert np.corrcoef(outputs.reshape(-1), expected.reshape(-1))[0, 1] > 0.99
    compare_simulate(program, x[:100])


@pytest.mark.lava
@pytest.mark.skipif(importlib.util.find_spec("lava") is None, reason="Lava is not installed")
def test_lava_does_the_same(mnist):
    """The tiny programs: `test_models.py`."""
    _, program, x, _ = mnist
    result = nd.deploy(program, x[:2], verify=True, membranes=True)
    assert result.mismatched_spikes == result.mismatched_membranes == 0
    assert result.compared_spikes > 100
    np.testing.assert_array_equal(result.outputs, nd.simulate(program, x[:2]).outputs)


def test_layers_and_thresholds_that_no_grid_holds():
    rng = np.random.default_rng(3)
    x = rng.integers(0, 2, (80, 6, 3))
    y = x[:, -1].sum(1) > 1
    deep = ThresholdNetworkClassifier(
        "gaussian", widths=(4, 3), betas=(0.5,), rounds=1, candidates=60, random_state=0
    ).fit(x, y)
    program = compiled(deep, x)
    assert len(program.populations) == 3
    assert abs(program_score(deep, program, x, y) - deep.score(x, y)) <= 0.05
    many = ThresholdNetworkClassifier(thetas=tuple(k + 0.5 for k in range(9)), rho=1e-3, **SMALL)
    many.fit(*addition(3, 4, 60, rng))
    x, y = addition(3, 8, 60, rng)
    program = compiled(many, x)
    assert program.encoder.encoding == "frames"
    assert program_score(many, program, x, y) == many.score(x, y)
    compare_simulate(program, x[:20])


def test_one_logit_and_what_has_no_program():
    x, y = strings(128, 6)
    model = ThresholdNetworkClassifier(loss="logistic", **SMALL).fit(x, y)
    program = compiled(model, x)
    assert nd.simulate(program, x).task.kind == "binary"
    assert program_score(model, program, x, y) == model.score(x, y)
    x, y = addition(2, 3, 40, np.random.default_rng(0))
    traced = ThresholdNetworkClassifier(feature="trace", **SMALL | {"rounds": 2}).fit(x, y)
    with pytest.raises(UsageError, match="not the same at each"):
        compiled(traced, x)
    one = ThresholdNetworkClassifier(loss="squared", **SMALL | {"rounds": 2}).fit(x, y)
    with pytest.raises(UsageError, match="one for each class"):
        compiled(one, x)
