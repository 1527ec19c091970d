"""`neurodeploy map`, `neurodeploy targets NAME`, and what compile and check say of the rules."""

from __future__ import annotations

import json
import re

import numpy as np
import onnx
import pytest
from built import chain, dense
from click.testing import CliRunner

import neurodeploy as nd
from neurodeploy.cli import cli


@pytest.fixture
def program(tmp_path):
    path = tmp_path / "p.ndp"
    chain((6,), dense(6, 5), dense(5, 3)).save(path)
    return str(path)


def run(*arguments):
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


def test_tables(program, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    result = run("map", program)
    assert result.exit_code == 0
    for word in ("what binds", "neurons a core", "p0", "placement", "fits", "hops a sample"):
        assert word in result.stdout


def test_json_with_counted_spikes(program, tmp_path):
    np.savez(tmp_path / "x.npz", x=np.full((3, 6), 0.5, np.float32))
    result = run("map", program, "--data", tmp_path / "x.npz", "--limit", 2, "--json")
    found = json.loads(result.stdout)
    assert found["ok"]
    assert found["notes"] == ["traffic: spikes as counted"]
    assert [part["population"] for part in found["parts"]] == ["input", "p0", "p1"]
    assert found["cores"][1]["uses"][0] == {"resource": "neurons", "value": 5, "limit": 4095}
    assert found["cores"][1]["binding"] == "neurons"


def test_what_does_not_fit_exits_with_2(tmp_path):
    path = tmp_path / "p.ndp"
    chain((5000,), dense(5000, 2)).save(path)
    assert run("map", path).exit_code == 0
    result = run("map", path, "--target", "loihi1", "--placement", "layers")
    assert result.exit_code == 2
    assert "give it fewer inputs" in " ".join(result.stdout.split())


def test_the_same_from_python(program):
    loaded = nd.load(program)
    mapping = nd.map(loaded, target="loihi1")
    assert mapping.ok
    assert mapping == nd.map(loaded, target="loihi1")
    assert str(mapping.findings[0]) == "input: neurons a core: 6, limit 1024"


def test_targets_with_their_sources():
    result = run("targets", "loihi1")
    assert result.exit_code == 0
    assert "Davies et al." in result.stdout
    found = json.loads(run("targets", "--json").stdout)["targets"]
    assert {target["name"] for target in found} >= {"cpu", "loihi1", "loihi2"}


#: 12544 sources, and an axon of its own for each neuron of a part: its two compartments.
TOO_MANY_AXONS = re.compile(r"input axons a core: 125[4-5]\d, limit 4096")


@pytest.fixture
def wide(tmp_path):
    """A model whose dense layer reads 12,544 sources: too many for a core of Loihi 1."""
    rng = np.random.default_rng(0)
    make, tensor = onnx.helper.make_node, onnx.helper.make_tensor_value_info

    def weight(name, *shape):
        values = rng.normal(0, np.sqrt(2 / np.prod(shape[1:])), shape).astype(np.float32)
        return onnx.numpy_helper.from_array(values, name)

    graph = onnx.helper.make_graph(
        [
            make("Conv", ["x", "w0"], ["c"], "node_conv", pads=[1] * 4),
            make("Relu", ["c"], ["r"], "node_relu"),
            make("Flatten", ["r"], ["f"], "node_flat"),
            make("Gemm", ["f", "w1"], ["d"], "node_linear", transB=1),
            make("Relu", ["d"], ["s"], "node_relu_1"),
            make("Gemm", ["s", "w2"], ["y"], "node_linear_1", transB=1),
        ],
        "wide",
        [tensor("x", onnx.TensorProto.FLOAT, ["n", 1, 28, 28])],
        [tensor("y", onnx.TensorProto.FLOAT, ["n", 10])],
        [weight("w0", 16, 1, 3, 3), weight("w1", 24, 12544), weight("w2", 10, 24)],
    )
    path = tmp_path / "wide.onnx"
    opsets = [onnx.helper.make_opsetid("", 17)]
    onnx.save(onnx.helper.make_model(graph, opset_imports=opsets), path)
    return path


def test_compile_warns_and_check_tells(wide):
    said = []
    nd.compile(
        wide,
        calibration=np.random.default_rng(1).random((8, 1, 28, 28), np.float32),
        target="loihi1",
        overflow="warn",
        warn=said.append,
    )
    assert [line for line in said if "does not fit Intel Loihi: node_linear: input axons" in line]
    report = nd.check(wide, target="loihi1")
    assert report.ok
    assert report.fits is False
    assert any(TOO_MANY_AXONS.search(line) for line in report.hardware)
    assert any(line.startswith("program: chips:") for line in report.hardware)


def test_check_says_what_does_not_fit(wide, tmp_path):
    """What does not fit its target compiles all the same: said, and no failure."""
    model, copy = wide, tmp_path / "m.onnx"
    for target, fits in (("loihi1", False), ("loihi2", True)):
        told = run("check", model, "--target", target, "--annotate", copy)
        assert told.exit_code == 0
        assert (f"does not fit {target}" in told.stdout) is not fits
        assert "compiles; next" in told.stdout
        metadata = {entry.key: entry.value for entry in onnx.load(copy).metadata_props}
        assert metadata["neurodeploy.fits"] == ("yes" if fits else "no")
        found = json.loads(run("check", model, "--target", target, "--json").stdout)
        assert (found["ok"], found["fits"]) == (True, fits)


def test_check_does_not_say_that_a_refused_model_fits(tmp_path):
    make = onnx.helper.make_node
    graph = onnx.helper.make_graph(
        [make("Sigmoid", ["x"], ["s"]), make("Relu", ["s"], ["y"])],
        "refused",
        [onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ["n", 4])],
        [onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, ["n", 4])],
    )
    opsets = [onnx.helper.make_opsetid("", 17)]
    onnx.save(onnx.helper.make_model(graph, opset_imports=opsets), tmp_path / "m.onnx")
    told = run("check", tmp_path / "m.onnx", "--json")
    assert told.exit_code == 2
    assert json.loads(told.stdout)["fits"] is None


def test_a_limit_that_nobody_asked_for_is_said(program, tmp_path):
    np.savez(tmp_path / "x.npz", x=np.linspace(0, 1, 420, dtype=np.float32).reshape(70, 6))
    assert "the first 64 of 70 samples" in run("map", program, "--data", tmp_path / "x.npz").stderr
    assert run("map", program, "--data", tmp_path / "x.npz", "--limit", 64).stderr == ""


def test_fits_is_asked(wide, tmp_path):
    """With --fits, check, compile and map agree: 2 where it does not fit, and nothing written."""
    model = wide
    for target, code in (("loihi1", 2), ("loihi2", 0)):
        assert run("check", model, "--target", target, "--fits").exit_code == code
        program = tmp_path / f"{target}.ndp"
        options = ("--target", target, "--overflow", "off", "-o", program)
        made = run("compile", model, *options, "--fits")
        assert (made.exit_code == 0) is (code == 0)
        assert program.exists() is (code == 0)
        if code:
            assert TOO_MANY_AXONS.search(str(made.exception))
            assert run("compile", model, *options).exit_code == 0
        assert run("map", program).exit_code == code
