"""Multi-level firing and DS-ResNet: equations, blocks, a small training, and the program."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the train extra")
pytest.importorskip("spikingjelly", reason="needs the train extra")

import neurodeploy as nd  # noqa: E402
from neurodeploy.errors import DataError, UsageError  # noqa: E402
from neurodeploy.training.fitting import Recipe, fit, read_checkpoint  # noqa: E402
from neurodeploy.training.images import Images, read_images  # noqa: E402
from neurodeploy.training.multi_level_firing import (  # noqa: E402
    THRESHOLDS,
    LeakyIntegrateAndFire,
    MultiLevelFiring,
)
from neurodeploy.training.spiking_nir import DT, save_nir  # noqa: E402
from neurodeploy.training.spiking_onnx import export  # noqa: E402
from neurodeploy.training.spiking_resnet import SpikingResNet, preset  # noqa: E402

pytestmark = [pytest.mark.torch, pytest.mark.filterwarnings("ignore")]

ROOT = Path(__file__).resolve().parents[2]
FASHION = Path("/usr/share/datasets/fashion-mnist")
STEPS = 4


class _Rectangle(torch.autograd.Function):
    """The authors' spike: a step forward, 1 within half a unit of the threshold backward."""

    @staticmethod
    def forward(ctx, above):
        ctx.save_for_backward(above)
        return (above > 0).float()

    @staticmethod
    def backward(ctx, gradient):
        (above,) = ctx.saved_tensors
        return gradient * (above.abs() < 0.5).float()


def equations(x, thresholds, leak):
    """Feng et al. 2022 in plain torch: u[t] = tau u[t-1] (1 - s[t-1]) + x[t]."""
    u = [torch.zeros_like(x[0]) for _ in thresholds]
    s = [torch.zeros_like(x[0]) for _ in thresholds]
    sent = []
    for row in x:
        for k, threshold in enumerate(thresholds):
            u[k] = (1 - leak) * u[k] * (1 - s[k]) + row
            s[k] = _Rectangle.apply(u[k] - threshold)
        sent.append(sum(s))
    return torch.stack(sent)


@pytest.mark.parametrize("levels", [1, 2, 3])
@pytest.mark.parametrize("leak", [0.75, 0.5, 0.0])
def test_the_module_is_the_equations(levels, leak):
    torch.manual_seed(levels)
    thresholds = THRESHOLDS[:levels]
    made = MultiLevelFiring(thresholds, leak)
    results, gradients = [], []
    data, weight = torch.randn(6, 50, 20) * 2, torch.randn(6, 50, 20)
    for run in (made, lambda x: equations(x, thresholds, leak)):
        x = data.clone().requires_grad_()
        y = run(x)
        (y * weight).sum().backward()
        results.append(y.detach())
        gradients.append(x.grad)
    assert results[0].max() == levels
    assert torch.equal(*results)
    assert (gradients[0] - gradients[1]).abs().max() <= 1e-6


@pytest.mark.parametrize("kind", ["ds", "plain"])
def test_a_ds_block_silences_nobody(kind):
    """Units that send into an identity shortcut and are silent behind the block."""
    torch.manual_seed(0)
    made = SpikingResNet(preset("tiny", kind=kind), STEPS).train()
    seen = {}
    made.blocks[0].register_forward_hook(lambda _, inputs, y: seen.update(x=inputs[0], y=y))
    with torch.no_grad():
        made(torch.rand(64, 1, 14, 14))
    active = seen["x"] > 0
    silenced = float((active & (seen["y"] == 0)).sum() / active.sum())
    assert active.float().mean() > 0.1
    if kind == "ds":
        assert silenced == 0
    else:
        assert silenced > 0.05


@pytest.fixture(scope="module")
def images() -> Images:
    """1,000 images to train with, and 500 to test with, 14 x 14."""
    folder = ROOT / "models" / "fashion_cnn"

    def halved(x):
        return np.rint(x.reshape(len(x), 1, 14, 2, 14, 2).mean((3, 5))).astype(np.uint8)

    with np.load(folder / "calibration.npz") as train, np.load(folder / "test.npz") as test:
        return Images(
            halved(train["x"]), train["y"].astype(np.int64),
            halved(test["x"][:500]), test["y"][:500].astype(np.int64),
        )  # fmt: skip


