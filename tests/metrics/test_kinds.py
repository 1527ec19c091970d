"""One network of each kind of output: what is inferred, and the numbers by another way."""

from __future__ import annotations

import json

import numpy as np
import onnxruntime
import pytest
from outputs import RELU, conv, dense, write

import neurodeploy as nd
from neurodeploy.metrics import Task
from neurodeploy.reporting.results import Reference, summary
from neurodeploy.samples import Samples

RNG = np.random.default_rng(12)
SOFTMAX = ("Softmax", {"axis": 1}, [])
SIGMOID = ("Sigmoid", {}, [])


def made(tmp_path, shape, layers, n=40, opset=17, **options):
    """Program, its result, the samples, and what ONNX Runtime says of the model itself."""
    path = write(tmp_path / "m.onnx", shape, layers, opset)
    x = np.random.default_rng(1).uniform(0, 1, (n, *shape)).astype(np.float32)
    program = nd.compile(path, calibration=x, scheme="ttfs", steps=64, **options)
    whole = onnxruntime.InferenceSession(path.read_bytes()).run(None, {"x": x})[0]
    return program, nd.simulate(program, x), x, whole, path


def scored(program, result, x, path, labels=None):
    """As `simulate --json` with a model."""
    data = summary(program, result, labels, Reference.compute(str(path), program, Samples(x, None)))
    json.dumps(data, allow_nan=False)
    return data


@pytest.mark.parametrize("tail", [[], [SIGMOID], [("Squeeze", {}, [np.array([1])])]])
def test_one_logit_is_binary(tmp_path, tail):
    first, last = dense(RNG, 5, 16), dense(RNG, 16, 1)
    x = np.random.default_rng(1).uniform(0, 1, (40, 5))
    hidden = np.maximum(x @ first[2][0] + first[2][1], 0)
    last[2][1][:] = -np.median(hidden @ last[2][0])  # so that both classes occur
    program, result, x, whole, path = made(tmp_path, (5,), [first, RELU, last, *tail])
    assert result.task.kind == "binary"
    truth = (whole.reshape(-1) > (0.5 if tail == [SIGMOID] else 0)).astype(np.uint8)
    data = scored(program, result, x, path, truth)
    assert data["task"] == "binary"
    assert data["ann_accuracy"] == 100
    assert data["accuracy"] == 100 * np.mean(result.predictions == truth) == data["agreement"]
    assert data["accuracy"] >= 90
    low, high = data["accuracy_interval"]
    assert low <= data["accuracy"] <= high
    for same in (truth.astype(bool), truth[:, None], 2.0 * truth - 1, np.eye(2)[truth]):
        assert result.accuracy(same) == data["accuracy"]


def test_hard_sigmoid_is_read_at_a_half(tmp_path):
    weight, bias = np.float32([[1.0], [-1.0]]), np.float32([0.0])
    tail = ("HardSigmoid", {}, [])
    _, result, _, whole, _ = made(tmp_path, (2,), [("Gemm", {}, [weight, bias]), tail])
    assert (result.task.kind, result.task.threshold) == ("binary", 0.5)
    clear = np.abs(whole - 0.5) > 0.02
    assert 0 < (whole > 0.5).mean() < 1
    np.testing.assert_array_equal(result.predictions[clear[:, 0]], (whole > 0.5)[clear[:, 0], 0])


@pytest.mark.parametrize("tail", [[], [SOFTMAX], [("ArgMax", {"axis": 1, "keepdims": 0}, [])]])
def test_several_outputs_are_classes(tmp_path, tail):
    layers = [dense(RNG, 5, 16), RELU, dense(RNG, 16, 3), *tail]
    program, result, x, whole, path = made(tmp_path, (5,), layers)
    truth = whole if tail and tail[0][0] == "ArgMax" else whole.argmax(1)
    data = scored(program, result, x, path, truth)
    assert data["task"] == "classification"
    assert "top5_accuracy" not in data
    assert data["ann_accuracy"] == 100
    assert data["accuracy"] == data["agreement"] >= 90
    assert result.accuracy(np.eye(3)[truth]) == result.accuracy(truth[:, None])


def test_two_outputs_take_labels_of_two_values(tmp_path):
    layers = [dense(RNG, 5, 16), RELU, dense(RNG, 16, 2)]
    _, result, _, whole, _ = made(tmp_path, (5,), layers)
    truth = whole.argmax(1)
    assert result.task.kind == "classification"
    assert result.accuracy(truth) == result.accuracy(truth > 0) == result.accuracy(2 * truth - 1)
    assert result.accuracy(truth) >= 90


