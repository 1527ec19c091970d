"""The Network on ONNX Runtime against NumPy."""

import numpy as np
import onnx
import pytest

from neurodeploy.errors import DataError, UsageError
from neurodeploy.network import (
    Activation,
    Add,
    Concat,
    Conv,
    Dense,
    Input,
    Network,
    Output,
    Permute,
    Pool,
)
from neurodeploy.network.evaluate import Evaluator
from neurodeploy.network.onnx_export import to_onnx

RNG = np.random.default_rng(8)


def normal(*shape):
    return RNG.standard_normal(shape).astype(np.float32)


def chain(shape, *nodes):
    names = ["in", *(node.name for node in nodes)]
    inputs = {name: (names[i],) for i, name in enumerate(names[1:])}
    return Network([Input("in", shape=shape), *nodes, Output("out")],
                   {**inputs, "out": (names[-1],)})  # fmt: skip


def run(network, x, *taps):
    return Evaluator(network, taps).run(x)


def test_dense_and_activation():
    weight, bias, x = normal(3, 4), normal(3), normal(5, 4)
    network = chain(
        (4,),
        Dense("fc", weight=weight, bias=bias),
        Activation("relu"),
        Activation("six", maximum=0.5),
        Activation("same", function="identity"),
    )
    found = run(network, x, "fc", "relu", "in", "out")
    assert list(found) == ["out", "fc", "relu", "in"]
    linear = x @ weight.T + bias
    np.testing.assert_allclose(found["fc"], linear, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(found["relu"], linear.clip(0), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(found["out"], linear.clip(0, 0.5), rtol=1e-5, atol=1e-5)
    assert found["in"] is not None
    assert all(result.dtype == np.float32 for result in found.values())


def test_branches():
    nodes = [Input("in", shape=(2, 3)), Activation("r"), Add("sum"), Concat("cat", axis=1),
             Output("out")]  # fmt: skip
    inputs = {"r": ("in",), "sum": ("in", "r", "in"), "cat": ("sum", "r"), "out": ("cat",)}
    x = normal(4, 2, 3)
    r = x.clip(0)
    found = run(Network(nodes, inputs), x)["out"]
    np.testing.assert_allclose(found, np.concatenate([2 * x + r, r], axis=2), rtol=1e-6)


def test_permute_with_zero_and_repetition():
    indices = np.array([5, -1, 0, 0, 3, -1])
    x = normal(3, 2, 3)
    flat = x.reshape(3, 6)
    wanted = np.where(indices < 0, 0, flat[:, indices]).reshape(3, 3, 2)
    found = run(chain((2, 3), Permute("move", shape=(3, 2), indices=indices)), x)["out"]
    np.testing.assert_array_equal(found, wanted)
    found = run(chain((2, 3), Permute("move", shape=(3, 2))), x)["out"]
    np.testing.assert_array_equal(found, x.reshape(3, 3, 2))


@pytest.mark.parametrize("include", [False, True])
def test_average_pool_counts_padding(include):
    pool = Pool("p", kernel=(2,), stride=(2,), padding=(1, 1), dilation=(1,),
                count_include_pad=include)  # fmt: skip
    x = np.array([[[2.0, 4.0, 6.0, 8.0]]], np.float32)
    wanted = [1, 5, 4] if include else [2, 5, 8]
    np.testing.assert_allclose(run(chain((1, 4), pool), x)["out"], [[wanted]])


def test_conv_and_max_pool():
    conv = Conv("c", weight=np.ones((1, 1, 2, 2), np.float32), bias=np.ones(1, np.float32))
    pool = Pool("p", operation="max", kernel=(2, 2), stride=(1, 1))
    x = np.arange(9, dtype=np.float32).reshape(1, 1, 3, 3)
    found = run(chain((1, 3, 3), conv, pool), x, "c")
    np.testing.assert_allclose(found["c"], [[[[9, 13], [21, 25]]]])
    np.testing.assert_allclose(found["out"], [[[[25]]]])


def test_export_is_valid_and_has_a_dynamic_batch():
    network = chain((4,), Dense("fc", weight=normal(3, 4), bias=normal(3)), Activation("r"))
    model = to_onnx(network, ["fc", "fc"])
    onnx.checker.check_model(model, full_check=True)
    assert [value.name for value in model.graph.output] == ["out", "fc"]
    assert model.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "batch"


def test_names_that_collide_with_tensors():
    nodes = [Dense("fc", weight=normal(3, 4), bias=normal(3)), Activation("fc.weight"),
             Activation("fc.bias")]  # fmt: skip
    assert run(chain((4,), *nodes), normal(2, 4))["out"].shape == (2, 3)


def test_batches():
    network = chain((4,), Activation("r"))
    x = normal(7, 4)
    parts = list(Evaluator(network).batches(x, 3))
    assert [len(part["out"]) for part in parts] == [3, 3, 1]
    np.testing.assert_array_equal(np.concatenate([p["out"] for p in parts]), x.clip(0))
    with pytest.raises(UsageError):
        next(Evaluator(network).batches(x, 0))


def test_wrong_samples_and_taps():
    network = chain((4,), Activation("r"))
    for shape in [(3, 5), (4,), (3, 4, 1)]:
        with pytest.raises(DataError, match="do not fit"):
            Evaluator(network).run(np.zeros(shape, np.float32))
    with pytest.raises(UsageError, match="tapped"):
        Evaluator(network, ["nobody"])
