"""`--scheme sigma-delta`: frames of a stream, by what Lava ships, as near as `graded --stock`."""

from __future__ import annotations

import importlib.util
from dataclasses import replace

import numpy as np
import pytest

import neurodeploy as nd
from neurodeploy.calibration import collect
from neurodeploy.conversion import GradedScheme, SigmaDeltaScheme, candidates
from neurodeploy.conversion.window.joined_chains import by_layer
from neurodeploy.errors import UsageError
from neurodeploy.network import Activation, Add, Conv, Dense, Input, Network, Output, Pool
from neurodeploy.network.onnx_export import to_onnx
from neurodeploy.network.stages import stages
from neurodeploy.passes import prepare
from neurodeploy.program import Preprocessing, Program
from neurodeploy.targets import load_target

PIXELS = Preprocessing(1 / 255, (0.4, 0.5), (0.2, 0.3))


def conv(rng, name, outputs, inputs, side=3, stride=1):
    weight = rng.normal(0, 1 / np.sqrt(inputs * side * side), (outputs, inputs, side, side))
    bias = rng.normal(0, 0.2, outputs).astype(np.float32)
    pad = (side - 1) // 2
    return Conv(name, weight.astype(np.float32), bias, (stride,) * 2, (pad,) * 4)


def network(seed, pool="max", clip=None) -> Network:
    """An identity skip, a skip through a convolution, pooling, a head."""
    rng = np.random.default_rng(seed)
    nodes = [
        Input("x", (2, 8, 8)), conv(rng, "a", 4, 2), Activation("ra", maximum=clip),
        conv(rng, "b", 4, 4), Activation("rb"), conv(rng, "c", 4, 4), Add("s"), Activation("rs"),
        conv(rng, "e", 6, 4, stride=2), conv(rng, "f", 6, 4, side=1, stride=2), Add("t"),
        Activation("rt"), Pool("p", pool),
        Dense("g", rng.normal(0, 0.3, (3, 24)).astype(np.float32), np.ones(3, np.float32)),
        Output("y"),
    ]  # fmt: skip
    inputs = {
        "a": ("x",), "ra": ("a",), "b": ("ra",), "rb": ("b",), "c": ("rb",), "s": ("c", "ra"),
        "rs": ("s",), "e": ("rs",), "f": ("rs",), "t": ("e", "f"), "rt": ("t",), "p": ("rt",),
        "g": ("p",), "y": ("g",),
    }  # fmt: skip
    return Network(nodes, inputs)


def convert(net, raw, scheme=None, **options) -> Program:
    scheme = scheme or SigmaDeltaScheme(**options)
    ready = prepare(net, max_pooling=scheme.max_pooling, clips=scheme.clips)
    known = collect(ready, raw, PIXELS.apply)
    parts = stages(ready, max_pooling=scheme.max_pooling)
    return scheme.convert(parts, (2, 8, 8), known, load_target("loihi2"), PIXELS, 0, {})


@pytest.fixture
def raw():
    """A stream: a few pixels change from frame to frame, and now and then all of them."""
    rng = np.random.default_rng(5)
    frames = [rng.integers(0, 256, (2, 8, 8))]
    for k in range(59):
        changed = rng.random((2, 8, 8)) < (1 if k % 20 == 0 else 0.1)
        frames.append(np.where(changed, rng.integers(0, 256, (2, 8, 8)), frames[-1]))
    return np.stack(frames).astype(np.uint8)


@pytest.mark.parametrize("pool", ["max", "average"])
@pytest.mark.parametrize("seed", [1, 2])
def test_without_a_threshold_every_frame_is_that_of_graded_stock(raw, seed, pool):
    """Integer for integer, however many frames were before; and fewer operations."""
    net = network(seed, pool)
    graded = nd.simulate(convert(net, raw, GradedScheme(stock=True)), raw)
    program = convert(net, raw, threshold=0.0)
    assert program.refresh == 0
    assert not program.needs_microcode
    found = nd.simulate(program, raw)
    np.testing.assert_array_equal(found.outputs, graded.outputs)
    assert found.synaptic_operations_per_sample < graded.synaptic_operations_per_sample