def test_top_five_from_twenty_classes_on(tmp_path):
    layers = [dense(RNG, 5, 16), RELU, dense(RNG, 16, 25)]
    program, result, x, whole, path = made(tmp_path, (5,), layers)
    truth = np.random.default_rng(2).integers(0, 25, len(x))
    data = scored(program, result, x, path, truth)
    places = np.argsort(-result.outputs, axis=1, kind="stable")[:, :5]
    assert data["top5_accuracy"] == pytest.approx(100 * np.mean((places == truth[:, None]).any(1)))
    theirs = np.argsort(-whole, axis=1)[:, :5]
    expected = 100 * np.mean((theirs == truth[:, None]).any(1))
    assert data["ann_top5_accuracy"] == pytest.approx(expected)
    assert data["accuracy"] < data["top5_accuracy"]


def test_several_sigmoids_are_labels_of_their_own(tmp_path):
    layers = [dense(RNG, 5, 16), RELU, dense(RNG, 16, 4), SIGMOID]
    program, result, x, whole, path = made(tmp_path, (5,), layers)
    truth = np.random.default_rng(2).integers(0, 2, whole.shape)
    data = scored(program, result, x, path, truth)
    assert data["task"] == "multilabel"
    assert data["ann_accuracy"] == pytest.approx(100 * np.mean((whole > 0.5) == truth))
    assert data["accuracy"] == pytest.approx(100 * np.mean((result.outputs > 0) == truth))
    assert data["agreement"] >= 90
    assert result.predictions.shape == whole.shape
    # a class for each sample is another thing
    classes = result.outputs.argmax(1)
    assert result.scores(classes).accuracy == 100


CHANNELS_LAST = ("Transpose", {"perm": [0, 2, 3, 1]}, [])


@pytest.mark.parametrize(
    ("tail", "axis"),
    [
        ([], 1),
        ([("Softmax", {"axis": 1}, [])], 1),
        ([("ArgMax", {"axis": 1, "keepdims": 1}, [])], 1),
        ([CHANNELS_LAST], 3),
        ([CHANNELS_LAST, ("Softmax", {"axis": -1}, [])], 3),
    ],
)
def test_classes_of_pixels(tmp_path, tail, axis):
    layers = [conv(RNG, 3, 6, (3, 3)), RELU, conv(RNG, 6, 4, (1, 1)), *tail]
    program, result, x, whole, path = made(tmp_path, (3, 4, 5), layers, n=12)
    ann = whole[:, 0] if tail and tail[0][0] == "ArgMax" else whole.argmax(axis)
    assert result.task.kind == "segmentation"
    assert result.predictions.shape == (12, 4, 5)
    truth = np.random.default_rng(2).integers(0, 4, (12, 4, 5)).astype(np.uint8)
    truth[:, 0, 0] = 255  # not judged
    data = scored(program, result, x, path, truth)
    kept = truth != 255
    assert data["ignored_elements"] == 12
    for prefix, said in (("", result.predictions), ("ann_", ann)):
        assert data[f"{prefix}accuracy"] == pytest.approx(100 * np.mean((said == truth)[kept]))
        ious = [
            ((said == c) & (truth == c))[kept].sum() / ((said == c) | (truth == c))[kept].sum()
            for c in range(4)
            if ((said == c) | (truth == c))[kept].any()
        ]
        assert data[f"{prefix}mean_iou"] == pytest.approx(100 * np.mean(ious))
    assert data["agreement"] == pytest.approx(100 * np.mean(result.predictions == ann))
    assert data["agreement"] >= 85
    assert result.scores(truth.reshape(12, -1)) == result.scores(truth[:, None])
    hot = np.eye(4, dtype=np.uint8)[result.predictions]
    assert result.accuracy(hot) == result.accuracy(np.moveaxis(hot, -1, 1)) == 100
    with pytest.raises(nd.NeuroDeployError, match="predictions' shape"):
        result.accuracy(truth.transpose(0, 2, 1))


