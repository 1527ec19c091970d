"""Each rule on samples, in Python (a warning of ours) and on the command line (the same line)."""

from __future__ import annotations

import warnings

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import neurodeploy as nd
from neurodeploy.errors import DataError
from neurodeploy.importing import load_network
from neurodeploy.metrics.label_checks import label_line
from neurodeploy.sample_scale import choose_scale
from neurodeploy.testing.command_process import run_command

RNG = np.random.default_rng(0)
SHAPE = (3, 6, 5)
IMAGES = RNG.integers(0, 256, (40, *SHAPE), dtype=np.uint8)
COUNTS = RNG.poisson(1.0, (40, *SHAPE)).clip(0, 9)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A convolution, ReLU, dense: 4 classes."""
    rng = np.random.default_rng(1)
    graph = helper.make_graph(
        [
            helper.make_node("Conv", ["x", "w"], ["a"], kernel_shape=[3, 3]),
            helper.make_node("Relu", ["a"], ["b"]),
            helper.make_node("Flatten", ["b"], ["c"]),
            helper.make_node("MatMul", ["c", "h"], ["y"]),
        ],
        "small",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", *SHAPE])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 4])],
        [
            numpy_helper.from_array(rng.standard_normal(s).astype(np.float32), name)
            for name, s in (("w", (8, 3, 3, 3)), ("h", (96, 4)))
        ],
    )
    path = tmp_path_factory.mktemp("samples") / "m.onnx"
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path
    )
    return path


@pytest.fixture(scope="module")
def floats():
    return RNG.standard_normal((40, *SHAPE)).clip(-2, 2).astype(np.float32)


@pytest.fixture(scope="module")
def program(model, floats):
    return nd.compile(model, floats, warn=str)


def said(function, *arguments, **options):
    """The lines that a call says, through its callback."""
    lines = []
    function(*arguments, **options, warn=lines.append)
    return lines


def test_python_warns_with_our_classes_at_the_callers_line(model, floats):
    with pytest.warns(nd.CompileWarning, match="no calibration samples") as caught:
        compiled = nd.compile(model)
    assert all(record.filename == __file__ for record in caught)
    assert issubclass(nd.CompileWarning, nd.NeuroDeployWarning)
    with pytest.warns(nd.DataWarning, match="leave the calibrated range 0..1") as caught:
        nd.simulate(compiled, floats * 3)
    assert {record.filename for record in caught} == {__file__}


def test_good_samples_are_not_spoken_of(program, floats):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        nd.simulate(program, floats)
        nd.estimate_cost(program, floats)


# --- the scale of integers -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("calibration", "scale", "reason", "word"),
    [
        (IMAGES, 1 / 255, "images", "scaled by 1/255"),
        (IMAGES.astype(np.int64), 1 / 255, "images", "scaled by 1/255"),
        (COUNTS, 1.0, "counts", "taken as they are"),
        (COUNTS.astype(np.uint8), 1.0, "counts", "taken as they are"),
        ((IMAGES > 127).astype(np.uint8) * 255, 1.0, "counts", "taken as they are"),
        (IMAGES.astype(np.int16) - 128, 1.0, "counts", "taken as they are"),
        (IMAGES.astype(np.int32) * 8, 1.0, "counts", "taken as they are"),
        (COUNTS.astype(np.float32), 1.0, "float", "scale 1"),
        (RNG.random((9, *SHAPE), np.float32), 1.0, "float", "scale 1"),
        ((IMAGES / 255).astype(np.float32), 1 / 255, "images", "by 1/255"),
    ],
)
def test_a_scale_that_nobody_stated_is_chosen_by_what_there_is(
    model, calibration, scale, reason, word
):
    lines = []
    program = nd.compile(model, calibration, warn=lines.append)
    assert program.encoder.preprocessing.scale == scale
    assert program.recorded("calibration")["scale_from"] == reason
    assert sum(word in line and "--scale" in line for line in lines) == 1
    stated = said(nd.compile, model, calibration, scale=1 / 255)
    assert not any(word in line for line in stated)


def test_a_model_that_takes_raw_images_gets_them_raw():
    weights = np.random.default_rng(3).standard_normal((SHAPE[0] * SHAPE[1] * SHAPE[2], 5)) / 255
    bias = np.array([0.0, 0.2, 1.0, 0.1, 0.0])

    def outputs(x):
        return x.reshape(len(x), -1) @ weights + bias

    sparse = IMAGES * (np.random.default_rng(4).random(IMAGES.shape) < 0.2)
    assert choose_scale(sparse, False, (0.0,), (1.0,), outputs).reason == "raw images"
    assert choose_scale(sparse, False, (0.5,), (0.2,), outputs).reason == "images"
    trained = choose_scale(sparse, False, (0.0,), (1.0,), lambda x: outputs(x * 255))
    assert trained.reason == "images"


@pytest.mark.parametrize(
    ("first", "gain"),
    [
        ([("Div", ["x", "k"])], 1 / 255),
        ([("Sub", ["x", "h"]), ("Div", ["a0", "h"])], 1 / 127.5),
        ([("Transpose", ["x"]), ("Mul", ["i", "a0"])], 1 / 255),
        ([("BatchNormalization", ["x", "one", "zero", "mean", "var"])], 1 / 73.5),
        ([("Mul", ["x", "two"])], 2.0),
    ],
)
def test_a_model_that_divides_pixels_itself_gets_them_raw(first, gain):
    """The program then is the model: no scale is applied twice."""
    constants = {
        "k": np.float32(255), "h": np.float32(127.5), "i": np.float32(1 / 255),
        "two": np.float32(2), "one": np.ones(3, np.float32), "zero": np.zeros(3, np.float32),
        "mean": np.full(3, 127, np.float32), "var": np.full(3, 73.5**2, np.float32),
        "w": np.random.default_rng(5).standard_normal((4, 3, 3, 3)).astype(np.float32),
    }  # fmt: skip
    nodes = []
    for k, (kind, reads) in enumerate(first):
        order = {"perm": [0, 1, 2, 3]} if kind == "Transpose" else {}
        nodes.append(helper.make_node(kind, reads, [f"a{k}"], **order))
    nodes.append(helper.make_node("Conv", [f"a{len(first) - 1}", "w"], ["c"]))
    nodes.append(helper.make_node("Relu", ["c"], ["y"]))
    used = {name for node in nodes for name in node.input}
    graph = helper.make_graph(
        nodes, "pixels",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", *SHAPE])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 4, 4, 3])],
        [numpy_helper.from_array(v, name) for name, v in constants.items() if name in used],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    assert load_network(model.SerializeToString()).input_gain == pytest.approx(gain, rel=1e-3)
    lines: list[str] = []
    program = nd.compile(model, IMAGES, scheme="graded", warn=lines.append, try_samples=0)
    scale = 1.0 if gain < 0.1 else pytest.approx(1 / 255)
    assert program.encoder.preprocessing.scale == scale
    assert any("divides its input" in line for line in lines) == (gain < 0.1)


def test_counts_give_the_same_as_integers_and_as_floats(model):
    """Calibrated with floats, run with integers: the integers are not taken for images."""
    program = nd.compile(model, COUNTS.astype(np.float32), warn=str)
    whole = nd.simulate(program, COUNTS, warn=str)
    real = nd.simulate(program, COUNTS.astype(np.float32), warn=str)
    assert np.array_equal(whole.outputs, real.outputs)


def test_integers_are_not_scaled_in_silence(model):
    program = nd.compile(model, (IMAGES / 255).astype(np.float32), warn=str)
    assert any("taken as x * 0.00392157" in line for line in said(nd.simulate, program, IMAGES))
    program = nd.compile(model, IMAGES, warn=str)
    assert said(nd.simulate, program, IMAGES) == []


def test_a_scale_that_floats_do_not_get_is_told(model, floats):
    lines = said(nd.compile, model, floats * 100, scale=1 / 255)
    assert any("are for integer samples" in line for line in lines)


# --- the calibrated range ------------------------------------------------------------------


def test_samples_beyond_the_range_say_how_many_and_by_how_much(program, floats):
    x = floats.copy()
    x[:10, 0, 0, 0] = 3 * floats.max()
    low, high = floats.min(), floats.max()
    (line,) = said(nd.simulate, program, x)
    share = 100 * 10 / x.size
    assert f"{share:.2g} % of the values, in 10 of 40 samples" in line
    assert f"by up to {2 * high:g}, {100 * 2 * high / (high - low):.3g} % of it" in line
    assert "calibration samples like these" in line


def test_every_command_in_python_says_it(program, model, floats):
    x = 4 * floats[:3]
    for function, options in (
        (nd.estimate_cost, {}),
        (nd.explain, {"model": model}),
        (nd.report, {"model": model}),
    ):
        assert (
            sum("leave the calibrated" in line for line in said(function, program, x, **options))
            == 1
        )


@pytest.mark.lava
def test_deploy_says_it(program, floats):
    pytest.importorskip("lava")
    lines = said(nd.deploy, program, 4 * floats[:1])
    assert sum("leave the calibrated" in line for line in lines) == 1


def test_raw_images_for_scaled_ones_name_the_factor(model):
    by_images = nd.compile(model, IMAGES, warn=str)
    (line,) = said(nd.simulate, by_images, IMAGES.astype(np.float32))
    assert "give them in an integer dtype" in line
    by_floats = nd.compile(model, RNG.random((9, *SHAPE), np.float32), warn=str)
    (line,) = said(nd.simulate, by_floats, IMAGES)
    assert "divide them by 255, or compile with --scale 0.00392156863" in line


def test_samples_in_a_corner_of_the_range(model):
    program = nd.compile(model, IMAGES.astype(np.float32), scale=1.0, warn=str)
    (line,) = said(nd.simulate, program, (IMAGES / 255).astype(np.float32))
    assert "0.39 % of the calibrated range 0..255" in line


def test_a_stated_range_narrower_than_the_calibration(model, floats):
    lines = said(nd.compile, model, floats, input_range=(-1.0, 1.0))
    assert any("leave the stated input range -1..1" in line for line in lines)


# --- samples that say nothing --------------------------------------------------------------


@pytest.mark.parametrize(("value", "word"), [(0.0, "zero"), (0.25, "the same value, 0.25")])
def test_a_constant_calibration_is_refused(model, value, word):
    with pytest.raises(DataError, match=f"all samples are {word}"):
        nd.compile(model, np.full((9, *SHAPE), value, np.float32))


def test_one_sample_over_and_over(model, floats):
    assert any("are the same one" in line for line in said(nd.compile, model, floats[[0, 0, 0]]))
    assert any("one calibration sample" in line for line in said(nd.compile, model, floats[:1]))


def test_constant_samples_are_told(program):
    lines = said(nd.simulate, program, np.zeros((4, *SHAPE), np.float32))
    assert any("hold the same value, 0," in line for line in lines)


# --- axes ----------------------------------------------------------------------------------


def test_channels_last_and_a_missing_batch_axis(model, program, floats):
    for function, first in ((nd.compile, model), (nd.simulate, program)):
        with pytest.raises(DataError, match=r"x\.transpose\(0, 3, 1, 2\)"):
            function(first, floats.transpose(0, 2, 3, 1), warn=str)
        with pytest.raises(DataError, match=r"add the batch axis, x\[None\]"):
            function(first, floats[0], warn=str)


# --- labels --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("labels", "outputs", "word"),
    [
        ([0, 3, 2], 4, ""),
        ([0, 1], 1, ""),
        ([0.5, 7.0], 4, ""),
        ([1, 2, 3, 4], 4, "give y - 1"),
        ([1, 2], 1, "give y - 1"),
        ([0, 4, 9], 4, "2 of 3 samples count as wrong"),
        ([-1, 0, 1], 4, "1 of 3 samples count as wrong"),
    ],
)
def test_labels_outside_the_classes(labels, outputs, word):
    line = label_line(np.array(labels), outputs)
    assert word in line
    assert bool(line) == bool(word)


def test_explain_and_report_look_at_labels(program, model, floats):
    y = np.arange(6) % 4 + 1
    for function in (nd.explain, nd.report):
        lines = said(function, program, floats[:6], y, model=model)
        assert sum("give y - 1" in line for line in lines) == 1


# --- the command line ----------------------------------------------------------------------


def test_the_command_line_says_each_line_once(model, floats, tmp_path):
    def run(*arguments):
        return run_command([str(argument) for argument in arguments], tmp_path)

    np.savez(tmp_path / "cal.npz", x=floats)
    np.savez(tmp_path / "wide.npz", x=3 * floats[:5], y=np.array([1, 2, 3, 4, 1]))
    np.savez(tmp_path / "zero.npz", x=0 * floats)
    np.savez(tmp_path / "last.npz", x=floats.transpose(0, 2, 3, 1))
    made = run("compile", model, "--calibration", "cal.npz", "-o", "m.ndp")
    assert made.returncode == 0, made.stderr
    assert made.stderr.count("scale 1") == 1
    for command in (
        ("simulate", "m.ndp", "--data", "wide.npz"),
        ("map", "m.ndp", "--data", "wide.npz"),
        ("cost", "m.ndp", "--data", "wide.npz"),
        ("explain", "m.ndp", "--data", "wide.npz", "--model", model),
        ("report", "m.ndp", "--data", "wide.npz", "--format", "json"),
    ):
        told = run(*command)
        assert told.returncode == 0, told.stderr
        lines = told.stderr.splitlines()
        assert sum(line.startswith("warning: samples leave the cal") for line in lines) == 1
        assert "Warning:" not in told.stderr  # Python's own form
        if command[0] not in ("map", "cost"):
            assert sum("give y - 1" in line for line in lines) == 1
    refused = run("compile", model, "--calibration", "zero.npz")
    assert refused.returncode == 2
    assert "all samples are zero" in refused.stderr
    refused = run("simulate", "m.ndp", "--data", "last.npz")
    assert refused.returncode == 2
    assert "x.transpose(0, 3, 1, 2)" in refused.stderr


@pytest.mark.parametrize("encoding", ["events", "frames"])
def test_fractions_of_a_recording_are_told(encoding):
    network = nd.spiking_network(3, [nd.SpikingLayer(np.eye(3))])
    program = nd.compile(network, scheme="direct", steps=6, encoding=encoding, warn=str)
    whole = np.float32(RNG.random((4, 6, 3)) < 0.5)
    said: list[str] = []
    nd.simulate(program, whole, warn=said.append)
    assert not [line for line in said if "whole" in line]
    nd.simulate(program, 0.5 * whole, warn=said.append)
    (line,) = [line for line in said if "whole" in line]
    assert "they are rounded" in line
    said.clear()
    frames = nd.compile(
        network, 0.5 * whole, scheme="direct", encoding="frames", warn=lambda line: None
    )
    nd.simulate(frames, 0.5 * whole, warn=said.append)
    assert not said