@pytest.fixture(scope="module")
def trained(images):
    """A network after two epochs, and what was told."""
    torch.set_num_threads(1)  # those of other tests only wait for each other
    torch.manual_seed(0)
    made = SpikingResNet(preset("tiny"), STEPS)
    return made, fit(made, images, Recipe(epochs=3, batch=20, crop=1))


def test_it_learns(trained):
    _, history = trained
    assert history[2]["loss"] < 1.5 < history[0]["loss"] < 2.4
    assert history[2]["accuracy"] > 50


def test_a_run_that_was_interrupted_ends_as_one_that_was_not(images, tmp_path):
    few = images.limited(150, 50)
    recipe = Recipe(epochs=2, batch=50, crop=1)

    def made():
        torch.manual_seed(3)
        return SpikingResNet(preset("tiny", depth=8), 2)

    whole, parts, path = made(), made(), tmp_path / "checkpoint.pt"
    expected = fit(whole, few, recipe)
    fit(parts, few, recipe, path, stop_after=1)
    again = made()
    found = fit(again, few, recipe, path, resume=True)
    assert [e["loss"] for e in found] == [e["loss"] for e in expected]
    for name, tensor in whole.state_dict().items():
        assert torch.equal(tensor, again.state_dict()[name]), name
    with pytest.raises(UsageError, match="another network or recipe"):
        fit(again, few, replace(recipe, rate=0.2), path, resume=True)
    (tmp_path / "none.pt").write_bytes(b"no checkpoint")
    with pytest.raises(DataError, match="no checkpoint"):
        read_checkpoint(tmp_path / "none.pt")


def test_the_program_of_a_trained_network(trained, images, tmp_path):
    """Exported, compiled to `levels`, simulated: nearly the network's own classes."""
    made, _ = trained
    export(made, (1, 14, 14), tmp_path / "m.onnx")
    program = nd.compile(tmp_path / "m.onnx", steps=STEPS, warn=lambda _: None)
    kinds = [p.neuron.kind for p in program.populations]
    assert kinds == ["levels"] * 9 + ["lif"]
    assert len(program.connections) == 15
    assert program.is_aligned
    result = nd.simulate(program, images.test_x, warn=lambda _: None)
    assert not any(result.wrapped.values())
    assert not any(result.clipped.values())
    with torch.no_grad():
        logits = made.eval()(torch.from_numpy(images.test_x).float() / 255).numpy()
    assert (result.outputs.argmax(1) == logits.argmax(1)).mean() > 0.9
    np.testing.assert_allclose(result.outputs, logits, atol=0.3 * np.abs(logits).max())


@pytest.mark.parametrize("kind", ["ds", "plain"])
def test_levels_as_parallel_neurons_in_nir(kind, tmp_path):
    """K LIF nodes a neuron: the spikes of the ONNX graph's program, level by level."""
    nir = pytest.importorskip("nir", reason="needs the nir extra")
    pytest.importorskip("h5py", reason="needs the nir extra")
    if "v_reset" not in nir.LIF.__dataclass_fields__:
        pytest.skip("nir is older than 1.0.8")
    torch.manual_seed(0)
    made = SpikingResNet(preset("tiny", kind=kind), STEPS)
    x = np.random.default_rng(0).integers(0, 256, (10, 1, 14, 14)).astype(np.uint8)
    with torch.no_grad():
        for _ in range(20):
            made.train()(torch.from_numpy(x).float() / 255)
    save_nir(made, (1, 14, 14), tmp_path / "m.nir")
    export(made.eval(), (1, 14, 14), tmp_path / "m.onnx")
    quiet = {"warn": lambda _: None}
    program = nd.compile(
        tmp_path / "m.nir", dt=DT, reset="zero", steps=STEPS, encoding="current", **quiet
    )
    levels = nd.compile(tmp_path / "m.onnx", steps=STEPS, **quiet)
    neurons = [p for p in levels.populations if p.neuron.kind == "levels"]
    assert len(program.populations) == 3 * len(neurons) + 1
    assert {p.neuron.kind for p in program.populations} == {"lif"}
    found = nd.simulate(program, x, **quiet).outputs / STEPS
    expected = nd.simulate(levels, x, **quiet).outputs
    assert np.corrcoef(found.reshape(-1), expected.reshape(-1))[0, 1] > 0.98


