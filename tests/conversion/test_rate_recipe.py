"""What the rate code's recipe promises: signed spikes, corrected biases, both poolings, offsets."""

from __future__ import annotations

import numpy as np
import pytest
from networks import random_network

from neurodeploy.calibration import collect
from neurodeploy.conversion import RateScheme
from neurodeploy.conversion.preparing import prepared
from neurodeploy.conversion.rate import scheme
from neurodeploy.conversion.rate.subtracting import Subtracting
from neurodeploy.errors import UsageError
from neurodeploy.network import Activation, Add, Conv, Dense, Input, Network, Output, Pool
from neurodeploy.network.evaluate import Evaluator
from neurodeploy.network.stages import stages
from neurodeploy.program import CountMaximum, IntegrateFire, Preprocessing, TwoCompartments
from neurodeploy.simulator.simulation import simulate
from neurodeploy.targets import load_target

PLAIN = Preprocessing(1.0)


def convert(network, x, target="loihi2", **options):
    hardware = load_target(target)
    plan = RateScheme(**options).resolved(hardware)
    network = prepared(network, plan)
    known = collect(network, x, PLAIN.apply)
    cut = stages(network, max_pooling=plan.max_pooling)
    shape = network.shapes[network.input.name]
    return plan.convert(cut, shape, known, hardware, PLAIN, 0, {})


def error_of(program, network, x):
    exact = Evaluator(network).run(x)["output"].reshape(len(x), -1)
    found = simulate(program, x)[0].outputs.reshape(len(x), -1)
    return float(np.linalg.norm(found - exact) / np.linalg.norm(exact - exact.mean(0)))


def residual(rng, blocks=3, channels=6):
    """Shortcuts add what comes unevenly, block by block."""

    def conv(name, reads):
        weight = rng.standard_normal((channels, reads, 3, 3)) * np.sqrt(2 / (9 * reads))
        bias = rng.standard_normal(channels) * 0.1
        return Conv(name, weight.astype(np.float32), bias.astype(np.float32), (1, 1), (1,) * 4)

    nodes, inputs, last = [Input("x", (2, 7, 7)), conv("c", 2), Activation("r")], {}, "r"
    inputs |= {"c": ("x",), "r": ("c",)}
    for i in range(blocks):
        nodes += [conv(f"c{i}", channels), Activation(f"a{i}"), conv(f"d{i}", channels)]
        nodes += [Add(f"s{i}"), Activation(f"r{i}")]
        inputs |= {f"c{i}": (last,), f"a{i}": (f"c{i}",), f"d{i}": (f"a{i}",)}
        inputs |= {f"s{i}": (f"d{i}", last), f"r{i}": (f"s{i}",)}
        last = f"r{i}"
    head = (rng.standard_normal((5, channels * 49)) / 17).astype(np.float32)
    nodes += [Dense("head", head, np.zeros(5, np.float32)), Output("output")]
    return Network(nodes, inputs | {"head": (last,), "output": ("head",)})


def test_each_part_of_the_recipe_brings_the_outputs_nearer(monkeypatch):
    rng = np.random.default_rng(0)
    network = residual(rng)
    x = rng.standard_normal((120, 2, 7, 7)).astype(np.float32)
    seen, fresh = x[:60], x[60:]

    def error(steps=16, **options):
        return error_of(convert(network, seen, steps=steps, **options), network, fresh)

    bare = error(signed=False, bias_correction=False)
    corrected, signed = error(signed=False), error()
    assert corrected < bare
    assert signed < corrected
    assert error(32, target="loihi1") < bare
    monkeypatch.setattr(Subtracting, "free", False)
    assert corrected < error(signed=False)  # what a spike stands for is fitted


def test_stock_thresholds_are_chosen_by_the_outputs(monkeypatch):
    """Where a layer alone is nearest, at low rates, the next one reads spikes that are too few."""
    rng = np.random.default_rng(0)
    network = residual(rng)
    x = rng.standard_normal((48, 2, 7, 7)).astype(np.float32)
    seen, fresh = x[:24], x[24:]

    def program(steps):
        return convert(network, seen, steps=steps, reset="zero")

    few, many = program(16), program(128)
    said = [p.recorded("quantization")["threshold_height"] for p in (few, many)]
    assert set(said) <= set(scheme.HEIGHTS)
    assert said[0] <= said[1]
    nearer = error_of(many, network, fresh)
    assert nearer < 0.7 * error_of(few, network, fresh)  # more steps bring more again
    for height in (said[1] * 3, said[1] / 2):
        monkeypatch.setattr(scheme, "HEIGHTS", (height,))
        assert nearer < error_of(program(128), network, fresh)


