"""scikit-learn's models as skl2onnx exports them: the network gives what ONNX Runtime gives."""

import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import helper, numpy_helper

import neurodeploy as nd
from neurodeploy.errors import UnsupportedError
from neurodeploy.importing import check, load_network
from neurodeploy.network.evaluate import Evaluator

CASES = Path(__file__).resolve().parents[1] / "cases"
FOLDER = CASES / "sklearn"
sys.path.insert(0, str(CASES))
import make_sklearn  # noqa: E402 - beside the models that it makes

FILES = sorted(path.stem for path in FOLDER.glob("*.onnx") if not path.stem.startswith("refused"))
X, Y = make_sklearn.samples()


def answers(path, output):
    """What ONNX Runtime gives; dictionaries as a table."""
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (found,) = session.run([output], {session.get_inputs()[0].name: X})
    if isinstance(found, list):
        found = [list(row.values()) for row in found]
    return np.asarray(found)


def same(path, output):
    """Whether network and file agree on every sample; returns what was imported."""
    imported = load_network(path, output)
    assert check(path, output).ok
    found = Evaluator(imported.network).run(X)["output"].reshape(len(X), -1)
    wanted = answers(path, output)
    best = found.argmax(1) if found.shape[1] > 1 else (found[:, 0] > 0).astype(int)
    if wanted.dtype.kind != "f":
        assert imported.classes
        assert np.array_equal(np.array(imported.classes)[best], wanted.reshape(-1))
    elif imported.decoder and imported.decoder != ("Reshape",):
        assert np.array_equal(best, wanted.argmax(1))
    else:
        scale = max(np.abs(wanted).max(), 1)
        assert np.abs(found - wanted.reshape(found.shape)).max() <= 1e-5 * scale
    return imported


@pytest.mark.parametrize("name", FILES)
def test_every_output(name):
    path = FOLDER / f"{name}.onnx"
    for output in onnx.load(path).graph.output:
        imported = same(path, output.name)
        assert imported.output_name == output.name
        dropped = {finding.op_type for finding in imported.findings if finding.verdict == "decoder"}
        assert "Softmax" not in {f.op_type for f in imported.findings if f.verdict == "converts"}
        if output.name == "output_probability":
            assert "ai.onnx.ml::ZipMap" in dropped
            assert imported.decoder[-1] == "ZipMap"


def test_labels_are_kept():
    assert load_network(FOLDER / "mlp-words.onnx").classes == ("ant", "bee", "cat")
    assert load_network(FOLDER / "mlp-offset.onnx").classes == (7, 8, 9)
    assert load_network(FOLDER / "mlp-binary-words.onnx").classes == ("no", "yes")
    words = FOLDER / "logistic-words.onnx"
    assert load_network(words, "output_probability").classes == ("ant", "bee", "cat")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("scheme", ["rate", "ttfs"])
@pytest.mark.parametrize("name", ["standard-mlp", "mlp-offset", "logistic-words", "svc"])
def test_compiled(name, scheme):
    path = FOLDER / f"{name}.onnx"
    told = []
    steps = 255 if scheme == "ttfs" else 512
    program = nd.compile(path, X, scheme, steps=steps, balance="max", warn=told.append)
    imported = load_network(path)
    assert program.provenance["model"]["classes"] == list(imported.classes)
    own = imported.classes != (0, 1, 2)
    assert any("labels of their own" in line for line in told) == own
    right = nd.simulate(program, X).predictions == Evaluator(imported.network).run(X)[
        "output"
    ].argmax(1)
    assert right.mean() > 0.93


REASONS = {
    "refused-normalizer": "own size",
    "refused-binarizer": "jumps",
    "refused-tree": "each answer is a jump",
    "refused-svc": "stored examples",
    "refused-tanh": "Tanh is not a ReLU",
}


@pytest.mark.parametrize("name", REASONS)
def test_refused_by_its_cause(name):
    with pytest.raises(UnsupportedError, match=REASONS[name]):
        load_network(FOLDER / f"{name}.onnx")
    assert not check(FOLDER / f"{name}.onnx").ok


def test_exported_here(tmp_path):
    """The same with the versions that are installed."""
    pytest.importorskip("skl2onnx", reason="needs skl2onnx and scikit-learn")
    for name, estimator, labels in make_sklearn.estimators():
        path = tmp_path / f"{name}.onnx"
        path.write_bytes(make_sklearn.export(estimator, labels))
        for output in onnx.load(path).graph.output:
            same(path, output.name)


def changed(name, change, save):
    """A case with something else in its tail."""
    proto = onnx.load(FOLDER / f"{name}.onnx")
    change(proto.graph)
    return save(proto)


def find(graph, kind):
    return next(node for node in graph.node if node.op_type == kind)


def test_a_tail_that_says_something_else_is_no_decoder(save):
    """The smallest score, or two classes under one label: never taken for the largest."""

    def smallest(graph):
        find(graph, "ArgMax").op_type = "ArgMin"

    def one_label(graph):
        tensor = next(t for t in graph.initializer if t.name == "classes")
        tensor.CopyFrom(numpy_helper.from_array(np.array([4, 4, 5], np.int32), "classes"))

    def turned(graph):
        node = find(graph, "ArgMax")
        graph.node.insert(0, helper.make_node("Neg", [node.input[0]], ["turned"], "turned"))
        node.input[0] = "turned"

    for change in (smallest, one_label, turned):
        path = changed("mlp", change, save)
        with pytest.raises(UnsupportedError):
            load_network(path, "output_label")


def test_weights_in_the_tail_stay_in_the_network(save):
    """A bias so small that few labels show it is not dropped with the tail."""

    def shifted(graph):
        node = find(graph, "Softmax")
        bias = numpy_helper.from_array(np.array([[1e-4, 0, -1e-4]], np.float32), "small")
        graph.initializer.append(bias)
        graph.node.insert(
            0, helper.make_node("Add", [node.input[0], "small"], ["moved"], "n-moved")
        )
        node.input[0] = "moved"

    path = changed("mlp", shifted, save)
    moved, plain = load_network(path).network, load_network(FOLDER / "mlp.onnx").network
    difference = Evaluator(moved).run(X)["output"] - Evaluator(plain).run(X)["output"]
    assert np.abs(difference - [1e-4, 0, -1e-4]).max() < 2e-5


def test_labels_that_a_layer_reads_are_refused(save):
    def read(graph):
        graph.node.append(helper.make_node("Cast", ["label"], ["z"], "n-z", to=1))
        graph.node.append(helper.make_node("Relu", ["z"], ["again"], "n-again"))
        del graph.output[:]
        graph.output.append(helper.make_tensor_value_info("again", 1, None))

    path = changed("svc", read, save)
    with pytest.raises(UnsupportedError, match="labels are read"):
        load_network(path)


def test_an_imputer_of_a_number_is_refused(save):
    """A missing value marked by a number is a jump; marked as NaN it is in no sample."""

    def number(graph):
        for attribute in find(graph, "Imputer").attribute:
            if attribute.name == "replaced_value_float":
                attribute.f = -1.0

    with pytest.raises(UnsupportedError, match="replaces a number"):
        load_network(changed("imputer-mlp", number, save))


@pytest.mark.parametrize("damage", ["coefficients", "intercepts", "offset", "scale"])
def test_malformed(save, damage):
    def cut(graph):
        for node in graph.node:
            for attribute in node.attribute:
                if attribute.name == damage:
                    attribute.floats.pop()

    report = check(changed("robust-logistic", cut, save))
    assert not report.ok
    assert all("Error" not in finding.reason for finding in report.refused)