def test_classes_of_steps(tmp_path):
    """(N, steps, classes), as a MatMul on sequences gives them."""
    weights = [RNG.normal(size=(6, 8)), RNG.normal(size=(8, 5))]
    first, second = (w.astype(np.float32) for w in weights)
    layers = [("MatMul", {}, [first]), RELU, ("MatMul", {}, [second])]
    _, result, _, whole, _ = made(tmp_path, (7, 6), layers)
    assert (result.task.kind, result.task.axis) == ("segmentation", 1)
    assert result.outputs.shape == whole.shape == (40, 7, 5)
    assert np.mean(result.predictions == whole.argmax(2)) >= 0.9
    assert result.accuracy(result.predictions) == 100


def test_one_channel_is_a_mask(tmp_path):
    layers = [conv(RNG, 3, 6, (3, 3)), RELU, conv(RNG, 6, 1, (1, 1)), SIGMOID]
    program, result, x, whole, path = made(tmp_path, (3, 4, 5), layers, n=12)
    truth = whole > 0.5
    data = scored(program, result, x, path, truth.astype(np.float32))
    assert data["task"] == "segmentation"
    assert data["ann_accuracy"] == data["ann_mean_iou"] == 100
    assert data["accuracy"] == data["agreement"] >= 85
    assert result.predictions.shape == (12, 4, 5)
    with pytest.raises(nd.NeuroDeployError, match="are 0 and 255"):
        result.accuracy(truth.astype(np.uint8) * 255)


def test_float_labels_are_a_regression(tmp_path):
    layers = [dense(RNG, 5, 16), RELU, dense(RNG, 16, 3)]
    program, result, x, whole, path = made(tmp_path, (5,), layers)
    y = (whole + np.random.default_rng(3).normal(0, 0.2, whole.shape)).astype(np.float32)
    data = scored(program, result, x, path, y)
    assert data["task"] == "regression"
    assert "labels" in data["task_reason"]
    assert not {"accuracy", "agreement"} & set(data)
    for prefix, said in (("", result.outputs), ("ann_", whole)):
        wrong = said.astype(float) - y
        assert data[f"{prefix}rms_error"] == pytest.approx(np.sqrt((wrong**2).mean()), rel=1e-4)
        assert data[f"{prefix}max_error"] == pytest.approx(np.abs(wrong).max(), rel=1e-4)
        r2 = 1 - (wrong**2).sum(0) / ((y - y.mean(0)) ** 2).sum(0)
        assert data[f"{prefix}r2"] == pytest.approx(r2.mean(), rel=1e-3)
    wrong = result.outputs - whole
    assert data["rms_difference"] == pytest.approx(np.sqrt((wrong**2).mean()), rel=1e-4)
    assert data["max_difference"] == pytest.approx(np.abs(wrong).max(), rel=1e-4)
    with pytest.raises(nd.NeuroDeployError, match="no accuracy"):
        result.accuracy(y)


def test_a_squashed_number_is_judged_in_the_models_units(tmp_path):
    for tail in ("Tanh", "Sigmoid"):
        layers = [dense(RNG, 5, 16), RELU, dense(RNG, 16, 1), (tail, {}, [])]
        _, result, _, whole, _ = made(tmp_path, (5,), layers)
        found = result.scores(whole)
        squash = np.tanh if tail == "Tanh" else lambda v: 1 / (1 + np.exp(-v))
        wrong = squash(result.outputs.astype(float)) - whole
        assert found.rms_error == pytest.approx(np.sqrt(np.mean(wrong**2)), rel=1e-4)
        assert found.rms_error < 0.05
        assert found.r2 > 0.8


def test_a_number_that_is_never_negative_is_no_logit(tmp_path):
    layers = [dense(RNG, 5, 16), RELU, dense(RNG, 16, 1), RELU]
    _, result, _, _, _ = made(tmp_path, (5,), layers)
    assert result.task.kind == "regression"
    assert "never negative" in result.task.reason


@pytest.mark.parametrize("tail", [[], [SIGMOID]])
def test_an_autoencoder_rebuilds_numbers(tmp_path, tail):
    layers = [dense(RNG, 16, 4), RELU, dense(RNG, 4, 16), *tail]
    program, result, x, whole, path = made(tmp_path, (16,), layers)
    data = scored(program, result, x, path, x)
    assert data["task"] == "regression"
    assert data["ann_rms_error"] == pytest.approx(np.sqrt(np.mean((whole - x) ** 2)), rel=1e-4)
    assert data["rms_difference"] < 0.1
    assert np.abs(result.predictions - whole).max() < 0.3  # in the model's units