def test_thresholds_spare_operations_and_do_not_drift(raw):
    """What a threshold keeps back is bounded by it, in the first frame as in the last."""
    net = network(3)
    exact = nd.simulate(convert(net, raw, threshold=0.0), raw)
    kept = nd.simulate(convert(net, raw, threshold=0.05), raw)
    assert kept.synaptic_operations_per_sample < 0.8 * exact.synaptic_operations_per_sample
    error = np.abs(kept.outputs - exact.outputs).max(1)
    assert error[40:].mean() < 2 * error[:20].mean()
    assert error.max() < 0.2 * np.ptp(exact.outputs)


def test_divided_changes_drift_and_a_refresh_bounds_it(raw):
    program = convert(network(4), raw, divide="changes", threshold=0.0, bits=8)
    assert program.refresh == 20
    alone = nd.simulate(program.alone, raw).outputs

    def drift(refresh):
        found = nd.simulate(replace(program, refresh=refresh), raw).outputs
        return np.abs(found - alone).max(1)

    never, often = drift(0), drift(5)
    assert not often[::5].any()
    assert never[50:].mean() > 3 * often.mean()
    assert never[50:].mean() > 3 * never[:10].mean()


def test_populations_and_steps_a_layer(raw):
    """Five layers, of them one of the pooling's two: three steps each, or one."""
    changes = convert(network(1), raw, divide="changes")
    sums = convert(network(1), raw)
    layers = [p.name for p in changes.populations[1:-1]]
    assert [p.name for p in sums.populations] == [
        "input.relay",
        *(f"{name}{ending}" for name in layers for ending in (".sigma", ".delta", "")),
        changes.populations[-1].name,
    ]
    assert {p.neuron.process for p in changes.populations[1:-1]} == {"sigma_delta"}
    assert sums.latency - 3 == 3 * (changes.latency - 3)


def test_one_population_a_layer_says_the_same_of_frames_alone(raw):
    program = convert(network(2, clip=1.5), raw, threshold=0.02)
    joined = by_layer(program)
    assert len(joined.populations) < len(program.populations) / 2
    np.testing.assert_array_equal(
        nd.simulate(joined, raw).outputs, nd.simulate(program.alone, raw).outputs
    )


def test_explain_reads_frames_alone_and_blames_the_threshold(raw, tmp_path):
    net = network(6)
    x = raw.astype(np.float32) / 255
    model = to_onnx(net)
    program = nd.compile(model, x, scheme="sigma-delta", threshold=0.1, try_samples=0, warn=str)
    (tmp_path / "m.onnx").write_bytes(model.SerializeToString())
    told = []
    found = nd.explain(program, x[:12], model=tmp_path / "m.onnx", warn=told.append)
    assert any("frames of a stream" in line for line in told)
    assert found.blame.cause == "timing"
    assert "kept back" in found.blame.finding
    assert "--threshold" in found.blame.advice


def test_auto_leaves_streams_to_the_user():
    taken, left_out = candidates({}, load_target("loihi2"))
    assert "graded" in taken
    assert "sigma-delta" not in {*taken, *left_out}


def test_it_is_refused_where_spikes_are_binary(fashion, fashion_calibration):
    with pytest.raises(UsageError, match="0 bits with a spike"):
        nd.compile(fashion / "model.onnx", fashion_calibration[:8], "sigma-delta", target="loihi1")


lava = pytest.mark.skipif(importlib.util.find_spec("lava") is None, reason="Lava is not installed")


@pytest.mark.lava
@lava
@pytest.mark.parametrize(("divide", "stock"), [("sums", True), ("changes", False)])
def test_lava_sends_the_same(raw, divide, stock):
    """Every message of every population over frames and a refresh, on Lava's models and on ours."""
    program = convert(network(7), raw, divide=divide, refresh=3)
    result = nd.deploy(program, raw[:5], verify=True, stock=stock)
    assert result.compared_spikes > 1000
    assert result.mismatched_spikes == 0
    np.testing.assert_array_equal(result.outputs, nd.simulate(program, raw[:5]).outputs)
