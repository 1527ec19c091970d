"""The command line as a user meets it: a real process, exit codes, stdout and stderr."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import onnx
import pytest
from command_line import refused, run, tiny_model
from onnx import TensorProto, helper, numpy_helper

import neurodeploy as nd


@pytest.fixture
def work(tmp_path):
    """A folder with a model, its program, calibration and test data."""
    rng = np.random.default_rng(0)
    tiny_model(tmp_path / "m.onnx")
    x = rng.random((50, 6)).astype(np.float32)
    np.savez(tmp_path / "c.npz", x=x)
    np.savez(tmp_path / "t.npz", x=x, y=np.zeros(50, np.int64))
    made = run("compile", "m.onnx", "--calibration", "c.npz", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    return tmp_path


def test_the_whole_way(work):
    assert (work / "m.ndp").exists()
    about = json.loads(run("inspect", "m.ndp", "--json", cwd=work).stdout)
    assert [p["name"] for p in about["populations"]] == ["first", "output"]
    assert about["target"] == "loihi2"
    result = run("simulate", "m.ndp", "--data", "t.npz", "--model", "m.onnx", "--json", cwd=work)
    data = json.loads(result.stdout)
    assert data["samples"] == 50
    for key in (
        "accuracy",
        "ann_accuracy",
        "agreement",
        "spikes_per_sample",
        "synaptic_operations_per_sample",
        "seconds",
    ):
        assert isinstance(data[key], float)
    assert "Loihi 2" in data["hardware"]


def test_tables(work):
    for arguments in (
        ("check", "m.onnx"),
        ("doctor",),
        ("targets",),
        ("inspect", "m.ndp"),
        ("simulate", "m.ndp", "--data", "t.npz", "-o", "r.npz"),
    ):
        result = run(*arguments, cwd=work)
        assert result.returncode == 0, result.stderr
        assert len(result.stdout.splitlines()) > 3
    with np.load(work / "r.npz") as saved:
        assert saved["outputs"].shape == (50, 3)


def test_the_same_file_twice(work):
    first = (work / "m.ndp").read_bytes()
    run("compile", "m.onnx", "--calibration", "c.npz", "-o", "again.ndp", cwd=work)
    assert (work / "again.ndp").read_bytes() == first
    run("compile", "m.onnx", "--calibration", "c.npz", "--seed", 1, "-o", "b.ndp", cwd=work)
    assert (work / "b.ndp").read_bytes() != first


def test_check_says_no(tmp_path):
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["a"], "first"),
        helper.make_node("Sigmoid", ["a"], ["b"], "squash"),
        helper.make_node("MatMul", ["b", "h"], ["y"], "head"),
    ]
    tiny_model(tmp_path / "m.onnx", nodes=nodes)
    result = run("check", "m.onnx", "--json", cwd=tmp_path)
    assert result.returncode == 2
    report = json.loads(result.stdout)
    assert not report["ok"]
    (bad,) = [f for f in report["findings"] if f["verdict"] == "refused"]
    assert (bad["node"], bad["op_type"]) == ("squash", "Sigmoid")
    assert bad["reason"]
    assert bad["remedy"]
    refused(run("compile", "m.onnx", cwd=tmp_path), "squash", "Sigmoid")
    assert not list(tmp_path.glob("*.ndp"))


@pytest.mark.parametrize("provenance", [{}, {"model": 3, "options": [1]}, {"model": {"file": []}}])
def test_inspect_a_program_that_says_nothing_of_itself(work, provenance):
    """Whoever made the file wrote what it says of itself."""
    program = replace(nd.load(work / "m.ndp"), provenance=provenance)
    program.save(work / "odd.ndp")
    told = run("inspect", "odd.ndp", cwd=work)
    assert told.returncode == 0, told.stderr
    assert told.stdout.count("unknown") == 2


def two_outputs(path):
    """The tiny model with its hidden activations, and their sign, as outputs of their own."""
    proto = onnx.load(tiny_model(path))
    proto.graph.node.append(helper.make_node("Sign", ["b"], ["side"], "sign"))
    proto.graph.output.append(helper.make_tensor_value_info("b", TensorProto.FLOAT, ["n", 4]))
    proto.graph.output.append(helper.make_tensor_value_info("side", TensorProto.FLOAT, ["n", 4]))
    onnx.save(proto, path)


def test_check_tells_everything(tmp_path):
    two_outputs(tmp_path / "m.onnx")
    wide = {**os.environ, "COLUMNS": "200"}
    told = run("check", "m.onnx", "--annotate", "out.onnx", cwd=tmp_path, env=wide)
    assert told.returncode == 0, told.stderr
    for words in (
        "100.0 %: 4 of 4 nodes",
        "b, side (choose with --output-name)",
        "leads only to output 'side', which is not taken",
        "36 weights, 7 biases",
        "neurodeploy compile m.onnx --calibration SAMPLES.npz",
    ):
        assert words in told.stdout
    proto = onnx.load(tmp_path / "out.onnx")
    verdicts = [node.metadata_props[0].value for node in proto.graph.node]
    assert verdicts == ["converts", "converts", "converts", "folds away"]

    arguments = ("check", "m.onnx", "--scheme", "ttfs", "--steps", 16, "--output-name")
    report = json.loads(run(*arguments, "b", "--json", cwd=tmp_path).stdout)
    assert (report["ok"], report["scheme"], report["steps"]) == (True, "ttfs", 16)
    assert report["target"] == "loihi2"
    summary = report["summary"]
    assert (summary["output"], summary["other_outputs"]) == ("b", ["y", "side"])
    assert (summary["neurons"], summary["relays"]) == (8, 0)
    assert "--scheme ttfs --steps 16 --output-name b" in run(*arguments, "b", cwd=tmp_path).stdout

    no = run(*arguments, "side", "--annotate", "out.onnx", "--json", cwd=tmp_path)
    assert no.returncode == 2
    report = json.loads(no.stdout)
    assert report["summary"]["neurons"] is None
    assert report["summary"]["verdicts"]["refused"] == 1
    assert report["annotated"] == "out.onnx"
    proto = onnx.load(tmp_path / "out.onnx")
    assert proto.graph.node[3].metadata_props[0].value == "refused"
    refused(run(*arguments, "z", cwd=tmp_path), "'y', 'b', 'side'")


def test_check_goes_as_far_as_compile(tmp_path):
    """The registers' limits are checked as well, and say which layer."""
    weight = np.ones((6, 4), np.float32) * 1e30
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["a"], "first"),
        helper.make_node("Clip", ["a"], ["b"], "clip"),
        helper.make_node("MatMul", ["b", "h"], ["y"], "head"),
    ]
    nodes[1].input.extend(["zero", "top"])
    proto = onnx.load(tiny_model(tmp_path / "m.onnx", nodes=nodes, weight=weight))
    for name, value in (("zero", 0.0), ("top", 1e-30)):
        proto.graph.initializer.append(numpy_helper.from_array(np.float32(value), name))
    onnx.save(proto, tmp_path / "m.onnx")
    result = run("check", "m.onnx", "--json", cwd=tmp_path)
    assert result.returncode == 2
    (bad,) = [f for f in json.loads(result.stdout)["findings"] if f["verdict"] == "refused"]
    assert bad["node"] == "first"
    refused(run("compile", "m.onnx", cwd=tmp_path), "first", bad["reason"])