def test_a_stated_task_holds(tmp_path):
    layers = [dense(RNG, 5, 16), RELU, dense(RNG, 16, 3)]
    path = write(tmp_path / "m.onnx", (5,), layers)
    x = RNG.uniform(0, 1, (20, 5)).astype(np.float32)
    program = nd.compile(path, calibration=x, task="regression")
    result = nd.simulate(program, x)
    assert (result.task.kind, result.task.reason) == ("regression", "stated by the user")
    assert result.scores(np.eye(3)[np.arange(20) % 3]).rms_error > 0
    again = nd.simulate(program, x, task="classification")
    assert again.predictions.shape == (20,)
    with pytest.raises(nd.NeuroDeployError, match="binary has one output"):
        nd.simulate(program, x, task="binary")
    with pytest.raises(nd.NeuroDeployError, match="is not a task"):
        nd.simulate(program, x, task="clustering")


def test_a_record_that_makes_no_sense_is_not_believed(tmp_path):
    from dataclasses import replace

    layers = [dense(RNG, 5, 16), RELU, dense(RNG, 16, 3)]
    path = write(tmp_path / "m.onnx", (5,), layers)
    program = nd.compile(path, calibration=RNG.uniform(0, 1, (8, 5)).astype(np.float32))
    for record in ({"kind": "binary", "shape": [3]}, {"kind": [], "shape": 3}, [], {"link": [[]]}):
        other = replace(program, provenance={**program.provenance, "task": record})
        assert Task.of(other).kind == "classification"
    assert Task.of(program).as_dict() == dict(program.provenance["task"])


@pytest.mark.parametrize("tail", ["Sigmoid", "Tanh", "Softmax", "LogSoftmax"])
def test_what_the_model_itself_gives_is_told_from_what_goes_into_its_tail(tmp_path, tail):
    """ONNX Runtime's outputs come from behind the tail, the program's before it."""
    attributes = {"axis": 1} if tail.endswith("oftmax") else {}
    outputs = 1 if tail in ("Sigmoid", "Tanh") else 3
    layers = [dense(RNG, 5, 16), RELU, dense(RNG, 16, outputs)]
    _, result, x, whole, _ = made(tmp_path, (5,), [*layers, (tail, attributes, [])])
    path = write(tmp_path / "bare.onnx", (5,), layers)
    bare = onnxruntime.InferenceSession(path.read_bytes()).run(None, {"x": x})[0]
    with pytest.warns(nd.DataWarning, match=f"behind the final {tail}"):
        behind = result.against(whole)
    before = result.against(bare)
    assert behind.accuracy == before.accuracy >= 85
    assert behind.rms_error < 0.1
    # agreement of a model with itself
    shown = type(result)(bare, {}, {}, task=result.task)
    assert shown.against(whole, warn=lambda line: None).accuracy == 100


def test_classes_are_no_outputs(tmp_path):
    tail = ("ArgMax", {"axis": 1, "keepdims": 0}, [])
    layers = [dense(RNG, 5, 16), RELU, dense(RNG, 16, 3), tail]
    _, result, _, whole, _ = made(tmp_path, (5,), layers)
    with pytest.raises(nd.NeuroDeployError, match=r"int64 \(40,\)") as caught:
        result.against(whole)
    assert "scores(classes)" in caught.value.remedy
    assert result.accuracy(whole) >= 85


@pytest.mark.parametrize(
    ("shift", "said"), [(1, "count from 1"), (4, "count as wrong"), (-1, "count as wrong")]
)
def test_labels_outside_the_classes_are_said_in_python(tmp_path, shift, said):
    _, result, _, whole, _ = made(tmp_path, (5,), [dense(RNG, 5, 16), RELU, dense(RNG, 16, 3)])
    truth = np.r_[0, 1, 2, whole.argmax(1)[3:]]
    for judge in (result.accuracy, result.scores):
        with pytest.warns(nd.DataWarning, match=said):
            judge(truth + shift)
    lines: list[str] = []
    result.scores(truth + shift, warn=lines.append)
    assert len(lines) == 1


@pytest.mark.parametrize("labels", [[[0], [1, 2]], np.ma.masked_equal(np.arange(40) % 3, 1)])
def test_labels_that_are_no_array_are_refused(tmp_path, labels):
    _, result, *_ = made(tmp_path, (5,), [dense(RNG, 5, 16), RELU, dense(RNG, 16, 3)])
    with pytest.raises(nd.NeuroDeployError, match="labels"):
        result.accuracy(labels)
