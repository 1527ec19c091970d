"""Branches from ONNX to spikes: skips, sums, differences, concatenations, shared inputs.

Both schemes; branches of unequal length and of very unequal scale; samples streamed one after
the other without a pause, through the stepping reference, give what they give alone.
"""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

import neurodeploy as nd
from neurodeploy.simulator import encoding, reference

CHANNELS, SIDE = 6, 6


class Graph:
    """An ONNX graph of 3x3 convolutions, ReLUs and whatever joins them."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def node(self, kind: str, *sources: str, **attributes) -> str:
        name = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, sources, [name], name=f"n{name}", **attributes))
        return name

    def constant(self, values: np.ndarray) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(values.astype(np.float32), name))
        return name

    def conv(self, source: str, reads: int, kernel: int = 3, scale: float = 1.0) -> str:
        shape = (CHANNELS, reads, kernel, kernel)
        spread = 1.4 * scale / np.sqrt(reads * kernel**2)
        weight = self.constant(self.rng.standard_normal(shape) * spread)
        bias = self.constant(self.rng.standard_normal(CHANNELS) * 0.2 * scale)
        return self.node("Conv", source, weight, bias, pads=[kernel // 2] * 4)

    def relu(self, source: str) -> str:
        return self.node("Relu", source)

    def save(self, last: str, path) -> None:
        flat = self.node("GlobalAveragePool", last)
        flat = self.node("Flatten", flat)
        inferred = onnx.shape_inference.infer_shapes(self.model(flat))
        size = inferred.graph.output[0].type.tensor_type.shape.dim[1].dim_value
        head = self.constant(self.rng.standard_normal((size, 4)) / np.sqrt(size))
        onnx.save(self.model(self.node("MatMul", flat, head)), path)

    def model(self, last: str) -> onnx.ModelProto:
        graph = helper.make_graph(
            self.nodes,
            "branches",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 2, SIDE, SIDE])],
            [onnx.ValueInfoProto(name=last)],
            self.constants,
        )
        graph.output[0].type.tensor_type.elem_type = TensorProto.FLOAT
        opsets = [helper.make_opsetid("", 17)]
        return helper.make_model(graph, ir_version=8, opset_imports=opsets)


def residual(g: Graph) -> str:
    """Two blocks, identity skips around two layers."""
    last = g.relu(g.conv("x", 2))
    for _ in range(2):
        inner = g.relu(g.conv(last, CHANNELS))
        last = g.relu(g.node("Add", g.conv(inner, CHANNELS), last))
    return last


def subtracted(g: Graph) -> str:
    """A skip that is subtracted, and one with a negative constant factor."""
    first = g.relu(g.conv("x", 2))
    second = g.relu(g.conv(first, CHANNELS))
    third = g.relu(g.node("Sub", g.conv(second, CHANNELS), first))
    turned = g.node("Mul", first, g.constant(np.array(-0.5)))
    return g.relu(g.node("Add", g.conv(third, CHANNELS), turned))


def dense_block(g: Graph) -> str:
    """Every layer reads all before it, the input included."""
    grown, channels = "x", 2
    for _ in range(3):
        grown = g.node("Concat", grown, g.relu(g.conv(grown, channels)), axis=1)
        channels += CHANNELS
    return grown


def inception(g: Graph) -> str:
    """One input, four branches of unequal length, joined."""
    stem = g.relu(g.conv("x", 2))
    pooled = g.node("AveragePool", stem, kernel_shape=[3, 3], pads=[1] * 4)
    branches = [
        g.relu(g.conv(stem, CHANNELS, 1)),
        g.relu(g.conv(g.relu(g.conv(stem, CHANNELS, 1)), CHANNELS)),
        g.relu(g.conv(g.relu(g.conv(g.relu(g.conv(stem, CHANNELS, 1)), CHANNELS)), CHANNELS)),
        g.relu(g.conv(pooled, CHANNELS, 1)),
    ]
    return g.node("Concat", *branches, axis=1)


def unequal_scales(g: Graph) -> str:
    """Branches a hundred times apart, brought together by constants; the input skips as well."""
    large = g.relu(g.conv("x", 2, scale=100.0))
    small = g.relu(g.conv("x", 2))
    scaled = g.node("Div", g.conv(large, CHANNELS), g.constant(np.array(100.0)))
    both = g.node("Sum", scaled, g.conv(g.relu(g.conv(small, CHANNELS)), CHANNELS), small)
    return g.relu(g.node("Add", g.conv(g.relu(both), CHANNELS), g.conv("x", 2, 1)))


SHAPES = (residual, subtracted, dense_block, inception, unequal_scales)


@pytest.fixture(scope="module", params=SHAPES, ids=lambda make: make.__name__)
def network(request, tmp_path_factory):
    """Path of the model, samples, and what ONNX Runtime makes of them."""
    path = tmp_path_factory.mktemp("branches") / "model.onnx"
    graph = Graph(3)
    graph.save(request.param(graph), path)
    x = np.random.default_rng(4).uniform(-1, 1, (64, 2, SIDE, SIDE)).astype(np.float32)
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return path, x, session.run(None, {"x": x})[0]


@pytest.mark.parametrize(("scheme", "steps"), [("rate", 512), ("ttfs", 128)])
def test_outputs_follow_the_network(network, scheme, steps):
    path, x, exact = network
    program = nd.compile(path, calibration=x, scheme=scheme, steps=steps, balance="max")
    found = nd.simulate(program, x[:16]).outputs
    assert np.abs(found - exact[:16]).max() <= 0.08 * np.abs(exact).max()


@pytest.mark.parametrize(("scheme", "steps"), [("rate", 12), ("ttfs", 8)])
def test_streamed_samples_do_not_mix(network, scheme, steps):
    path, x, _ = network
    program = nd.compile(path, calibration=x, scheme=scheme, steps=steps)
    assert program.is_aligned
    alone = np.concatenate([nd.simulate(program, x[i : i + 1]).outputs for i in range(4)])
    level = encoding.levels(program.encoder, x[:4])
    parts = [encoding.encode(program.encoder, row, steps, k) for k, row in enumerate(level)]
    drain = np.zeros((program.latency, level.shape[1]), np.int32)
    trace = reference.run(program, np.concatenate([*parts, drain]))
    readout = program.population(program.decoder.population)
    ends = np.arange(1, 5) * steps + readout.phase - 2
    streamed = (trace.membrane[readout.name][ends] * program.decoder.unit).astype(np.float32)
    np.testing.assert_array_equal(streamed, alone.reshape(4, -1))