def test_options_of_check(work):
    before = sorted(p.name for p in work.iterdir())
    for options, word in (
        (("--target", "loihi9"), "loihi9"),
        (("--target", "loihi1", "--scheme", "ttfs"), "microcode"),
        (("--steps", "0"), "--steps"),
        (("--annotate", "m.onnx"), "overwrite"),
        (("--annotate", "nowhere/out.onnx"), "nowhere"),
    ):
        refused(run("check", "m.onnx", *options, cwd=work), word)
    assert sorted(p.name for p in work.iterdir()) == before


def test_compile_takes_one_output_and_says_so(tmp_path):
    two_outputs(tmp_path / "m.onnx")
    made = run("compile", "m.onnx", "--json", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    assert "takes output 'y' of 3; the others ('b', 'side') are left out" in made.stderr
    assert json.loads(made.stdout)["provenance"]["model"]["output"] == "y"
    made = run("compile", "m.onnx", "--output-name", "b", "-o", "b.ndp", "--json", cwd=tmp_path)
    about = json.loads(made.stdout)
    assert about["provenance"]["model"]["output"] == "b"
    assert about["populations"][-1]["neurons"] == 4
    refused(run("compile", "m.onnx", "--output-name", "side", cwd=tmp_path), "sign", "Sign")


def test_without_samples_it_compiles_and_warns(work):
    result = run("compile", "m.onnx", "-o", "free.ndp", "--json", cwd=work)
    assert result.returncode == 0
    assert "no calibration samples" in result.stderr
    assert json.loads(result.stdout)["provenance"]["calibration"]["samples"] == 0


@pytest.mark.parametrize(
    "content", [b"", b"\x08\x07", b"\x00" * 4096, bytes(range(256)) * 20, b"PK\x03\x04"]
)
def test_bytes_that_are_no_model(tmp_path, content):
    (tmp_path / "m.onnx").write_bytes(content)
    refused(run("compile", "m.onnx", cwd=tmp_path), "m.onnx")
    refused(run("compile", ".", cwd=tmp_path))
    refused(run("compile", "missing.onnx", cwd=tmp_path), "missing.onnx")
    assert [p.name for p in tmp_path.iterdir()] == ["m.onnx"]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_no_numbers(tmp_path, value):
    weight = np.ones((6, 4), np.float32)
    weight[2, 1] = value
    tiny_model(tmp_path / "m.onnx", weight=weight)
    refused(run("compile", "m.onnx", cwd=tmp_path), "w")


def test_dynamic_shapes(tmp_path):
    tiny_model(tmp_path / "m.onnx", shape=("n", "width"))
    refused(run("compile", "m.onnx", cwd=tmp_path), "m.onnx")


@pytest.mark.parametrize(
    ("x", "word"),
    [
        (np.zeros((5, 7), np.float32), "shape"),
        (np.zeros((0, 6), np.float32), "no samples"),
        (np.full((5, 6), np.nan, np.float32), "NaN"),
        (np.zeros((5, 6), complex), "numeric"),
    ],
)
def test_data_that_does_not_fit(work, x, word):
    np.savez(work / "bad.npz", x=x)
    before = sorted(p.name for p in work.iterdir())
    arguments = ("compile", "m.onnx", "--calibration", "bad.npz", "-o", "new.ndp")
    refused(run(*arguments, cwd=work), word)
    refused(run("simulate", "m.ndp", "--data", "bad.npz", cwd=work), word)
    refused(run("deploy", "m.ndp", "--data", "bad.npz", cwd=work), word)
    assert sorted(p.name for p in work.iterdir()) == before


def test_programs_that_are_damaged(work):
    content = bytearray((work / "m.ndp").read_bytes())
    content[len(content) // 2] ^= 1
    (work / "bad.ndp").write_bytes(content)
    for command in ("inspect", "simulate"):
        extra = () if command == "inspect" else ("--data", "t.npz")
        refused(run(command, "bad.ndp", *extra, cwd=work), "bad.ndp")


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (("--steps", "0"), "--steps"),
        (("--steps", "x"), "--steps"),
        (("--scheme", "magic"), "magic"),
        (("--target", "loihi9"), "loihi9"),
        (("--target", "loihi1", "--signed"), "signed"),
        (("--target", "loihi1", "--encoding", "current"), "current"),
        (("--balance", "best"), "balance"),
        (("--seed", "-1"), "--seed"),
        (("--std", "0"), "std"),
        (("--mean", "a,b"), "--mean"),
        (("--input-range", "1"), "--input-range"),
        (("--input-range", "2,1"), "--input-range"),
        (("--percentile", "0"), "--percentile"),
        (("-o", "nowhere/m.ndp"), "nowhere"),
        (("-o", "/dev/full"), ""),
    ],
)
def test_options_that_are_off(work, options, word):
    before = sorted(p.name for p in work.iterdir())
    arguments = ("compile", "m.onnx", "--calibration", "c.npz", *options)
    refused(run(*arguments, cwd=work), word)
    assert sorted(p.name for p in work.iterdir()) == before


