"""Neurons that can never fire cost the others nothing."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import onnx
import pytest

import neurodeploy as nd
from neurodeploy.conversion.rate import layers
from neurodeploy.conversion.silent_neurons import Silenced
from neurodeploy.network import Activation, Conv, Dense, Input, Network, Output
from neurodeploy.network.evaluate import Evaluator
from neurodeploy.network.onnx_export import to_onnx
from neurodeploy.network.stages import stages
from neurodeploy.quantization import Arrival
from neurodeploy.testing.networks import random_model


def chain(*nodes):
    every = [*nodes, Output("out")]
    inputs = {b.name: (a.name,) for a, b in itertools.pairwise(every)}
    return Network(every, inputs)


def network(kind, bias=None, weight=1.0, out=1.0):
    """Half of the first layer with that bias; its weights, and those that read it, times more."""
    rng = np.random.default_rng(3)
    if kind == "dense":
        first = Dense("a", *(rng.standard_normal(s).astype(np.float32) for s in ((16, 12), 16)))
        shape, size = (12,), 16
    else:
        w, b = rng.standard_normal((16, 3, 3, 3)), rng.standard_normal(16)
        first = Conv("a", w.astype(np.float32), b.astype(np.float32), padding=(1,) * 4)
        shape, size = (3, 6, 6), 16 * 36
    readout = rng.standard_normal((5, size)).astype(np.float32)
    if bias is not None:
        first.weight[8:] *= np.float32(weight)
        first.bias[8:] = bias
        readout[:, size // 2 :] *= np.float32(out)
    head = Dense("head", readout, np.zeros(5, np.float32))
    return chain(Input("x", shape), first, Activation("r"), head)


def error(made, scheme, path):
    x = np.random.default_rng(4).random((64, *made.shapes["x"])).astype(np.float32)
    exact = Evaluator(made).run(x)["out"]
    onnx.save(to_onnx(made), path)
    found = nd.simulate(nd.compile(path, x, scheme=scheme, steps=64), x).outputs
    return np.sqrt(((found - exact) ** 2).sum() / (exact**2).sum())


@pytest.mark.parametrize("scheme", ["rate", "ttfs"])
@pytest.mark.parametrize("kind", ["dense", "conv"])
@pytest.mark.parametrize(
    ("bias", "weight", "out"), [(-100, 1, 1), (-1e6, 1, 1), (-1e6, 10, 1), (-1e3, 1, 1e4)]
)
def test_the_living_keep_their_resolution(kind, scheme, bias, weight, out, tmp_path):
    """Against the same network with the dead ones nearly at rest, and with weights like others."""
    plain = error(network(kind, -50 if kind == "dense" else -60), scheme, tmp_path / "a.onnx")
    assert error(network(kind, bias, weight, out), scheme, tmp_path / "b.onnx") < 1.3 * plain


def test_only_what_cannot_fire_is_silenced():
    """The limit is what the largest messages bring: a neuron just above it stays as it was."""
    weight = np.array([[1, -2, 3], [1, -2, 3], [1, 1, 1]], np.float32)
    made = chain(
        Input("x", (3,)), Dense("a", weight, np.zeros(3, np.float32)), Activation("r"),
        Dense("head", np.ones((2, 3), np.float32), np.zeros(2, np.float32)),
    )  # fmt: skip
    first, readout = stages(made)
    silenced = Silenced()
    arrival = Arrival("input", first.paths[0].operator, 0.5, -1, 4, graded=True, delay=1)
    # 1 * 2 + 2 * 0.5 + 3 * 2
    bias, (changed,) = silenced(first, np.array([-9.0, -8.9, 0.0]), (arrival,))
    np.testing.assert_array_equal(bias, [0, -8.9, 0])
    np.testing.assert_array_equal(changed.operator.weight, weight * [[0], [1], [1]])
    behind = Arrival(first.name, readout.paths[0].operator, 1.0, 0, 1, graded=False, delay=1)
    _, (changed,) = silenced(readout, readout.bias, (behind,))
    np.testing.assert_array_equal(changed.operator.weight, [[0, 1, 1]] * 2)


def test_some_neurons_of_a_channel():
    """A bias a neuron: the convolution's weights are shared and stay."""
    made = network("conv")
    (first, _) = stages(made)
    bias = np.zeros(first.shape)
    bias[2, 0, 0] = -1e9
    first = replace(first, bias=bias.reshape(-1))
    arrival = Arrival("input", first.paths[0].operator, 1.0, 0, 1, graded=True, delay=1)
    found, (changed,) = Silenced()(first, first.bias, (arrival,))
    np.testing.assert_array_equal(changed.operator.weight, arrival.operator.weight)
    most = np.maximum(arrival.operator.weight[2], 0).sum()
    assert -2 * most < found.reshape(first.shape)[2, 0, 0] < -most
    assert np.count_nonzero(found) == 1


def test_the_rate_code_corrects_no_bias_of_a_neuron_that_cannot_fire(monkeypatch):
    """Seed 139 has borders of channels that can never fire, beside neurons that do."""
    made = random_model(np.random.default_rng(139))
    moved = []
    stepped = layers._Run._stepped

    def watched(self, stage, layer):
        found = stepped(self, stage, layer)
        silent = self.units.silenced.of(stage.name)
        if silent is not None:
            moved.append((np.asarray(found.firing().bias - layer.firing().bias), silent))
        return found

    monkeypatch.setattr(layers._Run, "_stepped", watched)
    nd.compile(made.model, calibration=made.x, scheme="rate", steps=32, try_samples=0)
    assert moved
    for shift, silent in moved:
        assert not shift[silent].any()
    assert any(shift[~silent].any() for shift, silent in moved)
