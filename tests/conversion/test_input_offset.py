"""The time code's input starts at its lowest value, not at 0: whoever reads it takes that in."""

from __future__ import annotations

import numpy as np
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

import neurodeploy as nd
from neurodeploy.conversion.value_of_zero import response_to_zeros
from neurodeploy.ledger.matching import match
from neurodeploy.ledger.source_model import reference_network
from neurodeploy.network import Conv, Dense, Input, Network, Output, Pool
from neurodeploy.network.stages import apply_operator, operator_matrix, stages
from neurodeploy.program import INPUT, Earliest

SHAPE = (2, 7, 7)
RANGES = [(-2.0, 1.0), (0.2, 1.0), (-3.0, -1.0), (5.0, 6.0)]


class Graph:
    """Nodes of an ONNX graph that reads ``x``."""

    def __init__(self, shape=SHAPE):
        self.shape = shape
        self.rng = np.random.default_rng(7)
        self.nodes, self.constants = [], []

    def node(self, kind, *sources, **attributes):
        name = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, sources, [name], f"n{name}", **attributes))
        return name

    def weight(self, *shape):
        values = self.rng.standard_normal(shape) / np.sqrt(np.prod(shape[1:]))
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(values.astype(np.float32), name))
        return name

    def conv(self, source, reads, writes=3, groups=1):
        weight = self.weight(writes, reads // groups, 3, 3)
        return self.node("Conv", source, weight, pads=[1] * 4, group=groups)

    def pool(self, source, kind="MaxPool", pads=0, stride=2):
        window = {"kernel_shape": [2, 2], "strides": [stride] * 2, "pads": [pads] * 4}
        return self.node(kind, source, **window)

    def relu(self, source):
        return self.node("Relu", source)

    def save(self, path, last):
        last = self.node("Flatten", self.node("GlobalAveragePool", last))
        graph = helper.make_graph(
            self.nodes,
            "offset",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", *self.shape])],
            [helper.make_tensor_value_info(last, TensorProto.FLOAT, None)],
            self.constants,
        )
        opset = [helper.make_opsetid("", 17)]
        model = helper.make_model(graph, ir_version=8, opset_imports=opset)
        path.write_bytes(model.SerializeToString())
        return path


def skip(g):
    """The maximum reaches a later layer as well, over a relay."""
    pooled = g.pool("x")
    deep = g.relu(g.conv(g.relu(g.conv(pooled, 2)), 3, 2))
    return g.conv(g.node("Add", deep, pooled), 2)


def joined(g):
    pooled = g.pool("x", pads=1, stride=1)
    return g.conv(
        g.relu(g.conv(g.node("Concat", g.pool(pooled), g.pool("x", pads=1), axis=1), 4)), 3
    )


def transposed(g):
    """Rows and columns exchanged, and channels last for a while."""
    turned = g.node("Transpose", "x", perm=[0, 1, 3, 2])
    return g.conv(g.pool(turned, stride=1), 2)


WAYS = {
    "transposed": transposed,
    "max alone": lambda g: g.pool("x"),
    "max, conv": lambda g: g.relu(g.conv(g.pool("x"), 2)),
    "padded max, grouped conv": lambda g: g.conv(g.pool("x", pads=1), 2, 4, groups=2),
    "max twice": lambda g: g.relu(g.conv(g.pool(g.pool("x", stride=1)), 2)),
    "max, average": lambda g: g.pool(g.pool("x", stride=1), "AveragePool", pads=1),
    "max, relu": lambda g: g.relu(g.pool("x")),
    "average, max of conv": lambda g: g.pool(g.relu(g.conv(g.pool("x", "AveragePool"), 2))),
    "skip": skip,
    "joined": joined,
}


@pytest.mark.parametrize("ends", RANGES, ids=str)
@pytest.mark.parametrize("way", WAYS)
def test_outputs_follow_the_network(way, ends, tmp_path):
    graph = Graph()
    path = graph.save(tmp_path / "m.onnx", WAYS[way](graph))
    x = np.random.default_rng(8).uniform(*ends, (16, *SHAPE)).astype(np.float32)
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    exact = session.run(None, {"x": x})[0]
    program = nd.compile(path, calibration=x, scheme="ttfs", steps=256, balance="max")
    error = np.abs(nd.simulate(program, x).outputs - exact).max()
    assert error <= 0.02 * max(1.0, np.abs(exact).max())


def test_explain_knows_what_a_silent_maximum_stands_for(tmp_path):
    graph = Graph()
    path = graph.save(tmp_path / "m.onnx", skip(graph))
    x = np.random.default_rng(8).uniform(-2, 1, (8, *SHAPE)).astype(np.float32)
    # a window longer than a synapse can wait, so that the branch needs a relay
    program = nd.compile(path, calibration=x, scheme="ttfs", steps=100)
    twin = match(program, reference_network(program, path))
    maxima = [layer for layer in twin.layers if isinstance(layer.population.neuron, Earliest)]
    assert maxima
    assert {float(layer.offset) for layer in maxima} == {program.encoder.offset}


def test_volumes_of_maxima_are_explained(tmp_path):
    graph = Graph((1, 4, 4, 4))
    pooled = graph.node("MaxPool", "x", kernel_shape=[2] * 3, strides=[1] * 3, pads=[1] * 6)
    path = graph.save(tmp_path / "m.onnx", pooled)
    x = np.random.default_rng(8).uniform(-2, -1, (8, 1, 4, 4, 4)).astype(np.float32)
    program = nd.compile(path, calibration=x, scheme="ttfs")
    twin = match(program, reference_network(program, path))
    (pool,) = (layer for layer in twin.layers if layer.kind == "max")
    source = x.reshape(len(x), -1)
    windows = pooled_volumes(x, 2)
    np.testing.assert_array_equal(pool.exact({INPUT: source}), windows.reshape(len(x), -1))
    nd.explain(program, x, model=path)


def pooled_volumes(x, kernel):
    padded = np.pad(x, ((0, 0), (0, 0), *((1, 1),) * 3), constant_values=-np.inf)
    seen = np.lib.stride_tricks.sliding_window_view(padded, (kernel,) * 3, (2, 3, 4))
    return seen.max((5, 6, 7))


def test_names_of_added_populations_stay_theirs(tmp_path):
    """A layer of the model may be called as a relay would be."""
    graph = Graph()
    first = graph.relu(graph.conv("x", 2))
    name = graph.nodes[0].name
    second = graph.relu(graph.conv(first, 3))
    graph.nodes[-2].name = f"{name}.relay"
    third = graph.relu(graph.conv(second, 3))
    path = graph.save(tmp_path / "m.onnx", graph.node("Add", third, first))
    x = np.random.default_rng(8).uniform(-2, 1, (16, *SHAPE)).astype(np.float32)
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    exact = session.run(None, {"x": x})[0]
    program = nd.compile(path, calibration=x, scheme="ttfs", steps=256, balance="max")
    assert np.abs(nd.simulate(program, x).outputs - exact).max() <= 0.02 * np.abs(exact).max()


def test_response_without_a_matrix():
    """Conv, Dense and sparse alike; padding counts for nothing."""
    rng = np.random.default_rng(1)
    conv = Conv("c", rng.standard_normal((3, 2, 3, 3)).astype(np.float32), np.zeros(3), (2, 1))
    conv = Conv("c", conv.weight, conv.bias, (2, 1), (1, 0, 1, 1))
    dense = Dense("d", rng.standard_normal((4, 98)).astype(np.float32), np.zeros(4))
    x = rng.standard_normal(SHAPE)
    for operator in (conv, dense, operator_matrix(conv, SHAPE)):
        expected = operator_matrix(operator, SHAPE) @ x.reshape(-1)
        np.testing.assert_allclose(apply_operator(operator, x), expected, atol=1e-6)
    network = Network(
        [Input("x", SHAPE), Pool("p", "max"), conv, Output("y")],
        {"p": ("x",), "c": ("p",), "y": ("c",)},
    )
    pooled, readout = stages(network, max_pooling=True)
    assert pooled.activation == "p"
    shapes = {INPUT: SHAPE, pooled.name: pooled.shape}
    zero = {INPUT: 0.0, pooled.name: -2.0}
    found = response_to_zeros(readout.paths, zero, shapes)
    expected = operator_matrix(conv, pooled.shape) @ np.full(18, -2.0)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert response_to_zeros(pooled.paths, zero, shapes) == 0.0


def test_zeros_around_the_input_are_no_padding_of_the_pooling(tmp_path):
    """They are larger than an input that is negative, and count."""
    graph = Graph()
    graph.constants.append(numpy_helper.from_array(np.array([0, 0, 1, 1] * 2), "pads"))
    path = graph.save(tmp_path / "m.onnx", graph.pool(graph.node("Pad", "x", "pads")))
    x = np.random.default_rng(8).uniform(-2, -1, (16, *SHAPE)).astype(np.float32)
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    exact = session.run(None, {"x": x})[0]
    program = nd.compile(path, calibration=x, scheme="ttfs", steps=256, balance="max")
    assert np.abs(nd.simulate(program, x).outputs - exact).max() <= 0.02 * np.abs(exact).max()
