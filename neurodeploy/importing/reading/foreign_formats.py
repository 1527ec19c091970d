"""Files of other formats, known by content and suffix, each with the way to ONNX."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path, PurePath
from typing import NamedTuple

from neurodeploy.errors import ModelError

__all__ = ["recognise", "recognise_folder"]


class Format(NamedTuple):
    """What a file is, and two lines that lead from it to ONNX; ``{file}`` is its name."""

    what: str
    lines: tuple[str, str]


_TORCH = Format(
    "is a PyTorch checkpoint (weights without the network's definition)",
    (
        'model.load_state_dict(torch.load("{file}", weights_only=True)); model.eval()',
        'torch.onnx.export(model, torch.zeros(1, *input_shape), "model.onnx")',
    ),
)
_SCRIPT = Format(
    "is a TorchScript archive",
    (
        'model = torch.jit.load("{file}").eval()',
        'torch.onnx.export(model, torch.zeros(1, *input_shape), "model.onnx", dynamo=False)',
    ),
)
_EXPORTED = Format(
    "is a program of torch.export",
    (
        'program = torch.export.load("{file}")',
        'torch.onnx.export(program, dynamo=True).save("model.onnx")',
    ),
)
_KERAS = Format(
    "is a Keras model",
    (
        'model = keras.models.load_model("{file}")',
        'model.export("model.onnx", format="onnx")',
    ),
)
_KERAS_WEIGHTS = Format(
    "holds the weights of a Keras model, without its definition",
    (
        'model.load_weights("{file}")  # of the model that they were saved from',
        'model.export("model.onnx", format="onnx")',
    ),
)
_TFLITE = Format(
    "is a TensorFlow Lite model",
    (
        "pip install tf2onnx",
        "python -m tf2onnx.convert --tflite {file} --output model.onnx --opset 17",
    ),
)
_SAVED_MODEL = Format(
    "is a TensorFlow SavedModel",
    (
        "pip install tf2onnx",
        "python -m tf2onnx.convert --saved-model {file} --output model.onnx --opset 17",
    ),
)
_FROZEN = Format(
    "is a frozen TensorFlow graph",
    (
        "pip install tf2onnx",
        "python -m tf2onnx.convert --graphdef {file} --output model.onnx "
        "--inputs INPUT:0 --outputs OUTPUT:0",
    ),
)
_NIR = Format(
    "is a NIR graph, a network that already spikes: compile and check read it",
    (
        "ann = the same layers with torch.nn.ReLU in place of the spiking neurons, trained",
        'torch.onnx.export(ann, torch.zeros(1, *input_shape), "model.onnx")',
    ),
)
_HDF5 = Format(
    "is an HDF5 file; a Keras model is one, but this names none",
    (
        'model.load_weights("{file}")  # in the framework that wrote it',
        'model.export("model.onnx", format="onnx")  # Keras; torch.onnx.export in PyTorch',
    ),
)
_SAFETENSORS = Format(
    "holds weights (safetensors) without the network's definition",
    (
        'model.load_state_dict(safetensors.torch.load_file("{file}")); model.eval()',
        'torch.onnx.export(model, torch.zeros(1, *input_shape), "model.onnx")',
    ),
)
_PICKLE = Format(
    "is a pickle, which is not opened: it could run any code",
    (
        "scikit-learn: onx = skl2onnx.to_onnx(model, x[:1]); "
        'open("model.onnx", "wb").write(onx.SerializeToString())',
        'PyTorch: torch.onnx.export(model.eval(), torch.zeros(1, *input_shape), "model.onnx")',
    ),
)
_COREML = Format(
    "is a Core ML model",
    (
        "export the model that it was converted from:",
        'torch.onnx.export(model, torch.zeros(1, *input_shape), "model.onnx"), or tf2onnx',
    ),
)
_PADDLE = Format(
    "is a Paddle model",
    (
        "pip install paddle2onnx",
        "paddle2onnx --model_dir . --model_filename {file} --save_file model.onnx",
    ),
)
_PROGRAM = Format(
    "is a program that neurodeploy compiled already, not a model",
    ("neurodeploy inspect {file}", "neurodeploy simulate {file} --data SAMPLES.npz"),
)
_SAMPLES = Format(
    "holds arrays (NumPy), not a model",
    ("give the ONNX file first, and these samples with", "--calibration {file} or --data {file}"),
)
_GZIP = Format("is compressed (gzip)", ("gunzip -k {file}", "and give what comes out of it"))
_ZIPPED = Format("is an archive that holds a model", ("unzip {file}", "and give the .onnx in it"))
_POINTER = Format(
    "is a pointer of Git LFS: the model itself was not downloaded",
    ("git lfs install", "git lfs pull, in the repository that it lies in"),
)
_PAGE = Format(
    "is a web page: the download brought no model",
    ("download it again, by the link to the raw file,", "and look at it first: head -c 100 {file}"),
)
_ORT = Format(
    "is ONNX Runtime's own format, made for one machine",
    ("give the .onnx that it was made of,", "or export the network as ONNX again"),
)
#: What is on the way to a model, and needs no export.
_PACKED = (_GZIP, _ZIPPED, _POINTER, _PAGE, _ORT)

_SUFFIXES = {
    ".pt": _TORCH,
    ".pth": _TORCH,
    ".ckpt": _TORCH,
    ".bin": _TORCH,
    ".pt2": _EXPORTED,
    ".h5": _KERAS,
    ".hdf5": _KERAS,
    ".keras": _KERAS,
    ".tflite": _TFLITE,
    ".lite": _TFLITE,
    ".nir": _NIR,
    ".pb": _FROZEN,
    ".safetensors": _SAFETENSORS,
    ".pkl": _PICKLE,
    ".pickle": _PICKLE,
    ".joblib": _PICKLE,
    ".mlmodel": _COREML,
    ".mlpackage": _COREML,
    ".pdmodel": _PADDLE,
    ".ndp": _PROGRAM,
    ".npz": _SAMPLES,
    ".npy": _SAMPLES,
}
#: Head of an archive is enough to know it by.
_HEAD = 2**20


def recognise(content: bytes, name: str) -> ModelError | None:
    """The refusal of a file that is no ONNX model but something known; None if it is not.

    1. By its first bytes, and the names of the members where it is a zip archive or HDF5.
    2. Else by its suffix.

    Parameters
    ----------
    content
        The bytes of the file; nothing of it is executed, unpacked or unpickled.
    name
        Its path.
    """
    suffix = PurePath(name).suffix.lower()
    found = _by_content(content, suffix) or _SUFFIXES.get(suffix)
    return None if found is None else _refusal(found, name)


def recognise_folder(path: Path) -> ModelError:
    """The refusal of a folder: a SavedModel, a Core ML package, or any other."""
    try:
        inside = {entry.name for entry in path.iterdir()}
    except OSError:
        inside = set()
    if inside & {"saved_model.pb", "saved_model.pbtxt", "keras_metadata.pb"}:
        return _refusal(_SAVED_MODEL, str(path))
    if path.suffix.lower() == ".mlpackage":
        return _refusal(_COREML, str(path))
    found = sorted(entry for entry in inside if entry.endswith(".onnx"))
    remedy = f"give the file in it, {found[0]}" if found else "give the path of an ONNX file"
    return ModelError("is a folder, not an ONNX file", place=str(path), remedy=remedy)


def _refusal(found: Format, name: str) -> ModelError:
    file = PurePath(name).name
    lines = "\n    ".join(line.replace("{file}", file) for line in found.lines)
    if found in (_PROGRAM, _SAMPLES):
        return ModelError(found.what, place=name, remedy=f"use it so:\n    {lines}")
    if found in _PACKED:
        return ModelError(
            f"{found.what}, not an ONNX file", place=name, remedy=f"get it so:\n    {lines}"
        )
    remedy = f"export the network as ONNX:\n    {lines}"
    return ModelError(f"{found.what}, not an ONNX file", place=name, remedy=remedy)


def _by_content(content: bytes, suffix: str) -> Format | None:
    head = content[:_HEAD]
    if head[:4] == b"PK\x03\x04":
        return _by_members(content, suffix)
    if head[:8] == b"\x89HDF\r\n\x1a\n":
        if suffix == ".nir" or (b"input_type" in head and b"edges" in head):
            return _NIR
        if b"model_config" in head:
            return _KERAS
        weights = b"keras_version" in head or b"layer_names" in head or b"weight_names" in head
        return _KERAS_WEIGHTS if weights or suffix == ".keras" else _HDF5
    if head[4:8] == b"TFL3":
        return _TFLITE
    if head[4:8] == b"ORTM":
        return _ORT
    if head[:3] == b"\x1f\x8b\x08":
        return _GZIP
    if head.startswith(b"version https://git-lfs.github.com/"):
        return _POINTER
    start = head[:200].lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html")):
        return _PAGE
    if head[:6] == b"\x93NUMPY":
        return _SAMPLES
    if head[:1] == b"\x80" and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        legacy = b"\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19" in head[:32]
        return _TORCH if legacy or suffix in (".pt", ".pth", ".ckpt", ".bin") else _PICKLE
    if head[8:10] == b'{"' and int.from_bytes(head[:8], "little") < len(content):
        return _SAFETENSORS
    if b"saved_model_schema_version" in head or b"\x0a\x05serve" in head[:4096]:
        return _SAVED_MODEL
    if b"\x12\x0bPlaceholder" in head or (suffix == ".pb" and b"\x12\x05Const" in head):
        return _FROZEN
    return None


def _by_members(content: bytes, suffix: str) -> Format | None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = [info.filename for info in archive.infolist()[:1000]]
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError):
        return None
    last = {name.rpartition("/")[2] for name in names}
    if "manifest.json" in names and suffix in (".ndp", ""):
        return _PROGRAM
    if "model.weights.h5" in last or {"config.json", "metadata.json"} <= last:
        return _KERAS
    if any("/models/" in name or name.startswith("serialized_exported") for name in names):
        return _EXPORTED
    if any("/code/" in name for name in names):
        return _SCRIPT
    if "data.pkl" in last:
        return _TORCH
    if any(name.endswith(".onnx") for name in names):
        return _ZIPPED
    if names and all(name.endswith(".npy") for name in names):
        return _SAMPLES
    return None
