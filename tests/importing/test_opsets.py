"""Operator set 6, by ONNX's own recordings; older and newer ones are refused."""

from pathlib import Path

import numpy as np
import onnx
import onnx.backend.test
import pytest
from onnx import TensorProto, helper, numpy_helper

from neurodeploy.importing import check, load_network
from neurodeploy.network.evaluate import Evaluator

DATA = Path(onnx.backend.test.__file__).parent / "data"
FOLDERS = sorted(
    path.parent
    for kind in ("pytorch-converted", "pytorch-operator")
    for path in (DATA / kind).glob("*/model.onnx")
)
#: Recordings that import and agree; fewer means that something was lost.
AT_LEAST = 58
RNG = np.random.default_rng(13)
W = RNG.standard_normal((6, 4)).astype(np.float32)


def recorded(folder, kind):
    files = sorted((folder / "test_data_set_0").glob(f"{kind}_*.pb"))
    return [numpy_helper.to_array(onnx.TensorProto.FromString(f.read_bytes())) for f in files]


def frozen(model, inputs):
    """The second and later data inputs as initialisers."""
    constants = {tensor.name for tensor in model.graph.initializer}
    data = [value for value in model.graph.input if value.name not in constants]
    for value, array in list(zip(data, inputs, strict=True))[1:]:
        model.graph.initializer.append(numpy_helper.from_array(array, value.name))
    return model


def reproduces(folder, save):
    """True: the recorded output; False: refused, with reasons; None: no comparison."""
    inputs = recorded(folder, "input")
    outputs = recorded(folder, "output")
    model = onnx.load(folder / "model.onnx")
    path = save(frozen(model, inputs))
    report = check(path)
    if not report.ok:
        assert all(f.reason for f in report.refused)
        return False
    imported = load_network(path)
    assert imported.opset == model.opset_import[0].version
    names = [node.name for node in model.graph.node if node.name]
    assert [f.node for f in report.findings if f.node in names] == names
    x, wanted = inputs[0], outputs[0]
    with np.errstate(over="ignore"):
        if not (np.isfinite(np.float32(x)).all() and np.isfinite(np.float32(wanted)).all()):
            return None  # some recordings hold memory that nobody had filled
    found = Evaluator(imported.network).run(x.astype(np.float32))["output"]
    if imported.decoder:
        if imported.decoder == ("Sigmoid",):
            found = 1 / (1 + np.exp(-found))
        elif imported.decoder == ("Tanh",):
            found = np.tanh(found)
        else:
            axis = next(a.i for a in model.graph.node[-1].attribute if a.name == "axis")
            found = np.exp(found - found.max(axis=axis, keepdims=True))
            found = found / found.sum(axis=axis, keepdims=True)
            found = np.log(found) if imported.decoder == ("LogSoftmax",) else found
    assert found.shape == wanted.shape, folder.name
    scale = max(float(np.abs(wanted).max()), 1e-6)
    assert np.abs(found - wanted).max() <= 1e-4 * scale, folder.name
    return True


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of the recordings' own arithmetic
def test_recordings(save):
    results = {folder.name: reproduces(folder, save) for folder in FOLDERS}
    if not results:
        pytest.skip("onnx is installed without its test data")
    assert sum(bool(result) for result in results.values()) >= AT_LEAST, results


def old(nodes, constants, version=6):
    """A graph with attributes of their time, initialisers among the inputs as IR version 3 asks."""
    graph = helper.make_graph(
        nodes,
        "old",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 6])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 4])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    for tensor in graph.initializer:
        value = helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims)
        graph.input.append(value)
    return helper.make_model(graph, ir_version=3, opset_imports=[helper.make_opsetid("", version)])


def test_broadcasts_of_their_time(save):
    """Axes said by attribute, behind a value whose shape the file does not state."""
    shift = RNG.standard_normal(4).astype(np.float32)
    nodes = [
        helper.make_node("Gemm", ["x", "w", "c"], ["g"], "gemm", broadcast=1),
        helper.make_node("Dropout", ["g"], ["d"], "dropout", is_test=1),
        helper.make_node("Relu", ["d"], ["r"]),
        helper.make_node("Add", ["r", "c"], ["y"], "add", broadcast=1, axis=1),
    ]
    path = save(old(nodes, {"w": W, "c": shift}))
    imported = load_network(path)
    x = RNG.standard_normal((5, 6)).astype(np.float32)
    wanted = np.maximum(x @ W + shift, 0) + shift
    np.testing.assert_allclose(Evaluator(imported.network).run(x)["output"], wanted, rtol=1e-5)
    found = [(f.node, f.verdict) for f in imported.findings]
    assert found == [
        ("gemm", "converts"),
        ("dropout", "folds"),
        ("Relu_2", "converts"),
        ("add", "converts"),
    ]


def test_refused_nodes_are_named(save):
    nodes = [
        helper.make_node("Softplus", ["x"], ["t"], "squash"),
        helper.make_node("Gemm", ["t", "w", "c"], ["y"], broadcast=1),
    ]
    report = check(save(old(nodes, {"w": W, "c": np.ones(4, np.float32)})))
    assert [f.node for f in report.refused] == ["squash"]


def test_what_the_converter_does_not_take(save, invalid):
    unknown = old([helper.make_node("Gelu", ["x"], ["y"], "late")], {})
    assert (
        "operator set 7" in invalid(unknown, match="Gelu does not exist in operator set 6").remedy
    )
    training = old([helper.make_node("Dropout", ["x"], ["y"], is_test=0)], {})
    invalid(training, match="cannot be brought from operator set 6 to 7")
    malformed = old([helper.make_node("Gemm", ["x"], ["y"], broadcast=1)], {})
    invalid(malformed, match="cannot be brought from operator set 6 to 7")


@pytest.mark.parametrize("version", [1, 5, 10_000])
def test_beyond_reach(invalid, version):
    proto = old([helper.make_node("Relu", ["x"], ["y"])], {}, version)
    invalid(proto, match=f"operator set {version}; 6 to ")