@pytest.mark.parametrize("changes", [{"depth": 14}, {"kind": "plain"}, {"levels": 1}])
def test_other_designs_convert(tmp_path, changes):
    """Deeper, with shortcuts that go on through several blocks; plain blocks; one level."""
    torch.manual_seed(0)
    made = SpikingResNet(preset("tiny", **changes), STEPS)
    x = np.random.default_rng(0).integers(0, 256, (40, 1, 14, 14)).astype(np.uint8)
    real = torch.from_numpy(x).float() / 255
    with torch.no_grad():
        for _ in range(20):
            made.train()(real)  # for the statistics of the batch norms
        logits = made.eval()(real).numpy()
    export(made, (1, 14, 14), tmp_path / "m.onnx")
    program = nd.compile(tmp_path / "m.onnx", steps=STEPS, warn=lambda _: None)
    found = nd.simulate(program, x, warn=lambda _: None).outputs
    assert np.corrcoef(found.reshape(-1), logits.reshape(-1))[0, 1] > 0.95


def test_a_recording_is_read_frame_by_frame():
    design = preset("dvs-gesture", depth=8)
    made = SpikingResNet(design, 5)
    assert made(torch.rand(5, 2, 2, 16, 16)).shape == (2, 11)
    assert preset("cifar10").depth == 20
    with pytest.raises(ValueError, match="6 n"):
        SpikingResNet(preset("tiny", depth=9), 2)


def test_a_neuron_of_its_own_exports_too(tmp_path):
    net = torch.nn.Sequential(torch.nn.Linear(4, 3), LeakyIntegrateAndFire(1.0, 0.5))
    torch.onnx.export(
        net, (torch.zeros(2, 4),), str(tmp_path / "m.onnx"), dynamo=True, external_data=False,
        dynamic_shapes=({0: torch.export.Dim("batch")},), verbose=False,
    )  # fmt: skip
    program = nd.compile(tmp_path / "m.onnx", steps=8, warn=lambda _: None)
    assert program.populations[0].neuron.dv == 2048
    assert program.populations[0].neuron.is_stock


def test_folders_of_images(images, tmp_path):
    with pytest.raises(DataError, match="neither"):
        read_images(tmp_path)
    np.savez(tmp_path / "train.npz", x=images.train_x[:20, 0], y=images.train_y[:20])
    np.savez(tmp_path / "test.npz", x=images.test_x[:10], y=images.test_y[:10])
    found = read_images(tmp_path)
    assert found.train_x.shape == (20, 1, 14, 14)
    np.testing.assert_array_equal(found.test_y, images.test_y[:10])
    np.savez(tmp_path / "test.npz", x=images.test_x[:10].astype(float), y=images.test_y[:10])
    with pytest.raises(DataError, match="no uint8"):
        read_images(tmp_path)


def test_the_command(images, tmp_path):
    np.savez(tmp_path / "train.npz", x=images.train_x[:100], y=images.train_y[:100])
    np.savez(tmp_path / "test.npz", x=images.test_x[:50], y=images.test_y[:50])
    out = tmp_path / "out"
    command = [
        sys.executable, "-m", "neurodeploy.training", "mlf", "--data", str(tmp_path),
        "--out", str(out), "--network", "tiny", "--epochs", "1", "--threads", "1", "--json",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["parameters"] == 19810
    assert "epoch 1: loss" in done.stderr
    assert {path.name for path in out.iterdir()} == {"checkpoint.pt", "model.onnx"}
    assert nd.check(out / "model.onnx", steps=STEPS).ok


@pytest.mark.slow
@pytest.mark.skipif(not FASHION.exists(), reason="needs the package dataset-fashion-mnist")
def test_levels_are_worth_their_membranes():
    """In the setting of tools/mlf_levels.py: 6,000 images, four epochs, two seeds."""
    command = [sys.executable, str(ROOT / "tools" / "mlf_levels.py"), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    rows = {(row["levels"], row["seed"]): row for row in json.loads(done.stdout)}
    for seed in (0, 1):
        assert rows[3, seed]["accuracy"] >= 78.5
        assert rows[3, seed]["accuracy"] - rows[1, seed]["accuracy"] >= 2
        assert rows[3, seed]["stem_gradient"] >= 1.3
