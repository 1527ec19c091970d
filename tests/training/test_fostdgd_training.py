"""Training, export, and the way to a program; the numbers of the experiments are in tools/."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from click.testing import CliRunner

torch = pytest.importorskip("torch", reason="needs the extra train")
pytest.importorskip("nir", reason="needs the extra nir")

import neurodeploy as nd  # noqa: E402
from neurodeploy.errors import DataError, NeuroDeployError, UsageError  # noqa: E402
from neurodeploy.program import Encoder  # noqa: E402
from neurodeploy.program.encoders import encoding_named  # noqa: E402
from neurodeploy.training.commands import training  # noqa: E402
from neurodeploy.training.fostdgd import IntegrateAndFireNetwork  # noqa: E402
from neurodeploy.training.fostdgd.fitting import Settings, accuracy, fit  # noqa: E402
from neurodeploy.training.fostdgd.inputs import (  # noqa: E402
    TrainingSamples,
    read_training_samples,
    spikes_of_rates,
)
from neurodeploy.training.fostdgd.spiking_nir import save_nir  # noqa: E402
from neurodeploy.training.fostdgd.spiking_onnx import save_onnx  # noqa: E402

SETTINGS = Settings("16-24-4", lr=3e-3, epochs=3, batch=20)


def images(n, seed=0):
    """Images of four bars with noise, uint8 (n, 1, 4, 4), and which bar."""
    random = np.random.default_rng(seed)
    y = random.integers(0, 4, n)
    x = random.integers(0, 90, (n, 1, 4, 4)).astype(np.uint8)
    x[np.arange(n), 0, y] += 120
    return x, y


@pytest.fixture
def files(tmp_path):
    """Paths of samples to train and to test."""
    for name, seed, n in (("train", 0, 400), ("test", 1, 200)):
        x, y = images(n, seed)
        np.savez(tmp_path / f"{name}.npz", x=x, y=y)
    return tmp_path


def samples(path, encoding="current", **options):
    return read_training_samples(path, (16,), 4, encoding, 12, **options)


def test_it_learns_and_a_resumed_run_is_the_run(files):
    train, test = samples(files / "train.npz", "poisson"), samples(files / "test.npz", "poisson")
    said: list[str] = []
    whole = fit(SETTINGS, train, test, said=said.append)
    assert whole.accuracies[-1] > 95
    assert len(said) == 3
    checkpoint = files / "run.pt"
    calls = 0

    def stop(done, total):
        nonlocal calls
        calls += 1
        if done == 50:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(SETTINGS, train, test, checkpoint=checkpoint, progress=stop)
    second = fit(SETTINGS, train, test, checkpoint=checkpoint, resume=True)
    assert second.losses == whole.losses
    assert second.accuracies == whole.accuracies
    for a, b in zip(whole.network.parameters(), second.network.parameters(), strict=True):
        assert torch.equal(a, b)
    other = Settings("16-24-4", lr=4e-3, epochs=3, batch=20)
    with pytest.raises(UsageError, match="other settings: lr"):
        fit(other, train, checkpoint=checkpoint, resume=True)
    checkpoint.write_bytes(b"damaged")
    with pytest.raises(DataError, match="no checkpoint"):
        fit(SETTINGS, train, checkpoint=checkpoint, resume=True)


def test_a_loss_that_is_not_finite_stops_the_run(files):
    train = samples(files / "train.npz")
    with pytest.raises(UsageError, match="not finite"):
        fit(Settings("16-24-4", order=1.0, lr=1e38, batch=20), train)


def test_the_spikes_are_those_of_the_programs_encoder():
    rates = torch.rand(50, generator=torch.Generator().manual_seed(0))
    rates[:3] = torch.tensor([0.0, 1.0, 0.5])
    encoder = Encoder((50,), "deterministic", unit=2.0**-16, low=0, high=2**16)
    level = np.rint(rates.double().numpy() * 2**16).astype(np.int32)
    expected = encoding_named("deterministic").encode(encoder, level, 40, 0, range(40))
    np.testing.assert_array_equal(spikes_of_rates(rates, 40).numpy(), expected)


@pytest.mark.parametrize(
    ("layers", "encoding", "target"),
    [
        ("16-24-4", "deterministic", "loihi1"),
        ("1x4x4-6c3p1-8c2s2-4", "deterministic", "loihi1"),
        ("1x4x4-6c3p1-12-4", "current", "loihi2"),
    ],
)
@pytest.mark.parametrize("reset", ["zero", "subtract"])
def test_what_is_trained_is_what_is_compiled(tmp_path, layers, encoding, target, reset):
    """The compiled program decides as the network; int8 rounds weights, nothing else."""
    target = "loihi2" if reset == "subtract" else target
    x, y = images(120, 2)
    network = IntegrateAndFireNetwork(layers, reset=reset, seed=2)
    save_nir(network, tmp_path / "n.nir")
    program = nd.compile(
        str(tmp_path / "n.nir"), reset=reset, steps=12, target=target, encoding=encoding,
        scale=1 / 255, warn=lambda _: None,
    )  # fmt: skip
    if target == "loihi1":
        assert all(p.neuron.is_stock for p in program.populations)
    raw = x.reshape(-1, *network.input_shape)
    result = nd.simulate(program, raw, warn=lambda _: None)
    batch, steps, _ = TrainingSamples(raw, y, encoding, 12).batch(np.arange(len(x)), None)
    with torch.no_grad():
        expected = 12 * network(batch, steps).numpy()
    assert (result.outputs.argmax(1) == expected.argmax(1)).mean() > 0.85
    assert np.corrcoef(result.outputs.ravel(), expected.ravel())[0, 1] > 0.98


@pytest.mark.parametrize("layers", ["16-24-4", "1x4x4-6c3p1-8c2s2-4"])
@pytest.mark.parametrize("reset", ["zero", "subtract"])
def test_nir_and_onnx_are_the_same_program(tmp_path, layers, reset):
    """NIR's output is the sum over the steps, ONNX's their mean; ONNX says the reset itself."""
    network = IntegrateAndFireNetwork(layers, reset=reset, threshold=0.75, seed=4)
    raw = images(60, 3)[0].reshape(-1, *network.input_shape)
    found = []
    for save, name, options in (
        (save_nir, "n.nir", {"reset": reset}),
        (save_onnx, "n.onnx", {}),
    ):
        save(network, tmp_path / name)
        program = nd.compile(
            str(tmp_path / name), steps=12, encoding="deterministic", scale=1 / 255,
            target="loihi1" if reset == "zero" else "loihi2", warn=lambda _: None, **options,
        )  # fmt: skip
        found.append(nd.simulate(program, raw, warn=lambda _: None).outputs)
    np.testing.assert_allclose(found[0] / 12, found[1], rtol=1e-6, atol=1e-9)
    assert np.abs(found[1]).sum() > 1


def test_events_are_read_in_steps_and_raw(tmp_path):
    raw = {
        "t": np.array([0, 900, 2500, 100, 9000]), "x": np.array([0, 1, 1, 0, 1]),
        "y": np.array([0, 0, 1, 1, 1]), "p": np.array([0, 1, 1, 0, 0]),
        "start": np.array([0, 3, 5]), "label": np.array([3, 1]),
    }  # fmt: skip
    np.savez(tmp_path / "raw.npz", **raw)
    said: list[str] = []
    for shape in ((8,), (2, 2, 2)):
        found = read_training_samples(
            tmp_path / "raw.npz", shape, 4, "events", 4, bin_us=1000.0, warn=said.append
        )
        assert found.x.shape == (2, 4, *shape)
        assert np.argwhere(found.x.reshape(2, 4, 8)).tolist() == [
            [0, 0, 0], [0, 0, 5], [0, 2, 7], [1, 0, 2],
        ]  # fmt: skip
        assert found.labels.tolist() == [3, 1]
        x, steps, _ = found.batch(np.array([1, 0]), None)
        assert steps is None
        assert x.shape == (4, 2, *shape)
    assert "1 come after step 4" in said[0]
    with pytest.raises(UsageError, match="how long a step"):
        read_training_samples(tmp_path / "raw.npz", (8,), 4, "events", 4)
    with pytest.raises(UsageError, match="square sensor"):
        read_training_samples(tmp_path / "raw.npz", (10,), 4, "events", 4, bin_us=1000.0)


@pytest.mark.parametrize(
    ("arrays", "encoding", "told"),
    [
        ({"x": np.zeros((3, 16))}, "current", "no labels"),
        ({"x": np.zeros((3, 15)), "y": np.zeros(3, int)}, "current", "not numbers"),
        ({"x": np.zeros((0, 16)), "y": np.zeros(0, int)}, "current", "not numbers"),
        ({"x": np.zeros((3, 16)), "y": np.array([0, 4, 1])}, "current", "4 classes"),
        ({"x": np.zeros((3, 16)), "y": np.zeros(3)}, "current", "labels float64"),
        ({"x": np.full((3, 16), 1.5), "y": np.zeros(3, int)}, "poisson", "0..1"),
        ({"x": np.full((3, 16), -0.5), "y": np.zeros(3, int)}, "deterministic", "0..1"),
        ({"x": np.zeros((3, 16)), "y": np.zeros(3, int)}, "events", "no events"),
    ],
)
def test_samples_that_do_not_fit_are_refused(tmp_path, arrays, encoding, told):
    np.savez(tmp_path / "x.npz", **arrays)
    with pytest.raises(DataError, match=told):
        samples(tmp_path / "x.npz", encoding)


def _run(*arguments):
    return CliRunner().invoke(training, ["fostdgd", *map(str, arguments)])


def test_the_command_trains_and_what_it_writes_compiles(files):
    out = files / "n.nir"
    options = ["--data", files / "train.npz", "--test", files / "test.npz", "-o", out, "--layers",
               "16-24-4", "--lr", "3e-3", "--epochs", "2", "--batch", "20", "--steps", "12",
               "--checkpoint", files / "run.pt"]  # fmt: skip
    done = _run(*options)
    assert done.exit_code == 0, done.output
    assert "control: --order 1 --lr 0.158" in done.stdout
    again = json.loads(_run(*options, "--resume", "--json").stdout)
    assert len(again["losses"]) == 2
    program = nd.compile(
        str(out), reset="zero", steps=12, encoding="deterministic", target="loihi1",
        scale=1 / 255, warn=lambda _: None,
    )  # fmt: skip
    x, y = images(200, 1)
    result = nd.simulate(program, x.reshape(-1, 16))
    assert 100 * (result.outputs.argmax(1) == y).mean() >= again["accuracies"][-1] - 5


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--order", "2"), "order"),
        (("--layers", "16-24"), "4 classes|classes"),
        (("--resume",), "--checkpoint"),
        (("--limit", "10"), "10 samples"),
        (("--steps", "0"), "steps"),
    ],
)
def test_the_command_says_what_is_wrong_in_one_message(files, options, told):
    given = {"--data": files / "train.npz", "--layers": "16-24-3", "-o": files / "n.nir"}
    if options[0] != "--layers":
        given["--layers"] = "16-24-4"
    else:
        options = ()
    done = _run(*(word for pair in given.items() for word in pair), *options)
    assert isinstance(done.exception, NeuroDeployError)
    assert re.search(told, str(done.exception))
    assert not (files / "n.nir").exists()


def test_accuracy_is_a_share_in_percent(files):
    test = samples(files / "test.npz")
    network = IntegrateAndFireNetwork("16-24-4", seed=9)
    x, steps, labels = test.batch(np.arange(200), None)
    with torch.no_grad():
        right = (network(x, steps).argmax(1) == labels).double().mean().item()
    assert accuracy(network, test) == pytest.approx(100 * right)
