"""Files of other formats are named, and two lines lead from each to ONNX."""

import io
import json
import pickle
import zipfile

import numpy as np
import pytest

from neurodeploy.errors import ModelError
from neurodeploy.importing import check, load_network


def archive(*names):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        for name in names:
            file.writestr(name, b"content")
    return stream.getvalue()


def arrays(kind):
    stream = io.BytesIO()
    getattr(np, kind)(stream, np.zeros(3))
    return stream.getvalue()


HDF5 = b"\x89HDF\r\n\x1a\n" + bytes(64)
LEGACY = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
TORCH = archive("net/data.pkl", "net/data/0", "net/version")
TFLITE = b"\x1c\x00\x00\x00TFL3" + bytes(40)
FROZEN = b"\n\x2a\n\x05input\x12\x0bPlaceholder*\x0b\n\x05dtype\x12\x020\x01" + bytes(9)
SAVED = b"\x08\x01\x12\x20\n\x1e\n\x05serve\x12\x0btf2 version" + b"saved_model_schema_version"
TENSORS = (len(b'{"a":1}')).to_bytes(8, "little") + b'{"a":1}'

#: Name, content, what it is called, and what the lines name.
FILES = {
    "net.pt": (TORCH, "PyTorch checkpoint", "torch.onnx.export"),
    "net.pth": (LEGACY, "PyTorch checkpoint", "load_state_dict"),
    "unknown": (TORCH, "PyTorch checkpoint", "torch.onnx.export"),
    "renamed.onnx": (TORCH, "PyTorch checkpoint", "torch.onnx.export"),
    "damaged.pth": (b"\x07nothing", "PyTorch checkpoint", "torch.onnx.export"),
    "script.pt": (archive("s/data.pkl", "s/code/net.py"), "TorchScript", "torch.jit.load"),
    "net.pt2": (archive("net/models/model.json"), "torch.export", "dynamo=True"),
    "net.keras": (archive("config.json", "metadata.json", "model.weights.h5"), "Keras", "export"),
    "renamed2.onnx": (archive("config.json", "metadata.json", "model.weights.h5"), "Keras", "load"),
    "net.h5": (HDF5 + b"keras_version model_config", "Keras model", "keras.models.load_model"),
    "weights.h5": (HDF5 + b"layer_names weight_names", "weights of a Keras", "load_weights"),
    "other.h5": (HDF5, "HDF5", "torch.onnx.export"),
    "net.tflite": (TFLITE, "TensorFlow Lite", "tf2onnx.convert --tflite net.tflite"),
    "lite.onnx": (TFLITE, "TensorFlow Lite", "tf2onnx.convert --tflite"),
    "net.nir": (HDF5 + b"nodes edges", "NIR graph", "torch.nn.ReLU"),
    "nir.h5": (HDF5 + b"input_type nodes edges", "NIR graph", "torch.nn.ReLU"),
    "frozen.pb": (FROZEN, "frozen TensorFlow", "--graphdef frozen.pb"),
    "saved_model.pb": (SAVED, "SavedModel", "--saved-model"),
    "net.safetensors": (TENSORS, "safetensors", "safetensors.torch"),
    "model.pkl": (pickle.dumps({"a": 1}), "pickle", "skl2onnx.to_onnx"),
    "model.joblib": (pickle.dumps([1]), "pickle", "skl2onnx.to_onnx"),
    "net.onnx.gz": (b"\x1f\x8b\x08" + bytes(20), "compressed", "gunzip -k net.onnx.gz"),
    "net.zip": (archive("folder/net.onnx"), "archive that holds", "unzip net.zip"),
    "lfs.onnx": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:1",
        "LFS",
        "git lfs pull",
    ),
    "page.onnx": (b"\n<!DOCTYPE html><title>404</title>", "web page", "raw file"),
    "net.ort": (b"\x1c\x00\x00\x00ORTM" + bytes(40), "ONNX Runtime's own", "give the .onnx"),
    "net.mlmodel": (b"\x08\x04\x12", "Core ML", "tf2onnx"),
    "net.pdmodel": (b"\x0a\x02ab", "Paddle", "paddle2onnx"),
    "net.ndp": (archive("manifest.json", "w.npy"), "compiled already", "neurodeploy simulate"),
    "x.npz": (arrays("savez"), "holds arrays", "--calibration x.npz"),
    "x.npy": (arrays("save"), "holds arrays", "--data x.npy"),
}


@pytest.mark.parametrize("name", FILES)
def test_is_named_with_two_lines(tmp_path, name):
    content, what, line = FILES[name]
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ModelError, match=what) as caught:
        load_network(path)
    head, *lines = caught.value.remedy.splitlines()
    assert head.endswith(":")
    assert len(lines) == 2
    assert line in caught.value.remedy
    (finding,) = check(path).findings
    assert what in finding.reason
    assert finding.remedy == caught.value.remedy


def test_folders(tmp_path):
    saved = tmp_path / "saved"
    saved.mkdir()
    (saved / "saved_model.pb").write_bytes(SAVED)
    with pytest.raises(ModelError, match="SavedModel") as caught:
        load_network(saved)
    assert "tf2onnx.convert --saved-model saved" in caught.value.remedy
    (tmp_path / "net.onnx").write_bytes(b"x")
    with pytest.raises(ModelError, match="is a folder") as caught:
        load_network(tmp_path)
    assert "net.onnx" in caught.value.remedy


def test_nothing_known_stays_unknown(tmp_path):
    for name, content in (("a.onnx", b"\x07rubbish"), ("b.txt", json.dumps({}).encode())):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ModelError, match=r"cut short|no ONNX graph"):
            load_network(tmp_path / name)


def test_a_model_under_another_suffix_is_read(tmp_path, model):
    path = tmp_path / "net.pb"
    path.write_bytes(model([("Relu", "x", "y")], (4,)).SerializeToString())
    assert load_network(path).network
    assert check(path).ok


def test_damaged_archives(tmp_path):
    """Half a zip, a zip that lies about its size: one message, nothing unpacked."""
    for cut in (5, 30, len(TORCH) - 10):
        path = tmp_path / "net.onnx"
        path.write_bytes(TORCH[:cut])
        with pytest.raises(ModelError):
            load_network(path)
