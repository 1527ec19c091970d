"""Linear layers without an activation between them stay convolutions, however many in a row."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import neurodeploy as nd
from neurodeploy.network import (
    Activation,
    Add,
    Conv,
    Dense,
    Input,
    Network,
    Output,
    Permute,
    by_rows,
    evaluate,
    onnx_export,
)
from neurodeploy.network.onnx_export import to_onnx
from neurodeploy.program import Convolution
from neurodeploy.program import Dense as DenseSynapses
from neurodeploy.program.storage import to_bytes
from neurodeploy.simulator import dense_sweep
from neurodeploy.testing.comparing import compare_simulate


def bottlenecks(side=8):
    """Two inverted residuals, the second with an identity shortcut, and a classifier."""
    rng = np.random.default_rng(0)

    def conv(name, out, per_group, kernel, groups=1):
        scale = np.sqrt(2 / (per_group * kernel**2))
        weight = rng.normal(0, scale, (out, per_group, kernel, kernel)).astype(np.float32)
        bias = rng.normal(0, 0.05, out).astype(np.float32)
        return Conv(name, weight, bias, padding=(kernel // 2,) * 4, groups=groups)

    def block(k, inputs):
        return [
            conv(f"expand{k}", 12, inputs, 1),
            Activation(f"relu{k}a"),
            conv(f"depthwise{k}", 12, 1, 3, groups=12),
            Activation(f"relu{k}b"),
            conv(f"project{k}", 4, 12, 1),
        ]

    flat = 6 * side * side
    nodes = [
        Input("x", (3, side, side)), *block(1, 3), *block(2, 4), Add("add"), conv("last", 6, 4, 1),
        Activation("relu"), Permute("flat", (flat,)),
        Dense("dense", rng.normal(0, 0.1, (5, flat)).astype(np.float32), np.zeros(5, np.float32)),
        Output("out"),
    ]  # fmt: skip
    inputs = {b.name: (a.name,) for a, b in itertools.pairwise(nodes)}
    inputs["add"] = ("project2", "project1")
    return Network(nodes, inputs)


@pytest.mark.parametrize("scheme", ["ttfs", "radix", "rate"])
def test_every_connection_is_a_convolution(scheme):
    x = np.random.default_rng(1).random((8, 3, 8, 8), dtype=np.float32)
    options = {"try_samples": 0} | ({} if scheme == "radix" else {"steps": 16})
    model = to_onnx(bottlenecks())
    program = nd.compile(model, x, scheme, warn=lambda _: None, **options)
    kinds = {c.name: type(c.synapses) for c in program.connections}
    assert set(kinds.values()) == {Convolution, DenseSynapses}
    # the projections are no populations: who reads them reads what they read
    assert len([p for p in program.populations if not p.name.endswith(".relay")]) == 6
    shapes = [c.synapses.weights.shape for c in program.connections]
    assert shapes.count((12, 12, 1, 1)) == 1
    assert shapes.count((6, 12, 1, 1)) == 2
    compare_simulate(program, x[:2])


def test_large_weights_beside_the_model(monkeypatch):
    """What ONNX Runtime is given beside a model, and what is worked on row by row, is the same."""
    x = np.random.default_rng(1).random((4, 3, 8, 8), dtype=np.float32)
    model, options = to_onnx(bottlenecks()), {"steps": 16, "try_samples": 0}
    program = nd.compile(model, x, "ttfs", warn=lambda _: None, **options)
    monkeypatch.setattr(dense_sweep, "_APART", 0)
    monkeypatch.setattr(evaluate, "_MANY", 0)
    monkeypatch.setattr(onnx_export, "_FEW", 0)
    monkeypatch.setattr(by_rows, "_WEIGHTS", 8)
    again = nd.compile(model, x, "ttfs", warn=lambda _: None, **options)
    assert to_bytes(again) == to_bytes(program)
    compare_simulate(program, x[:2])