def test_loihi1_gets_a_stock_program(work):
    arguments = ("compile", "m.onnx", "--calibration", "c.npz", "--target", "loihi1", "--json")
    result = run(*arguments, "-o", "one.ndp", cwd=work)
    assert result.returncode == 0, result.stderr
    about = json.loads(result.stdout)
    assert all(p["stock"] for p in about["populations"])
    assert about["input"]["encoding"] == "deterministic"
    assert run("simulate", "one.ndp", "--data", "t.npz", cwd=work).returncode == 0


def test_overflow_as_an_error(work):
    arguments = ("compile", "m.onnx", "--calibration", "c.npz", "--steps", "4000")
    assert run(*arguments, "-o", "a.ndp", "--reset", "zero", cwd=work).returncode == 0
    before = sorted(p.name for p in work.iterdir())
    strict = run(*arguments, "-o", "b.ndp", "--reset", "zero", "--overflow", "error", cwd=work)
    refused(strict, "membrane in 24 bit", "limit")
    assert sorted(p.name for p in work.iterdir()) == before


def test_stdout_that_is_full(work):
    with open("/dev/full", "w") as full:
        result = subprocess.run(
            [sys.executable, "-m", "neurodeploy", "targets", "--json"],
            stdout=full, stderr=subprocess.PIPE, text=True, cwd=work, timeout=60, check=False,
        )  # fmt: skip
    assert result.returncode == 2
    assert "Traceback" not in result.stderr


