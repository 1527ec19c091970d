"""What a user passes as a model: a path, the bytes of a file, or a model in memory."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx
import onnx_ir as ir
from google.protobuf.message import EncodeError

from neurodeploy.errors import ModelError, UsageError
from neurodeploy.importing.limits import MAX_FILE
from neurodeploy.importing.reading.foreign_formats import recognise_folder

__all__ = ["Model", "ModelFile", "model_name", "open_model"]

#: What `compile` and `check` take.
Model = str | os.PathLike[str] | bytes | onnx.ModelProto | ir.Model


@dataclass(frozen=True)
class ModelFile:
    """An ONNX file, on disk or not.

    Attributes
    ----------
    name
        What messages call it: its path, or what it was given as.
    content
        Its bytes.
    folder
        Where its external data lie; None for a model in memory, which has none.
    file
        Its file name; empty for a model in memory.
    """

    name: str
    content: bytes
    folder: Path | None
    file: str = ""


def model_name(model: Any) -> str:
    """What messages call a model, short whatever it is.

    Raises
    ------
    UsageError
        It is of none of the types that are taken.
    """
    if isinstance(model, str | os.PathLike):
        return os.fsdecode(model)
    if isinstance(model, bytes | bytearray | memoryview):
        return "<bytes>"
    if isinstance(model, onnx.ModelProto):
        return "<onnx.ModelProto>"
    if isinstance(model, ir.Model):
        return "<onnx_ir.Model>"
    remedy = "give a path, bytes, an onnx.ModelProto or an onnx_ir.Model"
    if hasattr(type(model), "model_proto"):  # what torch.onnx.export returns
        remedy = "give its .model_proto"
    raise UsageError(f"a {type(model).__name__} is not a model", place="model", remedy=remedy)


def open_model(model: Any) -> ModelFile:
    """The bytes of a model, and where its external data are to be looked for.

    1. A path: a regular file of at most 2 GiB; external data lie in its folder.
    2. Bytes, or a protobuf: nothing outside them is read.
    3. A model of onnx-ir: likewise, but for external data, which lie where it was loaded from.

    Raises
    ------
    ModelError
        The file cannot be read, is empty or too large.
    UsageError
        Something else.
    """
    name = model_name(model)
    if isinstance(model, str | os.PathLike):
        path = Path(os.fsdecode(model))
        return ModelFile(name, _read(path), path.parent, path.name)
    folder = None
    if isinstance(model, ir.Model):
        folder = _external_folder(model)
        try:
            model = ir.to_proto(model)
        except Exception as error:  # whatever a half-built model makes onnx-ir raise
            told = (str(error).splitlines() or [type(error).__name__])[0][:200]
            raise ModelError(f"cannot be written as ONNX ({told})", place=name) from error
    if isinstance(model, onnx.ModelProto):
        try:
            content = model.SerializeToString()
        except (EncodeError, ValueError) as error:
            raise ModelError(
                "cannot be serialised (more than 2 GiB?)",
                place=name,
                remedy="save it with external data, and give the path",
            ) from error
    else:
        content = bytes(model)
    if len(content) > MAX_FILE:
        raise ModelError(f"has {len(content)} bytes; an ONNX file ends at {MAX_FILE}", place=name)
    if not content:
        raise ModelError("is empty", place=name, remedy="export the model again")
    return ModelFile(name, content, folder)


def _external_folder(model: ir.Model) -> Path | None:
    """The folder that a model's external tensors were loaded from."""
    for value in model.graph.initializers.values():
        if isinstance(value.const_value, ir.ExternalTensor):
            return Path(value.const_value.base_dir)
    return None


def _read(path: Path) -> bytes:
    place = str(path)
    try:
        if path.is_dir():
            raise recognise_folder(path)
        if not path.exists():
            raise ModelError("no such file", place=place, remedy="check the path")
        if not path.is_file():
            raise ModelError("is not a regular file", place=place)
        size = path.stat().st_size
        if size > MAX_FILE:
            raise ModelError(
                f"has {size} bytes; an ONNX file ends at {MAX_FILE}",
                place=place,
                remedy="save the weights as external data",
            )
        content = path.read_bytes()
    except (OSError, ValueError) as error:
        raise ModelError(f"cannot be read: {error}", place=place) from error
    if not content:
        raise ModelError("is empty", place=place, remedy="export the model again")
    return content
