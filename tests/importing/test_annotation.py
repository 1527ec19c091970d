"""Verdicts in a copy of the model: seen by viewers, harmless to everything else."""

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import helper

import neurodeploy as nd
from neurodeploy.errors import ModelError, NeuroDeployError, UsageError

RNG = np.random.default_rng(14)
W = RNG.standard_normal((4, 4)).astype(np.float32)
NODES = [("Gemm", "x w", "g"), ("Tanh", "g", "t"), ("Nonsense", "t", "n"), ("Relu", "n", "y")]
GOOD = [("MatMul", "x w", "g"), ("Relu", "g", "r"), ("Softmax", "r", "y")]


def metadata(holder):
    return {entry.key: entry.value for entry in holder.metadata_props}


def test_every_node_says_its_verdict(model, save, tmp_path):
    path, out = save(model(NODES, (4,), w=W)), tmp_path / "out.onnx"
    report = nd.check(path, annotate=out)
    assert not report.ok
    proto = onnx.load(out)
    said = [metadata(node) for node in proto.graph.node]
    verdicts = [entry["neurodeploy.verdict"] for entry in said]
    assert verdicts == ["converts", "refused", "refused", "not examined"]
    assert [entry["neurodeploy.reason"] for entry in said] == [f.reason for f in report.findings]
    assert said[1]["neurodeploy.remedy"] == report.findings[1].remedy
    assert "neurodeploy.remedy" not in said[0]
    assert proto.graph.node[1].doc_string.startswith("neurodeploy: refused: Tanh ")
    about = metadata(proto)
    assert about["neurodeploy.compiles"] == "no"
    assert "2 refused, 1 not examined" in about["neurodeploy.nodes"]
    assert about["neurodeploy.refused"].startswith("n-t (Tanh): ")
    assert "neurodeploy.neurons" not in about


@pytest.mark.parametrize("version", [3, 4, 8, 9, 10])
def test_nothing_else_changes(model, save, tmp_path, version):
    """Any IR version: node metadata are of version 10, but all readers at hand skip or show it."""
    proto = model(GOOD, (4,), opset=8, w=W)
    proto.graph.output[0].CopyFrom(helper.make_tensor_value_info("y", 1, ["batch", 4]))
    proto.ir_version = version
    if version < 4:
        proto.graph.input.append(helper.make_tensor_value_info("w", 1, W.shape))
    proto.graph.node[0].doc_string = "mine"
    proto.graph.node[1].name = ""
    helper.set_model_props(proto, {"author": "someone"})
    proto.graph.node[2].metadata_props.add(key="colour", value="red")
    path, out, again = save(proto), tmp_path / "out.onnx", tmp_path / "again.onnx"
    report = nd.check(path, annotate=out)
    assert report.ok
    assert nd.check(out, annotate=again).findings == report.findings
    assert out.read_bytes() == again.read_bytes()

    x = RNG.standard_normal((7, 4)).astype(np.float32)
    results = [ort.InferenceSession(str(p)).run(None, {"x": x})[0] for p in (path, out)]
    np.testing.assert_array_equal(*results)

    made = onnx.load(out)
    assert made.ir_version == version
    onnx.checker.check_model(made, full_check=True)
    assert made.graph.node[0].doc_string == "mine"
    assert metadata(made.graph.node[1])["neurodeploy.verdict"] == "converts"
    assert metadata(made.graph.node[2])["neurodeploy.verdict"] == "moved to the decoder"
    assert metadata(made.graph.node[2])["colour"] == "red"
    assert metadata(made)["author"] == "someone"
    for node in made.graph.node:  # taken away again, it is the file that it was
        keep = [(e.key, e.value) for e in node.metadata_props if "neurodeploy" not in e.key]
        del node.metadata_props[:]
        for key, value in keep:
            node.metadata_props.add(key=key, value=value)
        if node.doc_string.startswith("neurodeploy"):
            node.ClearField("doc_string")
    helper.set_model_props(made, {"author": "someone"})
    assert made == proto


def test_another_check_replaces_the_first(model, save, tmp_path):
    nodes = [("Relu", "x", "r"), ("LpPool", "r", "y", {"kernel_shape": [2, 2]})]
    path = save(model(nodes, (1, 4, 4)))
    one, two = tmp_path / "one.onnx", tmp_path / "two.onnx"
    assert not nd.check(path, annotate=one).ok
    mended = onnx.load(one)
    assert metadata(mended.graph.node[1])["neurodeploy.verdict"] == "refused"
    mended.graph.node[1].op_type = "MaxPool"
    onnx.save(mended, one)
    assert nd.check(one, annotate=two).ok
    (_, pool) = onnx.load(two).graph.node
    assert metadata(pool)["neurodeploy.verdict"] == "converts"
    assert pool.doc_string.startswith("neurodeploy: converts")
    assert "neurodeploy.refused" not in metadata(onnx.load(two))


def test_external_data(model, tmp_path):
    proto = model([("Gemm", "x w", "y")], (4,), w=np.ones((4, 512), np.float32))
    home, away = tmp_path / "home", tmp_path / "away"
    home.mkdir()
    away.mkdir()
    path, weights = home / "m.onnx", home / "m.data"
    onnx.save(
        proto, path, save_as_external_data=True, all_tensors_to_one_file=True, location="m.data"
    )
    before = {p.name: p.read_bytes() for p in home.iterdir()}
    with pytest.raises(UsageError, match="another folder"):
        nd.check(path, annotate=away / "out.onnx")
    with pytest.raises(UsageError, match="overwrite"):
        nd.check(path, annotate=weights)
    with pytest.raises(UsageError, match="overwrite"):
        nd.check(path, annotate=path)
    (away / "link.onnx").symlink_to(home / "out.onnx")
    assert nd.check(path, annotate=away / "link.onnx").ok
    assert not list(away.glob("*.data"))
    made = home / "out.onnx"
    assert nd.check(made).ok
    x = RNG.standard_normal((2, 4)).astype(np.float32)
    results = [ort.InferenceSession(str(p)).run(None, {"x": x})[0] for p in (path, made)]
    np.testing.assert_array_equal(*results)
    made.unlink()
    assert {p.name: p.read_bytes() for p in home.iterdir()} == before


def test_models_that_are_refused_as_a_whole(model, save, tmp_path):
    proto = model([("Relu", "x", "y")], (4, "width"))
    out = tmp_path / "out.onnx"
    assert not nd.check(save(proto), annotate=out).ok
    assert "dimension 2" in metadata(onnx.load(out))["neurodeploy.refused"]
    assert not onnx.load(out).graph.node[0].metadata_props


def test_files_that_are_no_models(tmp_path):
    out = tmp_path / "out.onnx"
    path = tmp_path / "m.onnx"
    path.write_bytes(b"PK\x03\x04 no model")
    with pytest.raises(ModelError, match="not an ONNX file"):
        nd.check(path, annotate=out)
    for missing in (tmp_path / "none.onnx", tmp_path):
        with pytest.raises(NeuroDeployError):
            nd.check(missing, annotate=out)
    assert not out.exists()


def test_names_that_are_not_text(model, save, tmp_path):
    content = save(model([("Relu", "x", "y")], (4,))).read_bytes()
    path, out = tmp_path / "m.onnx", tmp_path / "out.onnx"
    path.write_bytes(content.replace(b"n-y", b"\xff\xfe\xfd"))
    report = nd.check(path)
    assert not report.ok
    assert "not text" in report.refused[0].reason
    nd.check(path, annotate=out)
    assert b"\xff\xfe\xfd" in out.read_bytes()
