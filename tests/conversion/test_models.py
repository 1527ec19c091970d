"""Trained networks on real images: accuracy after conversion, against the ANN's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import neurodeploy as nd
from neurodeploy.errors import ConversionError, UsageError
from neurodeploy.importing import load_network
from neurodeploy.network.evaluate import Evaluator

SHARED = Path(__file__).resolve().parents[3] / "shared"
needs_shared = pytest.mark.skipif(
    not SHARED.is_dir(), reason="the third-party models are not beside this checkout"
)


def predictions(model, x):
    network = load_network(str(model)).network
    shape = network.shapes[network.input.name]
    parts = Evaluator(network).batches(x.reshape(-1, *shape).astype(np.float32), 250)
    return np.concatenate([p["output"].reshape(len(p["output"]), -1).argmax(1) for p in parts])


@pytest.fixture(scope="module")
def fashion_ann(fashion, fashion_test):
    return predictions(fashion / "model.onnx", fashion_test[0] / np.float32(255))


def test_the_reference_network(fashion_ann, fashion_test):
    assert (fashion_ann == fashion_test[1]).mean() >= 0.925


def test_rate(fashion_program, fashion_test, fashion_ann):
    """32 steps, constant current, reset by subtraction; 1,000 images (all: README)."""
    x, y = fashion_test[0][:1000], fashion_test[1][:1000]
    result = nd.simulate(fashion_program, x)
    ann = 100 * (fashion_ann[:1000] == y).mean()
    assert result.accuracy(y) >= ann - 1.0
    assert (result.predictions == fashion_ann[:1000]).mean() > 0.97
    assert sum(result.wrapped.values()) == sum(result.clipped.values()) == 0
    floats = nd.simulate(fashion_program, (x[:20] / np.float32(255)).astype(np.float32))
    np.testing.assert_array_equal(floats.outputs, result.outputs[:20])


@pytest.mark.parametrize(("steps", "loss", "agreement"), [(16, 1.0, 97.5), (64, 0.1, 99.3)])
def test_ttfs(fashion, fashion_calibration, fashion_test, fashion_ann, steps, loss, agreement):
    """All 10,000 images, int8."""
    program = nd.compile(
        fashion / "model.onnx", calibration=fashion_calibration, scheme="ttfs", steps=steps
    )
    result = nd.simulate(program, fashion_test[0])
    ann = 100 * (fashion_ann == fashion_test[1]).mean()
    assert result.accuracy(fashion_test[1]) >= ann - loss
    assert 100 * (result.predictions == fashion_ann).mean() >= agreement
    assert result.spikes_per_sample / program.neurons < 1


def test_l4_under_poisson_input(fashion, fashion_calibration, fashion_test):
    """8 steps, 300 images, one seed: a gain far above the spread (docs/l4.md has it all).

    Binary spikes and uncorrected biases, as published; signed spikes reach as much without it.
    """
    accuracy = []
    for l4 in (False, True):
        program = nd.compile(
            fashion / "model.onnx",
            calibration=fashion_calibration,
            steps=8,
            encoding="poisson",
            l4=l4,
            signed=False,
            bias_correction=False,
            step="layer",
            balance="percentile",
            percentile=99.9,
        )
        result = nd.simulate(program, fashion_test[0][:300])
        accuracy.append(result.accuracy(fashion_test[1][:300]))
    assert accuracy[1] > accuracy[0] + 10


def test_state_beyond_24_bit_is_refused(fashion, fashion_calibration):
    with pytest.raises(ConversionError, match=r"node_\w+: membrane in 24 bit.*limit") as caught:
        nd.compile(
            fashion / "model.onnx", calibration=fashion_calibration, scheme="ttfs", steps=2**16
        )
    assert "--steps" in caught.value.remedy


def test_ttfs_takes_no_options_of_the_rate_code(fashion):
    with pytest.raises(UsageError, match="rate"):
        nd.compile(fashion / "model.onnx", scheme="ttfs", reset="zero")
    with pytest.raises(UsageError, match="microcode"):
        nd.compile(fashion / "model.onnx", scheme="ttfs", target="loihi1")


@pytest.fixture(scope="module")
def mnist():
    with np.load(SHARED / "data" / "mnist_test.npz") as data:
        x, y = data["x"], data["y"]
    with np.load(SHARED / "data" / "mnist_train_first2000.npz") as data:
        return x, y, data["x"][:1000]


@needs_shared
@pytest.mark.parametrize(
    "name", ["verivital__Convnet_maxpool", "verivital__Convnet_avgpool", "mnistfc__mnist-net_256x4"]
)
def test_ttfs_on_mnist(mnist, name):
    """W = 64, all 10,000 images: within 0.1 points of the ANN."""
    x, y, calibration = mnist
    model = SHARED / "models" / f"{name}.onnx"
    ann = predictions(model, x / np.float32(255))
    shape = load_network(str(model)).network.input.shape
    program = nd.compile(
        model, calibration=calibration.reshape(-1, *shape), scheme="ttfs", steps=64
    )
    result = nd.simulate(program, x.reshape(-1, *shape))
    assert result.accuracy(y) >= 100 * (ann == y).mean() - 0.1


@needs_shared
@pytest.mark.parametrize(("scheme", "steps"), [("ttfs", 64), ("rate", 64)])
def test_residual_network(scheme, steps):
    """ResNet-8 on CIFAR-10: branches of unequal depth, 100 images."""
    with np.load(SHARED / "data" / "cifar10_test.npz") as data:
        x = data["x"][:100]
    with np.load(SHARED / "data" / "cifar10_train_first2000.npz") as data:
        calibration = data["x"][:200]
    model = SHARED / "models" / "mlperftiny_resnet8_cifar10.onnx"
    shape = load_network(str(model)).network.input.shape
    if shape == (3, 32, 32):
        x, calibration = x.transpose(0, 3, 1, 2), calibration.transpose(0, 3, 1, 2)
    ann = predictions(model, x)
    program = nd.compile(model, calibration=calibration, scheme=scheme, steps=steps, scale=1.0)
    result = nd.simulate(program, x)
    assert (result.predictions == ann).mean() > (0.93 if scheme == "ttfs" else 0.8)