def test_help_is_for_people(tmp_path):
    result = run("--help", cwd=tmp_path)
    for command in ("check", "compile", "inspect", "simulate", "deploy", "doctor", "targets"):
        assert command in result.stdout
    assert "--calibration" in run("compile", "--help", cwd=tmp_path).stdout


def test_an_output_never_overwrites_an_input(work):
    before = {p.name: p.read_bytes() for p in work.iterdir()}
    for arguments in (
        ("compile", "m.onnx", "-o", "m.onnx"),
        ("compile", "m.onnx", "--calibration", "c.npz", "-o", "c.npz"),
        ("simulate", "m.ndp", "--data", "t.npz", "-o", "m.ndp"),
        ("simulate", "m.ndp", "--data", "t.npz", "-o", "./t.npz"),
        ("compile", "m.onnx", "-o", "."),
    ):
        refused(run(*arguments, cwd=work), "ND-USAGE")
    assert {p.name: p.read_bytes() for p in work.iterdir()} == before


def test_a_reader_that_leaves(work):
    """`neurodeploy inspect ... | head -1`: no error, no traceback."""
    command = f"{sys.executable} -m neurodeploy inspect m.ndp | head -1; exit ${{PIPESTATUS[0]}}"
    result = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, cwd=work, timeout=60, check=False
    )
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""


def test_ttfs_from_the_command_line(work):
    made = run("compile", "m.onnx", "--calibration", "c.npz", "--scheme", "ttfs", "--steps", 16,
               "-o", "t.ndp", "--json", cwd=work)  # fmt: skip
    assert made.returncode == 0, made.stderr
    about = json.loads(made.stdout)
    assert {p["neuron"] for p in about["populations"]} == {"ttfs"}
    assert about["latency_steps"] > 2 * 16
    data = json.loads(run("simulate", "t.ndp", "--data", "t.npz", "--json", cwd=work).stdout)
    assert data["steps_between_samples"] == 16
    assert data["spikes_per_neuron"] < 1
    refused(run("compile", "m.onnx", "--scheme", "ttfs", "--reset", "zero", cwd=work), "--reset")
    refused(run("check", "m.onnx", "--scheme", "magic", cwd=work), "magic")
