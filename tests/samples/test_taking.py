"""What a user passes as samples, labels or a model: taken, or refused by its type in one line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnx_ir
import pytest
from onnx import TensorProto, helper, numpy_helper

import neurodeploy as nd
from neurodeploy.errors import DataError, ModelError, UsageError
from neurodeploy.sample_shapes import shape_remedy
from neurodeploy.samples import read_labels, read_samples

SHAPE = (2, 3, 4)
X = np.random.default_rng(0).random((10, *SHAPE), np.float32)


class Tensor:
    """An array of another library, as NumPy sees it."""

    def __init__(self, array):
        self._array, self.shape = array, array.shape

    def __array__(self, dtype=None, copy=None):
        return self._array


class Loader:
    """Yields batches of samples with labels, as data loaders do."""

    def __iter__(self):
        for first in range(0, 10, 4):
            yield [Tensor(X[first : first + 4]), Tensor(np.arange(first, min(first + 4, 10)))]


def given_forms(folder: Path):
    np.savez(folder / "x.npz", x=X, y=np.arange(10))
    np.save(folder / "x.npy", X)
    return {
        "array": X,
        "nested lists": X.tolist(),
        "tensor": Tensor(X),
        ".npz": folder / "x.npz",
        ".npz as text": str(folder / "x.npz"),
        ".npy": folder / "x.npy",
        "mapping": {"x": X},
        "list of batches": [X[:7], X[7:]],
        "tuple of samples": tuple(X),
        "two samples and more": [X[:2], X[2], X[3:]],
        "generator of samples": (sample for sample in X),
        "samples with labels": [(sample, k) for k, sample in enumerate(X)],
        "loader": Loader(),
    }


def test_every_form_gives_the_same_samples(tmp_path):
    for name, given in given_forms(tmp_path).items():
        assert np.allclose(read_samples(given, SHAPE).x, X), name
    for name, given in given_forms(tmp_path).items():
        assert np.allclose(read_samples(given, SHAPE, limit=3).x, X[:3]), name


def test_two_samples_are_not_a_sample_with_its_label():
    assert read_samples([X[0], X[1]], SHAPE, labels=True).y is None
    assert read_samples((X[0], X[1]), SHAPE).x.shape == (2, *SHAPE)


def test_labels_come_along_where_they_are_wanted(tmp_path):
    for name in (".npz", "samples with labels", "loader"):
        given = given_forms(tmp_path)[name]
        assert np.array_equal(read_samples(given, SHAPE, labels=True).y, np.arange(10)), name
    np.save(tmp_path / "y.npy", np.arange(10))
    for labels in (tmp_path / "y.npy", tmp_path / "x.npz", list(range(10)), iter([[0, 1], [2]])):
        assert np.array_equal(read_labels(labels)[:3], [0, 1, 2])


def test_no_more_is_read_than_asked_for():
    def endless():
        while True:
            yield X

    assert len(read_samples(endless(), SHAPE, limit=25).x) == 25


@pytest.mark.parametrize(
    ("given", "word"),
    [
        (None, "NoneType"),
        (3.5, "float"),
        (b"abc", "bytes"),
        (onnx.ModelProto(), "ModelProto"),
        ({"images": X}, "without x"),
        (["a", "b"], "list"),
        ([[1, 2], [3]], "list"),
        ([X[:2], "text"], "str is not a batch"),
        ([X[:2], X[:2, :, 0]], "neither a batch nor a sample"),
        ([X[:2], X[:2].astype(np.uint8)], "batches of float32 and of uint8"),
        (iter(()), "without a batch"),
    ],
)
def test_anything_else_is_refused_in_a_line(given, word):
    with pytest.raises(DataError, match=word) as error:
        read_samples(given, SHAPE)
    assert len(error.value.message) < 300
    assert error.value.remedy


@pytest.mark.parametrize(
    ("found", "remedy"),
    [
        ((3, 32, 32), "x[None]"),
        ((5, 32, 32, 3), "x.transpose(0, 3, 1, 2)"),
        ((32, 32, 3), "x.transpose(2, 0, 1)[None]"),
        ((5, 3072), "x.reshape(-1, 3, 32, 32)"),
        ((5, 1, 28, 28), "channels come first"),
    ],
)
def test_a_shape_that_does_not_fit_names_what_undoes_it(found, remedy):
    assert remedy in shape_remedy(found, (3, 32, 32))


def network(external=False):
    rng = np.random.default_rng(1)
    weights = [rng.standard_normal(s).astype(np.float32) for s in ((6, 40), (40, 3))]
    graph = helper.make_graph(
        [
            helper.make_node("MatMul", ["x", "w"], ["a"]),
            helper.make_node("Relu", ["a"], ["b"]),
            helper.make_node("MatMul", ["b", "h"], ["y"]),
        ],
        "taken",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 6])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 3])],
        [numpy_helper.from_array(w, name) for w, name in zip(weights, "wh", strict=True)],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def test_a_model_is_a_path_bytes_or_a_protobuf(tmp_path):
    x = np.random.default_rng(2).random((20, 6), np.float32)
    proto = network()
    onnx.save(proto, tmp_path / "m.onnx")
    forms = [
        tmp_path / "m.onnx",
        str(tmp_path / "m.onnx"),
        (tmp_path / "m.onnx").read_bytes(),
        proto,
        onnx_ir.load(tmp_path / "m.onnx"),
    ]
    outputs = []
    for model in forms:
        assert nd.check(model).ok
        outputs.append(nd.simulate(nd.compile(model, x, warn=str), x, warn=str).outputs)
    assert all(np.array_equal(outputs[0], other) for other in outputs)


def test_annotating_a_model_in_memory(tmp_path):
    assert nd.check(network(), annotate=tmp_path / "told.onnx").ok
    assert onnx.load(tmp_path / "told.onnx").metadata_props


def test_weights_in_another_file_need_a_folder(tmp_path):
    path = tmp_path / "m.onnx"
    onnx.save(network(), path, save_as_external_data=True, size_threshold=0)
    assert nd.check(path).ok
    assert nd.check(onnx_ir.load(path)).ok
    for model in (path.read_bytes(), onnx.load(path, load_external_data=False)):
        with pytest.raises(ModelError, match="the model in memory has no folder"):
            nd.compile(model)


@pytest.mark.parametrize("model", [None, 3, X, ["m.onnx"], {"model": 1}])
def test_what_is_no_model_is_refused_by_its_type(model):
    for function in (nd.compile, nd.check):
        with pytest.raises(UsageError, match=type(model).__name__) as error:
            function(model)
        assert len(str(error.value)) < 200
    with pytest.raises(ModelError, match="<bytes>"):
        nd.compile(b"\x00" * 5_000_000)


def test_a_masked_array_is_refused():
    assert read_samples(np.ma.array(X), SHAPE).x.shape == X.shape
    for given in (
        np.ma.masked_greater(X, 0.5),
        [np.ma.masked_greater(X, 0.5)],
        {"x": np.ma.masked_equal(X, X[0, 0, 0, 0])},
    ):
        with pytest.raises(DataError, match="masked") as caught:
            read_samples(given, SHAPE)
        assert "filled" in caught.value.remedy


@pytest.mark.parametrize("given", ["m.ndp", Path("m.onnx"), b"PK", None, X])
def test_what_is_no_program_is_refused_by_its_type(given):
    calls = [nd.simulate, nd.deploy, nd.explain, nd.report, nd.record, nd.estimate_cost]
    for call in (*(lambda p, f=f: f(p, X) for f in calls), nd.map, lambda p: nd.export(p, "m.nir")):
        with pytest.raises(UsageError, match=f"{type(given).__name__} is not") as caught:
            call(given)
        assert "nd.load" in caught.value.remedy
        assert len(str(caught.value)) < 300
