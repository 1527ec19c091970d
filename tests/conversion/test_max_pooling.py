"""Max pooling in both codes wherever it may stand, and maps of one and three axes."""

from __future__ import annotations

import numpy as np
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

import neurodeploy as nd

SHAPES = {1: (2, 12), 2: (2, 8, 8), 3: (1, 6, 6, 6)}


def build(path, axes, make):
    """A model of 3-wide convolutions; `make` is given conv, relu, node and returns the last."""
    rng = np.random.default_rng(5)
    nodes, constants = [], []

    def node(kind, *sources, **attributes):
        nodes.append(
            helper.make_node(kind, sources, [f"v{len(nodes)}"], f"n{len(nodes)}", **attributes)
        )
        return nodes[-1].output[0]

    def conv(source, reads, writes=4):
        weight = rng.standard_normal((writes, reads, *(3,) * axes)) / np.sqrt(reads * 3**axes)
        constants.append(numpy_helper.from_array(weight.astype(np.float32), f"w{len(nodes)}"))
        return node("Conv", source, constants[-1].name, pads=[1] * 2 * axes)

    def pool(source, kind="MaxPool"):
        return node(kind, source, kernel_shape=[2] * axes, strides=[2] * axes)

    last = make(lambda *a: node("Relu", conv(*a)), pool, node)
    last = node("Flatten", node("GlobalAveragePool", last))
    graph = helper.make_graph(
        nodes,
        "pools",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", *SHAPES[axes]])],
        [helper.make_tensor_value_info(last, TensorProto.FLOAT, None)],
        constants,
    )
    model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)])
    path.write_bytes(model.SerializeToString())
    return path


def shared_concat(layer, pool, node):
    """As in Inception: the concatenation has another reader besides the pooling."""
    joined = node("Concat", layer("x", 2), layer("x", 2), axis=1)
    return node("Concat", pool(joined), pool(layer(joined, 8)), axis=1)


WAYS = {
    "alone": (2, lambda layer, pool, node: pool(layer("x", 2))),
    "one axis": (1, lambda layer, pool, node: layer(pool(layer("x", 2)), 4)),
    "three axes": (3, lambda layer, pool, node: layer(pool(layer("x", 1)), 4)),
    "sum of two": (2, lambda layer, pool, node: pool(node("Add", layer("x", 2), layer("x", 2)))),
    "average before": (2, lambda layer, pool, node: pool(pool(layer("x", 2), "AveragePool"))),
    "twice, of the input": (2, lambda layer, pool, node: layer(pool(pool("x")), 2)),
    "twice, of a sum": (
        2,
        lambda layer, pool, node: pool(pool(node("Sub", layer("x", 2), layer("x", 2)))),
    ),
    "shared concat": (2, shared_concat),
    "two poolings": (2, lambda layer, pool, node: pool(pool(layer("x", 2)))),
    "overlapping": (
        2,
        lambda layer, pool, node: layer(
            node("MaxPool", layer("x", 2), kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4), 4
        ),
    ),
    "may be negative": (
        2,
        lambda layer, pool, node: pool(node("Sub", layer("x", 2), layer("x", 2))),
    ),
    "may be negative, padded": (
        2,
        lambda layer, pool, node: node(
            "MaxPool",
            node("Sub", layer("x", 2), layer("x", 2)),
            kernel_shape=[3, 2],
            strides=[1, 2],
            pads=[1, 1, 1, 0],
        ),
    ),
}


@pytest.mark.parametrize("scheme", ["rate", "ttfs"])
@pytest.mark.parametrize("way", WAYS)
def test_outputs_follow_the_network(way, scheme, tmp_path):
    axes, make = WAYS[way]
    path = build(tmp_path / "m.onnx", axes, make)
    x = np.random.default_rng(6).uniform(-1, 1, (24, *SHAPES[axes])).astype(np.float32)
    exact = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"]).run(None, {"x": x})
    assert nd.check(path, scheme).ok
    steps = {"ttfs": 128, "rate": 512}[scheme]  # spikes of one rate come unevenly at first
    program = nd.compile(path, calibration=x, scheme=scheme, steps=steps, balance="max")
    found = nd.simulate(program, x).outputs
    assert np.abs(found - exact[0]).max() <= 0.05 * np.abs(exact[0]).max()


@pytest.mark.parametrize("axes", SHAPES)
@pytest.mark.parametrize("scheme", ["rate", "ttfs"])
def test_checked_without_samples(axes, scheme, tmp_path):
    path = build(
        tmp_path / "m.onnx", axes, lambda layer, pool, node: layer(layer("x", SHAPES[axes][0]), 4)
    )
    assert nd.check(path, scheme).ok
    nd.compile(path, scheme=scheme)
