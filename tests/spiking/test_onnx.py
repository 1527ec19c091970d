"""Spiking networks as ONNX: the operators of `ai.neurodeploy`, without torch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from click.testing import CliRunner
from onnx import helper, numpy_helper

import neurodeploy as nd
from neurodeploy.cli import cli
from neurodeploy.errors import UnsupportedError, UsageError
from neurodeploy.importing.reading.spiking_models import is_spiking_onnx

T = 4


def multi_level(x: str, y: str, **more: object):
    attributes = {"leak": 0.75, "thresholds": [0.6, 1.6, 2.6], **more}
    return helper.make_node("MultiLevelFiring", [x], [y], domain="ai.neurodeploy", **attributes)


def weights(*shape: int, seed: int = 0, high: float = 1.0) -> np.ndarray:
    """Integers of 127ths of the largest, which is there."""
    made = np.random.default_rng(seed).integers(-127, 128, shape)
    made.flat[0] = 127
    return (made * (high / 127)).astype(np.float32)


def saved(path: Path, nodes: list, shape: tuple, outputs: int, **constants: np.ndarray) -> Path:
    graph = helper.make_graph(
        nodes,
        "step",
        [helper.make_tensor_value_info("x", 1, ["batch", *shape])],
        [helper.make_tensor_value_info("y", 1, ["batch", outputs])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.neurodeploy", 1)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=9), path)
    return path


class Firing:
    """The neuron in floats."""

    def __init__(self, leak: float, thresholds: tuple[float, ...]) -> None:
        self.leak, self.thresholds = leak, thresholds
        self.v: list = [0.0] * len(thresholds)

    def __call__(self, x: np.ndarray) -> np.ndarray:
        sent = np.zeros(x.shape)
        for k, threshold in enumerate(self.thresholds):
            v = self.v[k] * (1 - self.leak) + x
            fires = v > threshold
            self.v[k] = np.where(fires, 0, v)
            sent += fires
        return sent


def block(tmp_path: Path) -> tuple[Path, np.ndarray, np.ndarray]:
    """A stem, a residual block and a head; images of 0..255 and the logits, computed in NumPy."""
    first, second, last = weights(12, 9, high=2), weights(12, 12, seed=1), weights(3, 12, seed=2)
    bias = (np.arange(12) / 20).astype(np.float32)
    nodes = [
        helper.make_node("Gemm", ["x", "w1", "b1"], ["a"], transB=1),
        multi_level("a", "s"),
        helper.make_node("Gemm", ["s", "w2"], ["b"], transB=1),
        multi_level("b", "t"),
        helper.make_node("Add", ["s", "t"], ["sum"]),
        helper.make_node("Gemm", ["sum", "w3"], ["y"], transB=1),
    ]
    path = saved(tmp_path / "m.onnx", nodes, (9,), 3, w1=first, b1=bias, w2=second, w3=last)
    x = np.random.default_rng(5).integers(0, 256, (60, 9)).astype(np.uint8)
    inner, outer = (Firing(0.75, (0.6, 1.6, 2.6)) for _ in range(2))
    total = np.zeros((60, 3))
    for _ in range(T):
        s = inner(x / 255 @ first.astype(float).T + bias)
        t = outer(s @ second.astype(float).T)
        total += (s + t) @ last.astype(float).T
    return path, x, total / T


def test_a_residual_block_is_two_populations_and_a_delayed_shortcut(tmp_path):
    path, x, logits = block(tmp_path)
    program = nd.compile(path, steps=T, warn=lambda _: None)
    assert [p.neuron.kind for p in program.populations] == ["levels", "levels", "lif"]
    assert program.scheme == "direct"
    assert program.is_aligned
    delays = {c.name: c.delay for c in program.connections}
    assert sorted(delays.values()) == [1, 1, 1, 2]
    assert all(c.graded for c in program.connections)
    found = nd.simulate(program, x, warn=lambda _: None).outputs
    # what rounding of thresholds and decay changes: a message here and there
    assert np.abs(found - logits).mean() < 0.02 * np.abs(logits).mean()
    assert (np.abs(found - logits).max(1) < 1e-2).mean() > 0.9


def test_a_target_without_graded_messages_gets_stock_populations(tmp_path):
    """The same spikes, level by level; no target that we know has the one and not the other."""
    path, x, _ = block(tmp_path)
    target = tmp_path / "binary.toml"
    text = (Path(nd.__file__).parents[1] / "targets" / "loihi2.toml").read_text()
    target.write_text(text.replace("graded_bits = { value = 24", "graded_bits = { value = 1"))
    program = nd.compile(path, steps=T, target=str(target), warn=lambda _: None)
    assert [p.neuron.kind for p in program.populations] == ["lif"] * 7
    graded = nd.compile(path, steps=T, warn=lambda _: None)
    np.testing.assert_array_equal(
        nd.simulate(program, x, warn=lambda _: None).outputs,
        nd.simulate(graded, x, warn=lambda _: None).outputs,
    )


def test_recordings_reach_a_target_of_stock_neurons_alone(tmp_path):
    """Loihi 1: no microcode, binary spikes; the input comes in as events."""
    path, _, _ = block(tmp_path)
    program = nd.compile(path, steps=T, target="loihi1", encoding="events", warn=lambda _: None)
    assert not program.needs_microcode
    assert not any(c.graded for c in program.connections)
    x = np.random.default_rng(0).integers(0, 2, (20, T, 9)).astype(np.uint8)
    found = nd.simulate(program, x).outputs
    expected = nd.simulate(
        nd.compile(path, steps=T, encoding="events", warn=lambda _: None), x
    ).outputs
    assert np.corrcoef(found.reshape(-1), expected.reshape(-1))[0, 1] > 0.99


@pytest.mark.parametrize("reset", ["zero", "subtract"])
def test_leaky_integrate_and_fire(tmp_path, reset):
    w = weights(5, 4, high=2)
    nodes = [
        helper.make_node("Gemm", ["x", "w"], ["a"], transB=1),
        helper.make_node(
            "LeakyIntegrateAndFire", ["a"], ["y"], domain="ai.neurodeploy",
            leak=0.25, threshold=1.5, reset=reset,
        ),
    ]  # fmt: skip
    path = saved(tmp_path / "m.onnx", nodes, (4,), 5, w=w)
    program = nd.compile(path, steps=12, warn=lambda _: None)
    assert program.decoder.decoding == "spike_count"
    x = np.random.default_rng(1).integers(0, 256, (50, 4)).astype(np.uint8)
    v, count = np.zeros((50, 5)), np.zeros((50, 5))
    for _ in range(12):
        v = 0.75 * v + x / 255 @ w.astype(float).T
        fires = v > 1.5
        v = np.where(fires, 0 if reset == "zero" else v - 1.5, v)
        count += fires
    found = nd.simulate(program, x, warn=lambda _: None).outputs
    assert count.sum() > 100
    assert np.abs(found - count).sum() <= 0.02 * count.sum()


def test_what_is_read_of_the_input_and_the_output(tmp_path):
    path, x, _ = block(tmp_path)
    summed = nd.compile(path, steps=T, decoder="membrane", warn=lambda _: None)
    mean = nd.compile(path, steps=T, warn=lambda _: None)
    quiet = {"warn": lambda _: None}
    np.testing.assert_allclose(
        nd.simulate(summed, x, **quiet).outputs, T * nd.simulate(mean, x, **quiet).outputs,
        rtol=1e-5,
    )  # fmt: skip
    frames = nd.compile(path, steps=T, encoding="events", warn=lambda _: None)
    raster = np.random.default_rng(0).integers(0, 2, (3, T, 9)).astype(np.uint8)
    assert nd.simulate(frames, raster).outputs.shape == (3, 3)
    half = nd.compile(path, steps=T, scale=1 / 510, input_range=(0, 0.5), warn=lambda _: None)
    assert half.encoder.preprocessing.scale == 1 / 510
    assert half.encoder.unit == pytest.approx(1 / 510)


@pytest.mark.parametrize(
    ("attributes", "said"),
    [
        ({"thresholds": [1.0, 0.5]}, "thresholds rise"),
        ({"thresholds": [float(k + 1) for k in range(9)]}, "9 levels"),
        ({"leak": 1.0}, "leak"),
        ({"leak": -0.1}, "leak"),
        ({"thresholds": 3}, "wrong type"),
    ],
)
def test_neurons_that_are_refused(tmp_path, attributes, said):
    nodes = [multi_level("x", "y", **attributes)]
    path = saved(tmp_path / "m.onnx", nodes, (4,), 4)
    with pytest.raises(UnsupportedError, match=said):
        nd.compile(path, steps=T)
    report = nd.check(path)
    assert not report.ok
    assert said in report.refused[0].reason


def test_spikes_and_relus_do_not_mix(tmp_path):
    nodes = [helper.make_node("Relu", ["x"], ["r"]), multi_level("r", "y")]
    path = saved(tmp_path / "m.onnx", nodes, (4,), 4)
    with pytest.raises(UnsupportedError, match="mixes ReLUs"):
        nd.compile(path, steps=T)
    assert not nd.check(path).ok


def test_options_that_are_not_for_it(tmp_path):
    path, x, _ = block(tmp_path)
    for options, place in (
        ({"calibration": x}, "--calibration"),
        ({"dt": 1e-3}, "--dt"),
        ({"reset": "zero"}, "--reset"),
        ({"scheme": "ttfs"}, "--scheme"),
        ({"encoding": "events", "scale": 0.5}, "--scale, --mean, --std"),
        ({}, "--steps"),
    ):
        given = {"steps": T, **options} if options else {}
        with pytest.raises(UsageError) as caught:
            nd.compile(path, warn=lambda _: None, **given)
        assert caught.value.place == place


def test_the_command_line(tmp_path):
    path, x, _ = block(tmp_path)
    np.savez(tmp_path / "x.npz", x=x)
    run = CliRunner().invoke
    done = run(cli, ["check", str(path), "--steps", str(T), "--annotate", f"{tmp_path}/seen.onnx"])
    assert done.exit_code == 0, done.output
    assert (tmp_path / "seen.onnx").exists()
    out = f"{tmp_path}/m.ndp"
    done = run(cli, ["compile", str(path), "--steps", str(T), "-o", out])
    assert done.exit_code == 0, done.output
    done = run(cli, ["simulate", out, "--data", f"{tmp_path}/x.npz", "--json"])
    assert done.exit_code == 0, done.output


def test_told_before_reading(tmp_path):
    path, _, _ = block(tmp_path)
    content = path.read_bytes()
    for model in (path, str(path), content, onnx.load(path)):
        assert is_spiking_onnx(model)
    other = saved(tmp_path / "o.onnx", [helper.make_node("Relu", ["x"], ["y"])], (4,), 4)
    plain = onnx.load(other)
    del plain.opset_import[1:]
    assert not is_spiking_onnx(plain)
    assert not is_spiking_onnx(tmp_path / "absent.onnx")
    assert not is_spiking_onnx(3)
    assert not is_spiking_onnx(plain.SerializeToString())
