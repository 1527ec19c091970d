"""Equalisation: the function stays, and a channel far out of range costs the others nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnx
import pytest

import neurodeploy as nd
from neurodeploy.network import Activation, Add, Concat, Conv, Dense, Input, Network, Output, Pool
from neurodeploy.network.evaluate import Evaluator
from neurodeploy.network.onnx_export import to_onnx
from neurodeploy.passes import Equalize
from neurodeploy.passes.channels import columns, rows, trace


def residual(seed=0, times=None, clip=None):
    """Convolutions, an identity skip, a concatenation, poolings and a dense head.

    `times` scales a channel where it is written and undoes it where it is read: by name of the
    layer that writes it.
    """
    rng = np.random.default_rng(seed)

    def conv(name, writes, reads):
        weight = rng.standard_normal((writes, reads, 3, 3)) * np.sqrt(2 / (9 * reads))
        bias = rng.standard_normal(writes) * 0.1
        return Conv(name, weight.astype(np.float32), bias.astype(np.float32), (1, 1), (1,) * 4)

    a, b, c, d = conv("a", 6, 2), conv("b", 6, 6), conv("c", 6, 6), conv("d", 4, 6)
    head = rng.standard_normal((5, 10 * 16)) / np.sqrt(160)
    head = Dense("head", head.astype(np.float32), np.zeros(5, np.float32))
    for name, factor in (times or {}).items():
        f = np.ones(6)
        f[3] = factor
        if name == "a":  # the skip carries it on to c's result
            a, c, b, d = _rows(a, f), _rows(c, f), _columns(b, f), _columns(d, f)
            weight = head.weight.reshape(5, 10, 16) / np.append(f, np.ones(4))[:, None]
            head = replace(head, weight=weight.reshape(5, -1).astype(np.float32))
        else:
            b, c = _rows(b, f), _columns(c, f)
    nodes = [
        Input("x", (2, 8, 8)), a, Activation("ra"), b, Activation("rb", maximum=clip), c,
        Add("sum"), Activation("rs"), d, Activation("rd"), Concat("both"), Pool("pool"),
        head, Output("out"),
    ]  # fmt: skip
    inputs = {
        "a": ("x",), "ra": ("a",), "b": ("ra",), "rb": ("b",), "c": ("rb",), "sum": ("c", "ra"),
        "rs": ("sum",), "d": ("rs",), "rd": ("d",), "both": ("rs", "rd"), "pool": ("both",),
        "head": ("pool",), "out": ("head",),
    }  # fmt: skip
    return Network(nodes, inputs)


def _rows(layer, f):
    weight = layer.weight * f.reshape(-1, 1, 1, 1)
    return replace(
        layer, weight=weight.astype(np.float32), bias=(layer.bias * f).astype(np.float32)
    )


def _columns(layer, f):
    return replace(layer, weight=(layer.weight / f.reshape(1, -1, 1, 1)).astype(np.float32))


def outputs(network, x):
    return Evaluator(network).run(x)["out"]


@pytest.mark.parametrize("factor", [1e-6, 1 / 128, 128, 1e6])
@pytest.mark.parametrize("name", ["a", "b"])
def test_a_scaled_channel_comes_back(name, factor):
    """Also along a skip, a concatenation and a pooling."""
    x = np.random.default_rng(1).standard_normal((3, 2, 8, 8)).astype(np.float32)
    scaled = residual(times={name: factor})
    after = Equalize().apply(scaled)
    np.testing.assert_allclose(outputs(after, x), outputs(scaled, x), rtol=1e-4, atol=1e-4)
    for layer in "abcd":
        spread = rows(after[layer].weight)
        assert spread.max() / spread.min() < 16
        if layer != "a":
            spread = columns(after, after[layer])
            assert spread.max() / spread.min() < 16


def test_ordinary_networks_stay_as_they_are():
    before = residual()
    assert Equalize().apply(before) is before


def test_what_cannot_be_scaled():
    """A clipped ReLU; a small row that its bias keeps alive does not become a large constant."""
    clipped = residual(times={"b": 1000}, clip=6.0)
    assert Equalize().apply(clipped) is clipped
    network = residual()
    weight = network["b"].weight.copy()
    weight[3] *= 1e-9
    faint = network.replace(replace(network["b"], weight=weight))
    assert Equalize().apply(faint) is faint


def test_a_channel_that_nothing_reads():
    network = residual()
    weight, deaf = network["b"].weight.copy(), network["c"].weight.copy()
    weight[3] *= 1e5
    deaf[:, 3] = 0
    network = network.replace(
        replace(network["b"], weight=weight), replace(network["c"], weight=deaf)
    )
    size = rows(Equalize().apply(network)["b"].weight)
    assert size[3] < 4 * np.median(size)


def test_a_constant_that_nothing_reads():
    """A neuron that always fires, and whose synapses were pruned."""
    network = residual()
    bias, deaf = network["b"].bias.copy(), network["c"].weight.copy()
    bias[3], deaf[:, 3] = 1e5, 0
    network = network.replace(replace(network["b"], bias=bias), replace(network["c"], weight=deaf))
    size = np.abs(Equalize().apply(network)["b"].bias)
    assert size[3] < 8 * np.median(size[size > 0])


def test_channels_of_the_skip_are_one():
    channels = trace(residual())
    np.testing.assert_array_equal(channels.written_by("a"), channels.written_by("c"))
    assert not set(channels.written_by("b")) & set(channels.written_by("c"))
    assert channels.fixed[channels.read_by("a")].all()
    assert channels.fixed[channels.written_by("head")].all()


@pytest.mark.parametrize("scheme", ["rate", "ttfs"])
@pytest.mark.parametrize("factor", [30, 100, 1000])
@pytest.mark.parametrize("name", ["a", "b"])
def test_programs_of_scaled_networks(name, factor, scheme, tmp_path):
    """A channel larger by `factor`, of the same function: the error is that of the other form."""
    x = np.random.default_rng(2).random((32, 2, 8, 8)).astype(np.float32)
    exact = outputs(residual(), x)

    def error(network, file):
        onnx.save(to_onnx(network), tmp_path / file)
        program = nd.compile(tmp_path / file, x, scheme=scheme, steps=64)
        found = nd.simulate(program, x).outputs
        return np.sqrt(((found - exact) ** 2).sum() / (exact**2).sum())

    plain = error(residual(), "plain.onnx")
    assert error(residual(times={name: factor}), "scaled.onnx") < 1.5 * plain
