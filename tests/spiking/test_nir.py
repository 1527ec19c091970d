"""NIR graphs: what is computed, step by step in float, and what is refused."""

from __future__ import annotations

from itertools import pairwise

import h5py
import nir
import numpy as np
import pytest

import neurodeploy as nd
from neurodeploy.errors import ConversionError, ModelError, UnsupportedError, UsageError
from neurodeploy.importing.nir import is_nir
from neurodeploy.network import Activation, Dense, Input, Network, Output, Spiking
from neurodeploy.network.stages import stages

STEPS = 40


def written(path, nodes, edges):
    graph = nir.NIRGraph(nodes=nodes, edges=edges, type_check=False)
    nir.write(path, graph)
    return str(path)


def grid(shape, seed=0, step=1 / 64):
    return np.random.default_rng(seed).integers(-100, 128, shape).astype(np.float32) * step


def leaky(n, tau, r, threshold=1.0):
    ones = np.ones(n, np.float32)
    return nir.LIF(tau * ones, r * ones, 0 * ones, threshold * ones, v_reset=0 * ones)


def chain(path, neuron, n=6, seed=0):
    nodes = {
        "input": nir.Input({"input": np.array([5])}),
        "fc": nir.Linear(grid((n, 5), seed)),
        "n": neuron,
        "output": nir.Output({"output": np.array([n])}),
    }
    return written(path, nodes, [("input", "fc"), ("fc", "n"), ("n", "output")])


def spikes(n=4, inputs=5, steps=STEPS):
    return (np.random.default_rng(1).random((n, steps, inputs)) < 0.3).astype(np.uint8)


def stepped(x, weight, leak, threshold, reset, current_leak=1.0):
    """Spike counts of a layer in float64."""
    counts = np.zeros((len(x), len(weight)))
    u = np.zeros_like(counts)
    v = np.zeros_like(counts)
    for row in np.moveaxis(x, 1, 0):
        u = (1 - current_leak) * u + row @ weight.T
        v = (1 - leak) * v + u
        fired = v > threshold
        v = np.where(fired, 0 if reset == "zero" else v - threshold, v)
        counts += fired
    return counts


@pytest.mark.parametrize("reset", ["subtract", "zero"])
def test_a_leak_that_the_chip_has_and_weights_on_a_grid_give_every_spike(tmp_path, reset):
    path = chain(tmp_path / "a.nir", leaky(6, tau=8e-3, r=8.0))
    program = nd.compile(path, dt=1e-3, reset=reset, steps=STEPS, warn=lambda _: None)
    x = spikes()
    expected = stepped(x.astype(float), grid((6, 5)).astype(float), 1 / 8, 1.0, reset)
    assert expected.sum() > 100
    # the membrane's decay rounds to integers of 2**-6 of a weight's unit
    difference = np.abs(nd.simulate(program, x).outputs - expected)
    assert difference.sum() <= 0.01 * expected.sum()
    assert program.population("fc").neuron.dv == 512


@pytest.mark.parametrize("reset", ["subtract", "zero"])
def test_without_a_leak_and_on_a_grid_all_spikes_are_the_same(tmp_path, reset):
    ones = np.ones(6, np.float32)
    path = chain(tmp_path / "a.nir", nir.IF(ones, ones, v_reset=0 * ones))
    program = nd.compile(path, reset=reset, steps=STEPS, warn=lambda _: None)
    x = spikes()
    expected = stepped(x.astype(float), grid((6, 5)).astype(float), 0.0, 1.0, reset)
    np.testing.assert_array_equal(nd.simulate(program, x).outputs, expected)
    assert program.population("fc").neuron.is_stock == (reset == "zero")


def test_a_current_with_memory_and_thresholds_of_each_neuron(tmp_path):
    ones = np.ones(6, np.float32)
    threshold = np.array([1, 2, 1, 2, 4, 1], np.float32)
    neuron = nir.CubaLIF(
        tau_syn=4e-3 * ones, tau_mem=8e-3 * ones, r=8 * ones, v_leak=0 * ones,
        v_threshold=threshold, v_reset=0 * ones, w_in=4 * ones,
    )  # fmt: skip
    path = chain(tmp_path / "a.nir", neuron)
    program = nd.compile(path, dt=1e-3, reset="zero", steps=STEPS, warn=lambda _: None)
    x = spikes()
    weight = grid((6, 5)).astype(float)
    expected = stepped(x.astype(float), weight, 1 / 8, threshold, "zero", 1 / 4)
    assert np.abs(nd.simulate(program, x).outputs - expected).sum() <= 0.03 * expected.sum()
    assert program.population("fc").neuron.du == 1023


def test_an_integrator_at_the_end_is_read_by_its_membrane(tmp_path):
    ones = np.ones(6, np.float32)
    path = chain(tmp_path / "a.nir", nir.LI(8e-3 * ones, 8 * ones, 0 * ones))
    program = nd.compile(path, dt=1e-3, steps=STEPS, warn=lambda _: None)
    x = spikes()
    v = np.zeros((4, 6))
    for row in np.moveaxis(x.astype(float), 1, 0):
        v = v * (7 / 8) + row @ grid((6, 5)).T
    np.testing.assert_allclose(nd.simulate(program, x).outputs, v, atol=0.02)


