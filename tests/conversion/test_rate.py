"""Rate conversion: spikes count what the formula says, options do what they promise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from networks import random_network

from neurodeploy.calibration import LayerStatistics, collect
from neurodeploy.conversion import RateScheme
from neurodeploy.errors import UnsupportedError, UsageError
from neurodeploy.network import Activation, Dense, Input, Network, Output, Pool
from neurodeploy.network.evaluate import Evaluator
from neurodeploy.network.stages import stages
from neurodeploy.passes import run_passes, standard_passes
from neurodeploy.program import Preprocessing
from neurodeploy.simulator.simulation import simulate
from neurodeploy.targets import load_target

PLAIN = Preprocessing(1.0)
LOIHI2 = load_target("loihi2")


def convert(network, x, **options):
    network = run_passes(network, standard_passes())
    known = collect(network, x, PLAIN.apply)
    scheme = RateScheme(**options)
    shape = network.shapes[network.input.name]
    target = LOIHI2 if "target" not in options else load_target(options["target"])
    return scheme.convert(stages(network), shape, known, target, PLAIN, 0, {})


def one_neuron(weight=1.0):
    nodes = [
        Input("x", (1,)),
        Dense("w", np.array([[weight]], np.float32), np.zeros(1, np.float32)),
        Activation("r"),
        Dense("h", np.ones((1, 1), np.float32), np.zeros(1, np.float32)),
        Output("y"),
    ]
    return Network(nodes, {"w": ("x",), "r": ("w",), "h": ("r",), "y": ("h",)})


@pytest.mark.parametrize("steps", [1, 4, 16, 100])
def test_spike_counts_of_soft_reset(steps):
    """clip(floor(z T / theta + 1/2), 0, T), but for ties (the neuron fires strictly above)."""
    x = np.linspace(0, 1, 41, dtype=np.float32)[:, None]
    program = convert(one_neuron(), x, steps=steps, balance="max")
    result, _ = simulate(program, x)
    z = x[:, 0].astype(np.float64)
    expected = np.clip(np.floor(z * steps + 0.5), 0, steps)
    found = result.spikes["w"]
    ties = np.abs((z * steps + 0.5) % 1) < 0.05
    ties |= np.abs((z * steps + 0.5) % 1) > 0.95
    np.testing.assert_array_equal(found[~ties], expected[~ties])
    assert np.abs(found - expected).max() <= 1


@pytest.mark.parametrize("encoding", ["current", "deterministic", "poisson"])
@pytest.mark.parametrize("reset", ["subtract", "zero"])
@pytest.mark.parametrize("balance", ["percentile", "max", "mmse"])
def test_outputs_follow_the_network(encoding, reset, balance):
    rng = np.random.default_rng(1)
    network = random_network(np.random.default_rng(5), max_pooling=False)
    x = rng.standard_normal((40, *network.shapes["x"])).astype(np.float32)
    program = convert(network, x, steps=256, encoding=encoding, reset=reset, balance=balance)
    exact = Evaluator(network).run(x)["output"].reshape(-1)
    result, _ = simulate(program, x)
    # a reset to zero throws charge away: the shape of the outputs stays, their size shrinks
    least = {"subtract": 0.97, "zero": 0.8}[reset]
    assert np.corrcoef(exact, result.outputs.reshape(-1))[0, 1] > least
    assert program.is_aligned
    if reset == "zero":
        assert not program.needs_microcode
        assert {p.neuron.reset for p in program.populations} == {"zero"}


@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 2**32 - 1))
def test_random_networks_converge(seed):
    """Branches, poolings, negative input, batch norm: outputs approach the ANN's."""
    rng = np.random.default_rng(seed)
    network = random_network(rng, max_pooling=False)
    x = rng.standard_normal((16, *network.shapes["x"])).astype(np.float32)
    program = convert(network, x, steps=512, balance="max")
    exact = Evaluator(network).run(x)["output"]
    result, _ = simulate(program, x[:6])
    error = np.abs(result.outputs - exact[:6]).max() / max(1e-6, np.abs(exact).max())
    assert error < 0.15


