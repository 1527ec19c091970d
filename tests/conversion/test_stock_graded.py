"""`--scheme graded --stock`: integers by what Lava ships, and nothing of ours."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import numpy as np
import onnx
import onnxruntime as ort
import pytest

import neurodeploy as nd
from neurodeploy.calibration import collect
from neurodeploy.conversion import GradedScheme
from neurodeploy.errors import UsageError
from neurodeploy.network import Activation, Add, Conv, Dense, Input, Network, Output, Pool
from neurodeploy.network.evaluate import Evaluator
from neurodeploy.network.onnx_export import to_onnx
from neurodeploy.network.stages import stages
from neurodeploy.passes import prepare
from neurodeploy.program import Preprocessing
from neurodeploy.program.bounds import bounds
from neurodeploy.program.neurons.graded_relu import is_whole
from neurodeploy.simulator import reference
from neurodeploy.simulator.closed_form import is_closed_form
from neurodeploy.simulator.encoding import encode, levels
from neurodeploy.simulator.simulation import simulate
from neurodeploy.targets import load_target
from neurodeploy.testing.networks import random_model

PIXELS = Preprocessing(1 / 255, (0.4, 0.5), (0.2, 0.3))


def conv(rng, name, outputs, inputs, side=3, stride=1):
    weight = rng.normal(0, 1 / np.sqrt(inputs * side * side), (outputs, inputs, side, side))
    bias = rng.normal(0, 0.2, outputs).astype(np.float32)
    pad = (side - 1) // 2
    return Conv(name, weight.astype(np.float32), bias, (stride,) * 2, (pad,) * 4)


def network(rng, clip=None) -> Network:
    """An identity skip, a skip through a convolution, max pooling, a head; perhaps a clip."""
    nodes = [
        Input("x", (2, 8, 8)), conv(rng, "a", 4, 2), Activation("ra", maximum=clip),
        conv(rng, "b", 4, 4), Activation("rb"), conv(rng, "c", 4, 4), Add("s"),
        Activation("rs"), conv(rng, "d", 6, 4, stride=2), Activation("rd"),
        conv(rng, "e", 6, 6), conv(rng, "f", 6, 4, side=1, stride=2), Add("t"), Activation("rt"),
        Pool("p", "max"), Dense("g", rng.normal(0, 0.3, (3, 24)).astype(np.float32),
                                np.array([40.0, -3.0, 0.5], np.float32)),
        Output("y"),
    ]  # fmt: skip
    inputs = {
        "a": ("x",), "ra": ("a",), "b": ("ra",), "rb": ("b",), "c": ("rb",), "s": ("c", "ra"),
        "rs": ("s",), "d": ("rs",), "rd": ("d",), "e": ("rd",), "f": ("rs",), "t": ("e", "f"),
        "rt": ("t",), "p": ("rt",), "g": ("p",), "y": ("g",),
    }  # fmt: skip
    return Network(nodes, inputs)


def exact_of(net, x):
    return Evaluator(net).run(x)[net.output.name].reshape(len(x), -1)


def convert(net, raw, **options):
    scheme = GradedScheme(**{"stock": True, **options})
    ready = prepare(net, max_pooling=scheme.max_pooling, clips=scheme.clips)
    known = collect(ready, raw, PIXELS.apply)
    parts = stages(ready, max_pooling=scheme.max_pooling)
    return scheme.convert(parts, (2, 8, 8), known, load_target("loihi2"), PIXELS, 0, {})


@pytest.fixture
def raw():
    return np.random.default_rng(5).integers(0, 256, (40, 2, 8, 8), dtype=np.uint8)


@pytest.mark.parametrize("clip", [None, 0.5])
@pytest.mark.parametrize("seed", [1, 2])
def test_outputs_are_as_near_as_those_of_the_neuron_that_divides(raw, seed, clip):
    net = network(np.random.default_rng(seed), clip)
    exact = exact_of(net, PIXELS.apply(raw))
    error = {}
    for stock in (False, True):
        program = convert(net, raw, stock=stock)
        error[stock] = np.abs(simulate(program, raw)[0].outputs - exact).max()
    assert error[True] < 2 * error[False]
    assert not program.needs_microcode
    assert program.period == 1


def test_a_step_a_layer(raw):
    """Seven layers, of them two of the pooling; the input is sent at step 1."""
    program = convert(network(np.random.default_rng(1)), raw)
    assert program.latency == 9
    assert program.population("p/cells_2").phase == 7


def test_all_paths_but_one_bring_whole_units(raw):
    program = convert(network(np.random.default_rng(3)), raw)
    shifted = [
        sum(not is_whole(c, p.neuron.shift) for c in program.incoming(p.name))
        for p in program.populations
    ]
    assert max(shifted) == 1
    assert len([p for p in program.populations if "/part" in p.name]) == 2


def test_parts_stand_for_the_same_in_both_signs(raw):
    program = convert(network(np.random.default_rng(4)), raw)
    plus, minus = (p for p in program.populations if "/part" in p.name)
    np.testing.assert_array_equal(plus.membrane_units, minus.membrane_units)
    assert plus.neuron.shift == minus.neuron.shift


def test_the_closed_form_is_what_is_stepped(raw):
    program = convert(network(np.random.default_rng(6)), raw)
    assert is_closed_form(program)
    swept = simulate(program, raw)[0].outputs
    level = levels(program.encoder, raw)
    drain = np.zeros((program.latency, level.shape[1]), np.int64)
    sent = [encode(program.encoder, row, 1, k) for k, row in enumerate(level)]
    trace = reference.run(program, np.concatenate([*sent, drain]))
    readout = program.population(program.decoder.population)
    rows = trace.messages[readout.name][readout.phase - 1 :][: len(raw)]
    np.testing.assert_array_equal((rows * program.decoder.unit).astype(np.float32), swept)


@pytest.mark.parametrize("seed", range(16))
def test_random_networks(seed, tmp_path):
    """Any network: near its own outputs. Where many paths meet, weights have one scale a layer."""
    made = random_model(np.random.default_rng(seed), samples=24)
    session = ort.InferenceSession(made.model.SerializeToString())
    exact = session.run(None, {"x": made.x})[0].reshape(len(made.x), -1)
    errors = {}
    for stock in (False, True):
        program = nd.compile(
            made.model, made.x, scheme="graded", stock=stock, try_samples=0, warn=str
        )
        outputs = nd.simulate(program, made.x).outputs.reshape(exact.shape)
        errors[stock] = float(np.abs(outputs - exact).max() / (np.abs(exact).max() or 1))
    assert not program.needs_microcode
    assert errors[True] < max(5 * errors[False], 0.03), made.description


def test_it_is_refused_where_spikes_are_binary(fashion, fashion_calibration):
    with pytest.raises(UsageError, match="0 bits with a spike"):
        nd.compile(
            fashion / "model.onnx", fashion_calibration[:8], "graded", target="loihi1", stock=True
        )


def test_without_samples_bounds_are_proved():
    rng = np.random.default_rng(8)
    weight = rng.normal(0, 0.5, (6, 4)).astype(np.float32)
    head = rng.normal(0, 0.5, (3, 6)).astype(np.float32)
    nodes = [
        Input("x", (4,)), Dense("a", weight, np.zeros(6, np.float32)), Activation("r"),
        Dense("b", head, np.ones(3, np.float32)), Output("y"),
    ]  # fmt: skip
    net = Network(nodes, {"a": ("x",), "r": ("a",), "b": ("r",), "y": ("b",)})
    program = nd.compile(
        to_onnx(net), scheme="graded", stock=True, input_range=(-1.0, 1.0), warn=str
    )
    x = rng.uniform(-1, 1, (50, 4)).astype(np.float32)
    found = nd.simulate(program, x)
    assert np.abs(found.outputs - exact_of(net, x)).max() < 0.05
    assert all(proof.cannot_clip for proof in bounds(program).values())


lava = pytest.mark.skipif(importlib.util.find_spec("lava") is None, reason="Lava is not installed")


@pytest.mark.lava
@lava
@pytest.mark.parametrize("stock", [False, True])
def test_lava_sends_the_same(raw, stock):
    """Every message of every population, on Lava's own models (stock) and on ours."""
    program = convert(network(np.random.default_rng(7), clip=1.0), raw)
    result = nd.deploy(program, raw[:2], verify=True, stock=stock)
    assert result.compared_spikes > 1000
    assert result.mismatched_spikes == 0
    np.testing.assert_array_equal(result.outputs, nd.simulate(program, raw[:2]).outputs)