def test_maps_pooled_and_flattened(tmp_path):
    """Convolution, sum pooling, flatten: held against the same sums in NumPy."""
    kernel = grid((2, 1, 1, 1), 3)
    dense = grid((3, 8), 4)
    ones = np.ones((2, 4, 4), np.float32)
    three = np.ones(3, np.float32)
    nodes = {
        "input": nir.Input({"input": np.array([1, 4, 4])}),
        "conv": nir.Conv2d((4, 4), kernel, 1, 0, 1, 1, np.zeros(2, np.float32)),
        "a": nir.IF(ones, ones, v_reset=0 * ones),
        "pool": nir.SumPool2d(np.array([2, 2]), np.array([2, 2]), np.array([0, 0])),
        "flat": nir.Flatten({"input": np.array([2, 2, 2])}, 0, -1),
        "fc": nir.Affine(dense, np.full(3, 1 / 64, np.float32)),
        "b": nir.IF(three, three, v_reset=0 * three),
        "output": nir.Output({"output": np.array([3])}),
    }
    names = list(nodes)
    path = written(tmp_path / "m.nir", nodes, list(pairwise(names)))
    program = nd.compile(path, reset="zero", steps=STEPS, warn=lambda _: None)
    x = (np.random.default_rng(2).random((3, STEPS, 1, 4, 4)) < 0.5).astype(np.uint8)
    v, w = np.zeros((3, 2, 4, 4)), np.zeros((3, 3))
    counts = np.zeros((3, 3))
    for row in np.moveaxis(x.astype(float), 1, 0):
        v += row * kernel[:, 0]
        fired = v > 1
        v[fired] = 0
        pooled = fired.reshape(3, 2, 2, 2, 2, 2).sum((3, 5)).reshape(3, -1)
        w += pooled @ dense.T + 1 / 64
        out = w > 1
        w[out] = 0
        counts += out
    np.testing.assert_array_equal(nd.simulate(program, x).outputs, counts)


def test_what_nir_leaves_open_is_asked(tmp_path):
    path = chain(tmp_path / "a.nir", leaky(6, 8e-3, 1.0))
    with pytest.raises(UnsupportedError, match="--dt"):
        nd.compile(path, reset="zero", steps=5)
    with pytest.raises(UnsupportedError, match="--reset"):
        nd.compile(path, dt=1e-3, steps=5)
    with pytest.raises(UsageError, match="--steps"):
        nd.compile(path, dt=1e-3, reset="zero", warn=lambda _: None)
    with pytest.raises(UsageError, match="direct"):
        nd.compile(path, dt=1e-3, reset="zero", scheme="ttfs")


def test_check_gives_each_node_a_verdict(tmp_path):
    path = chain(tmp_path / "a.nir", leaky(6, 8e-3, 1.0))
    report = nd.check(path, dt=1e-3, reset="zero")
    assert report.ok
    assert {f.node for f in report.findings} == {"input", "fc", "n", "output"}
    assert report.fits
    asked = nd.check(path)
    assert [f.node for f in asked.refused] == ["n"]


def test_leaks_that_no_register_holds_are_refused(tmp_path):
    path = chain(tmp_path / "a.nir", leaky(6, tau=100.0, r=1e5))
    with pytest.raises(ConversionError, match="1/4096"):
        nd.compile(path, dt=1e-3, reset="zero", steps=5, warn=lambda _: None)
    several = nir.LIF(
        np.linspace(5e-3, 9e-3, 6).astype(np.float32), np.ones(6, np.float32),
        np.zeros(6, np.float32), np.ones(6, np.float32), v_reset=np.zeros(6, np.float32),
    )  # fmt: skip
    path = chain(tmp_path / "b.nir", several)
    with pytest.raises(ConversionError, match="different membrane leaks"):
        nd.compile(path, dt=1e-3, reset="zero", steps=5, warn=lambda _: None)


def test_a_network_of_both_kinds_is_refused_by_name():
    nodes = [
        Input("x", shape=(2,)),
        Dense("a", np.eye(2, dtype=np.float32), np.zeros(2, np.float32)),
        Activation("r"),
        Spiking("s"),
        Output("y"),
    ]
    network = Network(nodes, {"a": ("x",), "r": ("a",), "s": ("r",), "y": ("s",)})
    with pytest.raises(UnsupportedError, match="mixes ReLUs"):
        stages(network)


@pytest.mark.parametrize("content", [b"", b"no", b"\x89HDF\r\n\x1a\n" + b"\0" * 200])
def test_damaged_files_are_one_message(tmp_path, content):
    path = tmp_path / "x.nir"
    path.write_bytes(content)
    assert is_nir(path)
    with pytest.raises(ModelError):
        nd.compile(str(path), steps=5, reset="zero")
    assert not nd.check(str(path)).ok


def test_hostile_sizes_and_links_are_refused(tmp_path):
    path = chain(tmp_path / "a.nir", leaky(6, 8e-3, 1.0))
    with h5py.File(path, "a") as file:
        group = file["node/nodes/fc"]
        del group["weight"]
        group.create_dataset("weight", shape=(2**20, 2**20), dtype="f4", chunks=(1024, 1024))
    with pytest.raises(ModelError, match="claims more than"):
        nd.compile(path, dt=1e-3, reset="zero", steps=5)
    with h5py.File(path, "a") as file:
        del file["node/nodes/fc/weight"]
        file["node/nodes/fc/weight"] = h5py.ExternalLink("/etc/hostname", "/x")
    with pytest.raises(ModelError, match="outside the file"):
        nd.compile(path, dt=1e-3, reset="zero", steps=5)