def test_poisson_is_seeded():
    network = random_network(np.random.default_rng(5), max_pooling=False)
    x = np.random.default_rng(0).standard_normal((6, *network.shapes["x"])).astype(np.float32)
    program = convert(network, x, steps=32, encoding="poisson")
    first, _ = simulate(program, x, threads=1)
    second, _ = simulate(program, x, threads=2)
    np.testing.assert_array_equal(first.outputs, second.outputs)
    tail, _ = simulate(program, x[4:], first_index=4)
    np.testing.assert_array_equal(first.outputs[4:], tail.outputs)
    assert not np.array_equal(simulate(program, x[[0, 0]])[0].outputs[0], first.outputs[1])


def test_checkpoints_are_the_outputs_of_shorter_runs():
    x = np.random.default_rng(0).random((5, 1)).astype(np.float32)
    program = convert(one_neuron(), x, steps=40)
    result, early = simulate(program, x, checkpoints=[10, 40])
    np.testing.assert_array_equal(early[1].reshape(-1), result.outputs.reshape(-1))
    assert np.all(early[0] <= early[1] + 1e-9)


def test_clipped_relu_saturates_at_its_clip():
    nodes = [
        Input("x", (1,)),
        Dense("w", np.ones((1, 1), np.float32), np.zeros(1, np.float32)),
        Activation("r", maximum=2.0),
        Dense("h", np.ones((1, 1), np.float32), np.zeros(1, np.float32)),
        Output("y"),
    ]
    network = Network(nodes, {"w": ("x",), "r": ("w",), "h": ("r",), "y": ("h",)})
    x = np.linspace(0, 6, 13, dtype=np.float32)[:, None]
    program = convert(network, x, steps=200, balance="max")
    assert program.population("w").spike_value <= 2.0 + 1e-6
    outputs, _ = simulate(program, x)
    np.testing.assert_allclose(outputs.outputs[:, 0], np.minimum(x[:, 0], 2.0), atol=0.05)


def test_levels():
    counts = np.zeros(1000, np.int64)
    counts[:500], counts[999] = 100, 1
    statistics = LayerStatistics(10.0, counts)
    assert RateScheme(balance="max").level(statistics, None) == 10.0
    assert RateScheme(percentile=99.9).level(statistics, None) == pytest.approx(5.0, abs=0.02)
    assert RateScheme(balance="mmse").level(statistics, None) < 10.0
    assert RateScheme(balance="max").level(statistics, 6.0) == 6.0
    assert RateScheme().level(LayerStatistics(0.0, np.zeros(0, np.int64)), None) == 1.0


def test_max_pooling_becomes_relus_before_it_is_cut():
    nodes = [
        Input("x", (1, 4, 4)),
        Activation("r"),
        Pool("pool", "max"),
        Dense("h", np.ones((2, 4), np.float32), np.zeros(2, np.float32)),
        Output("y"),
    ]
    network = Network(nodes, {"r": ("x",), "pool": ("r",), "h": ("pool",), "y": ("h",)})
    with pytest.raises(UnsupportedError, match=r"(?s)'pool'.*MaxPoolingAsReLUs"):
        stages(network)
    written = run_passes(network, standard_passes(max_pooling=False))
    assert [s.kind for s in stages(written)] == ["relu", "relu", "relu", "readout"]
    assert [s.kind for s in stages(network, max_pooling=True)] == ["relu", "max", "readout"]


@pytest.mark.parametrize(
    "options",
    [
        {"steps": 0},
        {"steps": 2.5},
        {"steps": True},
        {"reset": "soft"},
        {"encoding": "ttfs"},
        {"balance": "mean"},
        {"percentile": 101.0},
    ],
)
def test_options(options):
    with pytest.raises(UsageError):
        RateScheme(**options)