def test_targets_have_their_neurons():
    rng = np.random.default_rng(0)
    network = residual(rng, blocks=1)
    x = rng.standard_normal((12, 2, 7, 7)).astype(np.float32)
    on2 = convert(network, x, steps=8)
    assert all(isinstance(p.neuron, IntegrateFire) for p in on2.populations)
    assert on2.is_graded(on2.populations[0].name)
    on1 = convert(network, x, target="loihi1", steps=8)
    assert all(isinstance(p.neuron, TwoCompartments) for p in on1.populations[:-1])
    assert not on1.needs_microcode
    assert not any(c.graded for c in on1.connections)
    for options in ({"signed": True}, {"signed": True, "reset": "zero"}, {"pooling": "counts"}):
        with pytest.raises(UsageError):
            convert(network, x, target="loihi1", **options)


@pytest.mark.parametrize(
    ("target", "encoding", "steps", "tolerance"),
    [
        ("loihi2", "deterministic", 2048, 0.03),
        ("loihi2", "poisson", 2048, 0.2),
        ("loihi1", "deterministic", 128, 0.15),
    ],
)
def test_signed_input_on_binary_targets(target, encoding, steps, tolerance):
    """Its offset is in the biases, of a padded border's neurons less than of the others."""
    weight = np.random.default_rng(1).standard_normal((3, 2, 3, 3)).astype(np.float32)
    nodes = [
        Input("x", (2, 5, 5)),
        Conv("c", weight, np.zeros(3, np.float32), (1, 1), (1,) * 4),
        Output("output"),
    ]
    network = Network(nodes, {"c": ("x",), "output": ("c",)})
    x = np.random.default_rng(2).uniform(-1, 1, (8, 2, 5, 5)).astype(np.float32)
    program = convert(network, x, target, steps=steps, encoding=encoding)
    assert not program.encoder.is_graded
    assert program.encoder.offset < 0
    exact = Evaluator(network).run(x)["output"].reshape(8, -1)
    found = simulate(program, x)[0].outputs.reshape(8, -1)
    assert np.abs(found - exact).max() < tolerance * np.abs(exact).max()
    # nothing at all comes in where the input is lowest: what is left is the response to the offset
    lowest = np.full((1, 2, 5, 5), program.encoder.offset, np.float32)
    alone = Evaluator(network).run(lowest)["output"].reshape(-1)
    only = simulate(program, lowest)[0].outputs.reshape(-1)
    assert np.abs(only - alone).max() < tolerance * np.abs(alone).max()
    assert np.unique(np.round(alone, 3)).size > 3  # borders differ


def pooled(rng, kernel):
    def conv(name, reads):
        weight = rng.standard_normal((4, reads, 3, 3)) * np.sqrt(2 / (9 * reads))
        return Conv(name, weight.astype(np.float32), np.zeros(4, np.float32), (1, 1), (1,) * 4)

    nodes = [
        Input("x", (1, 9, 9)), conv("a", 1), Activation("r"),
        Pool("pool", "max", (kernel, kernel), (2, 2), (1, 1, 1, 1)),
        conv("b", 4), Activation("s"), Output("output"),
    ]  # fmt: skip
    inputs = {"a": ("x",), "r": ("a",), "pool": ("r",), "b": ("pool",), "s": ("b",)}
    return Network(nodes, inputs | {"output": ("s",)})


@pytest.mark.parametrize("kernel", [2, 3])
@pytest.mark.parametrize("signed", [True, False])
def test_max_pooling_is_exact_in_counts(kernel, signed):
    rng = np.random.default_rng(3)
    network = pooled(rng, kernel)
    x = rng.standard_normal((20, 1, 9, 9)).astype(np.float32)
    program = convert(network, x, steps=24, signed=signed)
    kinds = [isinstance(p.neuron, CountMaximum) for p in program.populations]
    assert sum(kinds) == (1 if kernel == 2 else 2)  # nine cells: along each axis
    assert error_of(program, network, x) < 0.15
    as_relus = convert(network, x, steps=24, signed=signed, pooling="relus")
    assert not any(isinstance(p.neuron, CountMaximum) for p in as_relus.populations)
    assert error_of(as_relus, network, x) < 0.2


def test_random_networks_on_loihi_1():
    for seed in (5, 6):
        network = random_network(np.random.default_rng(seed), max_pooling=True)
        x = np.random.default_rng(1).standard_normal((24, *network.shapes["x"]))
        x = x.astype(np.float32)
        exact = Evaluator(network).run(x)["output"]
        if not exact.any():
            continue
        program = convert(network, x, "loihi1", steps=128)
        found = simulate(program, x)[0].outputs.reshape(exact.shape)
        assert np.corrcoef(found.reshape(-1), exact.reshape(-1))[0, 1] > 0.97
