"""Statistics: streamed, exact ranges, percentiles and the MMSE level."""

from __future__ import annotations

import numpy as np
import pytest

from neurodeploy.calibration import LayerStatistics, collect, data_free
from neurodeploy.errors import DataError
from neurodeploy.importing import load_network
from neurodeploy.network import Activation, Dense, Input, Network, Output
from neurodeploy.network.evaluate import Evaluator
from neurodeploy.network.stages import stages
from neurodeploy.passes import run_passes, standard_passes


def small(weight, bias=None):
    weight = np.asarray(weight, np.float32)
    bias = np.zeros(len(weight), np.float32) if bias is None else np.asarray(bias, np.float32)
    nodes = [Input("x", (weight.shape[1],)), Dense("w", weight, bias), Activation("r"), Output("y")]
    return Network(nodes, {"w": ("x",), "r": ("w",), "y": ("r",)})


def test_against_numpy():
    rng = np.random.default_rng(0)
    network = small(rng.standard_normal((6, 5)))
    x = rng.standard_normal((3000, 5)).astype(np.float32)
    seen = []
    found = collect(network, x, lambda part: part, seen.append)
    values = np.maximum(x @ network["w"].weight.T, 0)
    assert sum(seen) == 2 * len(x)
    assert found.samples == 3000
    assert found.input_range == (pytest.approx(x.min()), pytest.approx(x.max()))
    statistics = found.layers["r"]
    assert statistics.maximum == pytest.approx(values.max(), rel=1e-6)
    width = statistics.maximum / statistics.counts.size
    for percent in (50, 90, 99, 99.9):
        expected = np.percentile(values[values > 0], percent)
        assert statistics.percentile(percent) == pytest.approx(expected, abs=3 * width + 0.02)


def test_least_squares_is_the_best_of_its_grid():
    rng = np.random.default_rng(0)
    values = rng.exponential(1.0, 100_000)
    maximum = float(values.max())
    counts = np.bincount((values / maximum * 8191).astype(int), minlength=8192)
    statistics = LayerStatistics(maximum, counts)

    def error(level, steps):
        coded = np.clip(np.floor(values * steps / level + 0.5), 0, steps) * level / steps
        return ((coded - values) ** 2).sum()

    for steps in (4, 32, 256):
        best = statistics.least_squares(steps)
        grid = [error(maximum * (1 - 0.01 * i), steps) for i in range(95)]
        assert error(best, steps) <= min(grid) * 1.01
    assert statistics.least_squares(4) < statistics.least_squares(256)


def test_a_silent_layer():
    network = small([[1.0]], [-10.0])
    found = collect(network, np.ones((4, 1), np.float32), lambda part: part)
    assert found.layers["r"].maximum == 0
    assert found.layers["r"].percentile(99.9) == 0


def test_infinite_activations_are_refused():
    network = small([[3e38], [3e38]])
    with pytest.raises(DataError, match="NaN or infinity"):
        collect(network, np.full((2, 1), 10, np.float32), lambda part: part)


def test_data_free_bounds_hold(fashion, fashion_test):
    network = load_network(str(fashion / "model.onnx")).network
    network = run_passes(network, standard_passes())
    found = data_free(stages(network), (1, 28, 28), 0.0, 1.0)
    taps = list(found.layers)
    results = Evaluator(network, taps).run(fashion_test[0][:50].astype(np.float32) / 255)
    for name in taps:
        assert results[name].max() <= found.layers[name].maximum
    low, high = found.output_range
    assert low <= results["output"].min() <= results["output"].max() <= high
    assert found.samples == 0