#: Prints the module of each process that a program becomes.
_MODULES = """
import sys
from pathlib import Path
import numpy as np
import neurodeploy as nd
from neurodeploy.lava.compat import import_lava
import_lava()
from lava.magma.compiler.compiler_graphs import find_processes
from neurodeploy.lava.lowering import lower
folder = Path(sys.argv[1])
program = nd.load(folder / "program.ndp")
np.save(folder / "messages.npy", np.zeros((3, program.inputs), np.int16))
lowered = lower(program, folder, largest=255, stock=True)
print(*{type(process).__module__ for process in find_processes(lowered.source)})
"""


@pytest.mark.lava
@lava
def test_every_process_is_one_that_lava_ships(raw, tmp_path):
    """Input, connections, delays, neurons, biases, sinks: the modules of all of them."""
    convert(network(np.random.default_rng(7)), raw).save(tmp_path / "program.ndp")
    # Lava sets the start method of processes when it is imported, which is for a process of its own
    done = subprocess.run(
        [sys.executable, "-c", _MODULES, str(tmp_path)],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    modules = set(done.stdout.split())
    assert modules == {
        "lava.proc.dense.process",
        "lava.proc.graded.process",
        "lava.proc.io.sink",
        "lava.proc.io.source",
        "lava.proc.lif.process",
        "lava.proc.sparse.process",
    }


def test_a_readout_has_room_for_what_no_sample_brings(tmp_path):
    """Before the first sample arrives, biases alone add up; Lava sends the sum whole."""
    rng = np.random.default_rng(0)
    weight = rng.normal(0, 0.05, (3, 4096)).astype(np.float32)
    nodes = [
        Input("x", (2, 32, 32)), conv(rng, "a", 4, 2), Activation("ra"),
        Dense("g", weight, np.array([1.0, -3.0, 0.5], np.float32)), Output("y"),
    ]  # fmt: skip
    net = Network(nodes, {"a": ("x",), "ra": ("a",), "g": ("ra",), "y": ("g",)})
    onnx.save(to_onnx(net), tmp_path / "m.onnx")
    x = rng.random((60, 2, 32, 32)).astype(np.float32)
    program = nd.compile(tmp_path / "m.onnx", x[:50], scheme="graded", stock=True, try_samples=0)
    readout = program.populations[-1]
    assert readout.neuron.shift > 0
    assert bounds(program)[readout.name].cannot_clip
    unit = readout.membrane_unit * 2**readout.neuron.shift
    assert program.decoder.unit == pytest.approx(unit)
    told = nd.explain(program, x[50:], model=tmp_path / "m.onnx")
    assert told.summary[-1].error < 0.02
