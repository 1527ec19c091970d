"""The batch axis, open dimensions, inputs and outputs."""

import numpy as np
import pytest
from onnx import TensorProto, helper

from neurodeploy.importing import load_network

RNG = np.random.default_rng(6)
W = RNG.standard_normal((6, 4)).astype(np.float32)


@pytest.mark.parametrize("batch", ["batch", "s77", "", 1, 2, 5, 0, -1])
def test_any_batch(model, agree, save, batch):
    proto = model([("Gemm", "x w", "g"), ("Relu", "g", "y")], (6,), batch=batch, w=W)
    if batch in (0, -1):  # some exporters mean "open"; ONNX Runtime takes it at its word
        assert load_network(save(proto)).network.input.shape == (6,)
    else:
        agree(proto)


def test_shape_glue_of_exporters(model, agree):
    nodes = [
        ("Shape", "x", "s"),
        ("Slice", "s from to", "n"),
        ("Concat", "n rest", "t", {"axis": 0}),
        ("Reshape", "x t", "r"),
        ("Gemm", "r w", "y"),
    ]
    constants = {"from": np.array([0]), "to": np.array([1]), "rest": np.array([6])}
    agree(model(nodes, (2, 3), w=W, **constants))
    agree(model(nodes, (2, 3), batch=4, w=W, **constants))


def test_weights_prepared_by_constant_nodes(model, agree):
    nodes = [
        ("Transpose", "w", "t"),
        ("Mul", "t two", "m"),
        ("Reshape", "m s", "v"),
        ("MatMul", "x v", "y"),
    ]
    constants = {"two": np.float32(2), "s": np.array([6, -1])}
    imported = agree(model(nodes, (6,), w=W.T.copy(), **constants))
    assert len(imported.network) == 3


def test_nodes_out_of_order(model, agree):
    proto = model([("Gemm", "x w", "g"), ("Relu", "g", "h"), ("Relu", "h", "y")], (6,), w=W)
    proto.graph.node.insert(0, proto.graph.node.pop())
    agree(proto)


def test_initialisers_listed_as_inputs(model, agree):
    nodes = [("Reshape", "w s", "v"), ("MatMul", "x v", "y")]
    proto = model(nodes, (6,), opset=8, w=W.reshape(2, 3, 4), s=np.array([6, 4]))
    proto.ir_version = 3
    for tensor in proto.graph.initializer:
        proto.graph.input.append(
            helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims)
        )
    agree(proto)


@pytest.mark.parametrize("opened", ["height", "", 0])
def test_open_dimension(model, invalid, opened):
    proto = model([("Relu", "x", "y")], (3, opened, 8))
    error = invalid(proto, match="dimension 2 of input 'x'")
    assert "fixed size" in error.remedy


def test_shapes_that_are_no_batch_of_samples(model, invalid):
    scalar = model([("Relu", "x", "y")], ())
    invalid(scalar, match="batch axis")
    unknown = model([("Relu", "x", "y")], (3,))
    unknown.graph.input[0].type.tensor_type.ClearField("shape")
    invalid(unknown, match="known shape")


def test_inputs_and_outputs(model, save, invalid):
    second = helper.make_tensor_value_info("z", TensorProto.FLOAT, ["batch", 4])
    two = model([("Add", "x z", "y")], (4,))
    two.graph.input.append(second)
    invalid(two, match="2 data inputs .'x', 'z'.")
    idle = model([("Relu", "x", "y")], (4,))
    idle.graph.input.append(second)
    assert load_network(save(idle)).input_name == "x"
    several = save(model([("Relu", "x", "a"), ("Neg", "x", "b")], (4,), output="a b"))
    assert load_network(several).output_name == "a"
    none = model([("Relu", "x", "y")], (4,))
    del none.graph.output[:]
    invalid(none, match="no output")
    del none.graph.input[:]
    invalid(none, match="no data input")


def test_constant_output(model, invalid):
    constant = np.zeros((1, 4), np.float32)
    invalid(model([("Relu", "c", "y")], (4,), c=constant), match="does not depend")
