"""Trained third-party networks: all that are feed-forward ReLU reproduce ONNX Runtime."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import numpy_helper

from neurodeploy.errors import UnsupportedError
from neurodeploy.importing import check, load_network
from neurodeploy.network.evaluate import Evaluator

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared"

CONVERTS = """
    cifar10_resnet__resnet_2b.onnx
    mlperftiny_resnet8_cifar10.onnx
    mnistfc__mnist-net_256x4.onnx
    resnet20_cifar10.onnx
    verivital__Convnet_avgpool.onnx
    verivital__Convnet_maxpool.onnx
    exporters/emx_micro_kws_m_static_fp32.onnx
    exporters/frenz86_mnist.onnx
    exporters/onnxzoo_mnist-8.onnx
    exporters/wuhanstudio_mnist-sm.onnx
    exporters/zuramai_external_data/mnist.onnx
"""


def shared(name):
    path = SHARED / "models" / name
    if not path.exists():
        pytest.skip(f"{name} is not beside this checkout (shared/models)")
    return path


def reproduces(path, tolerance=1e-4):
    imported = load_network(path)
    assert check(path).ok
    assert len(imported.findings) >= len(onnx.load(path, load_external_data=False).graph.node)
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    entry = session.get_inputs()[0]
    size = entry.shape[0] if isinstance(entry.shape[0], int) else 4
    evaluator = Evaluator(imported.network)
    for seed in range(3):
        # Of the size of real inputs, so that a trained Softmax does not saturate to 0 and 1.
        x = np.random.default_rng(seed).uniform(0, 1, (size, *imported.network.input.shape))
        x = x.astype(np.float32)
        (wanted,) = session.run(None, {entry.name: x})
        found = evaluator.run(x)["output"]
        if imported.decoder:
            assert imported.decoder == ("Softmax",)
            powers = np.exp(found - found.max(axis=1, keepdims=True))
            found = powers / powers.sum(axis=1, keepdims=True)
        assert found.shape == wanted.shape
        assert np.abs(found - wanted).max() <= tolerance * np.abs(wanted).max()
    return imported


@pytest.mark.parametrize("name", CONVERTS.split())
def test_reproduces_runtime(name):
    reproduces(shared(name))


def test_own_reference_model():
    path = ROOT / "models" / "fashion_cnn" / "model.onnx"
    if not path.exists():
        pytest.skip("models/fashion_cnn/model.onnx has not been trained here")
    imported = reproduces(path)
    assert imported.network.shapes["output"] == (10,)


def test_recorded_inputs_and_outputs():
    network = load_network(shared("exporters/onnxzoo_mnist-8.onnx")).network
    folder = shared("exporters/onnxzoo_mnist-8_tests")
    for i in range(3):
        x, wanted = (
            numpy_helper.to_array(
                onnx.TensorProto.FromString((folder / f"set{i}_{kind}_0.pb").read_bytes())
            )
            for kind in ("input", "output")
        )
        found = Evaluator(network).run(x)["output"]
        assert np.abs(found - wanted).max() <= 1e-4 * np.abs(wanted).max()


def test_external_data_is_hashed():
    imported = load_network(shared("exporters/zuramai_external_data/mnist.onnx"))
    assert list(imported.external_sha256) == ["mnist.onnx.data"]


def test_sigmoid_network_is_refused_by_name():
    path = shared("eran__ffnnSIGMOID__Point_6x200.onnx")
    with pytest.raises(UnsupportedError, match="6 nodes") as caught:
        load_network(path)
    for number in (6, 8, 10, 12, 14, 16):
        assert f"'Sigmoid_{number}' (Sigmoid)" in str(caught.value)
    assert "retrain with ReLU" in str(caught.value)
    report = check(path)
    assert {finding.op_type for finding in report.refused} == {"Sigmoid"}
