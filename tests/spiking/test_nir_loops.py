"""NIR graphs with cycles, delays and graphs within them, against float steps."""

from __future__ import annotations

import h5py
import nir
import numpy as np
import pytest

import neurodeploy as nd
from neurodeploy.errors import UnsupportedError

STEPS = 30
OPTIONS = {"dt": 1e-3, "reset": "zero", "steps": STEPS, "warn": lambda _: None}


def written(path, nodes, edges):
    nir.write(path, nir.NIRGraph(nodes=nodes, edges=edges, type_check=False))
    return str(path)


def grid(shape, seed, largest=90, step=1 / 64):
    values = np.random.default_rng(seed).integers(-largest, largest + 1, shape)
    return values.astype(np.float32) * np.float32(step)


def integrator(n):
    ones = np.ones(n, np.float32)
    return nir.IF(ones, ones, v_reset=0 * ones)


def recurrent(weight, size=6):
    """A recurrent layer, as snnTorch and norse write it."""
    nodes = {
        "input": nir.Input(np.array([size])),
        "lif": integrator(size),
        "w_rec": nir.Linear(weight),
        "output": nir.Output(np.array([size])),
    }
    edges = [("input", "lif"), ("lif", "w_rec"), ("w_rec", "lif"), ("lif", "output")]
    return nir.NIRGraph(nodes=nodes, edges=edges)


def raster(inputs=5):
    return (np.random.default_rng(1).random((3, STEPS, inputs)) < 0.5).astype(np.uint8)


def stepped(x, forward, back, late):
    """Spikes (n, steps, neurons) of one layer whose own spikes come back `late` steps later."""
    spikes = np.zeros((*x.shape[:2], len(forward)))
    v = np.zeros((len(x), len(forward)))
    for t in range(x.shape[1]):
        v += x[:, t] @ forward.T + (spikes[:, t - late] @ back.T if t >= late else 0)
        spikes[:, t] = v > 1
        v[spikes[:, t] > 0] = 0
    return spikes


def test_a_recurrent_layer_in_a_graph_within_the_graph(tmp_path):
    forward, back = grid((6, 5), 0), grid((6, 6), 1, 40)
    nodes = {
        "input": nir.Input(np.array([5])),
        "fc": nir.Linear(forward),
        "layer": recurrent(back),
        "output": nir.Output(np.array([6])),
    }
    edges = [("input", "fc"), ("fc", "layer"), ("layer", "output")]
    path = written(tmp_path / "r.nir", nodes, edges)
    program = nd.compile(path, **OPTIONS)
    expected = stepped(raster(), forward, back, 1).sum(1)
    assert expected.sum() > 50
    np.testing.assert_array_equal(nd.simulate(program, raster()).outputs, expected)
    assert {f.node for f in nd.check(path, dt=1e-3, reset="zero").findings} == {
        "input", "fc", "layer.lif", "layer.w_rec", "output",
    }  # fmt: skip


def test_a_delay_on_the_loop_says_how_long_it_takes(tmp_path):
    forward, back = grid((6, 5), 0), grid((6, 6), 1, 40)
    nodes = {
        "input": nir.Input(np.array([5])),
        "fc": nir.Linear(forward),
        "lif": integrator(6),
        "late": nir.Delay(np.full(6, 3e-3, np.float32)),
        "back": nir.Linear(back),
        "output": nir.Output(np.array([6])),
    }
    edges = [
        ("input", "fc"), ("fc", "lif"), ("lif", "late"), ("late", "back"), ("back", "lif"),
        ("lif", "output"),
    ]  # fmt: skip
    program = nd.compile(written(tmp_path / "d.nir", nodes, edges), **OPTIONS)
    expected = stepped(raster(), forward, back, 3).sum(1)
    np.testing.assert_array_equal(nd.simulate(program, raster()).outputs, expected)


def test_a_loop_of_two_neurons_takes_a_step_to_each_and_says_so(tmp_path):
    weights = [grid((6, 5), 0), grid((6, 6), 1, 40), grid((6, 6), 2, 40)]
    nodes = {
        "input": nir.Input(np.array([5])),
        "fc": nir.Linear(weights[0]),
        "a": integrator(6),
        "there": nir.Linear(weights[1]),
        "b": integrator(6),
        "back": nir.Linear(weights[2]),
        "output": nir.Output(np.array([6])),
    }
    edges = [
        ("input", "fc"), ("fc", "a"), ("a", "there"), ("there", "b"), ("b", "back"), ("back", "a"),
        ("b", "output"),
    ]  # fmt: skip
    path = written(tmp_path / "l.nir", nodes, edges)
    x = raster()
    a, b = (np.zeros((3, STEPS + 1, 6)) for _ in range(2))
    v, w = np.zeros((3, 6)), np.zeros((3, 6))
    for t in range(STEPS):  # row t + 1 holds step t
        v += x[:, t] @ weights[0].T + b[:, t] @ weights[2].T
        w += a[:, t] @ weights[1].T
        a[:, t + 1], b[:, t + 1] = v > 1, w > 1
        v[v > 1], w[w > 1] = 0, 0
    found = nd.simulate(nd.compile(path, **OPTIONS), x).outputs
    assert b.sum() > 20
    np.testing.assert_array_equal(found, b.sum(1))
    reasons = {f.node: f.reason for f in nd.check(path, dt=1e-3, reset="zero").findings}
    assert "loop of 2 neurons" in reasons["a"]


@pytest.mark.parametrize(
    ("delays", "match"),
    [([1.5e-3], "whole"), ([1e-5], "whole"), ([1e-3, 2e-3], "differ"), ([0.0], "whole")],
)
def test_delays_that_no_step_holds_are_refused(tmp_path, delays, match):
    nodes = {
        "input": nir.Input(np.array([2])),
        "late": nir.Delay(np.resize(np.array(delays, np.float32), 2)),
        "n": integrator(2),
        "output": nir.Output(np.array([2])),
    }
    edges = [("input", "late"), ("late", "n"), ("n", "output")]
    with pytest.raises(UnsupportedError, match=match):
        nd.compile(written(tmp_path / "d.nir", nodes, edges), **OPTIONS)


def test_graphs_within_graphs_have_an_end(tmp_path):
    path = written(
        tmp_path / "g.nir",
        {"input": nir.Input(np.array([2])), "output": nir.Output(np.array([2]))},
        [("input", "output")],
    )
    with h5py.File(path, "a") as file:
        group = file["node"]
        for _ in range(40):
            inner = group["nodes"].create_group("g")
            inner["type"] = "NIRGraph"
            inner["edges"] = np.zeros((0, 2), "S4")
            inner.create_group("nodes")
            group = inner
    with pytest.raises(nd.NeuroDeployError, match="deep"):
        nd.compile(path, **OPTIONS)
