"""Programs with or without a known fault, each with the ONNX file it was made of."""

from __future__ import annotations

import itertools
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest

from neurodeploy.calibration import collect
from neurodeploy.conversion import RateScheme, TtfsScheme
from neurodeploy.importing import load_network
from neurodeploy.network import Activation, Conv, Dense, Input, Network, Output
from neurodeploy.network.onnx_export import to_onnx
from neurodeploy.network.stages import stages
from neurodeploy.passes import run_passes, standard_passes
from neurodeploy.program import Preprocessing
from neurodeploy.targets import load_target

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "conversion"))

PLAIN = Preprocessing(1.0)


class Made:
    """A model on disk, its samples, and programs made of it."""

    def __init__(self, network, folder, seed=0, samples=24):
        self.path = folder / "m.onnx"
        onnx.save(to_onnx(network), self.path)
        self.network = run_passes(load_network(self.path).network, standard_passes())
        shape = self.network.shapes[self.network.input.name]
        rng = np.random.default_rng(seed)
        self.x = rng.random((samples, *shape)).astype(np.float32)

    def program(self, scheme, lambdas=None):
        """Compiled; `lambdas` multiplies lambda of the stages named (with balance ``max``)."""
        known = collect(self.network, self.x, PLAIN.apply)
        cut = stages(self.network, max_pooling=scheme.max_pooling)
        for name, factor in (lambdas or {}).items():
            (activation,) = (stage.activation for stage in cut if stage.name == name)
            old = known.layers[activation]
            known.layers[activation] = replace(old, maximum=old.maximum * factor)
        shape = self.network.shapes[self.network.input.name]
        return scheme.convert(cut, shape, known, load_target("loihi2"), PLAIN, 0, {})

    def names(self):
        return [stage.name for stage in stages(self.network, max_pooling=True)]


def convolutions(seed=3, outlier=None):
    """Four convolutions and a dense readout; `outlier`: one weight of the third is so many times
    larger than it was, and the channel it reads so many times smaller: the same function nearly.
    A clip, far away, keeps the compiler from evening that channel out.
    """
    rng = np.random.default_rng(seed)
    nodes, inputs, last, channels = [Input("x", (2, 8, 8))], {}, "x", 2
    for i in range(4):
        weight = rng.standard_normal((8, channels, 3, 3)) * np.sqrt(2 / (9 * channels))
        bias = rng.standard_normal(8) * 0.05
        if outlier and i == 1:
            weight[5] /= outlier
            bias[5] /= outlier
        if outlier and i == 2:
            weight[2, 5, 1, 1] *= outlier
        conv = Conv(
            f"conv{i}", weight.astype(np.float32), bias.astype(np.float32), (1, 1), (1,) * 4
        )
        nodes += [conv, Activation(f"relu{i}", maximum=1e3 if outlier and i == 1 else None)]
        inputs |= {f"conv{i}": (last,), f"relu{i}": (f"conv{i}",)}
        last, channels = f"relu{i}", 8
    head = rng.standard_normal((5, 8 * 64)) / np.sqrt(8 * 64)
    nodes += [Dense("head", head.astype(np.float32), np.zeros(5, np.float32)), Output("output")]
    return Network(nodes, inputs | {"head": (last,), "output": ("head",)})


#: The rate code without what mends it: each neuron computes its layer's sums, spikes come unevenly.
PLAIN_RATE = {"signed": False, "bias_correction": False, "step": "layer"}


@pytest.fixture
def made(tmp_path):
    return Made(convolutions(), tmp_path)


@pytest.fixture
def make(tmp_path):
    """A `Made` of any network."""
    return lambda network, **options: Made(network, tmp_path, **options)


@pytest.fixture
def with_outlier():
    return lambda times: convolutions(outlier=times)


@pytest.fixture
def wide():
    """A layer of 8192 neurons that all excite the next one."""
    rng = np.random.default_rng(0)
    sizes, nodes, inputs, last = (16, 8192, 8, 4), [Input("x", (16,))], {}, "x"
    for i, (reads, size) in enumerate(itertools.pairwise(sizes)):
        weight = (rng.random((size, reads)) + 0.5).astype(np.float32) / reads
        nodes.append(Dense(f"dense{i}", weight, np.zeros(size, np.float32)))
        inputs[f"dense{i}"] = (last,)
        last = f"dense{i}"
        if i < 2:
            nodes.append(Activation(f"relu{i}"))
            inputs[f"relu{i}"] = (last,)
            last = f"relu{i}"
    return Network([*nodes, Output("output")], inputs | {"output": (last,)})


@pytest.fixture
def schemes():
    """Both schemes with lambda at the maximum: nothing clips."""
    return {
        "rate": lambda steps=256, **options: RateScheme(
            steps=steps, balance="max", **{**PLAIN_RATE, **options}
        ),
        "ttfs": lambda steps=256: TtfsScheme(steps=steps, balance="max"),
    }
