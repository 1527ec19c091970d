"""From a model as it was given to a checked ONNX protobuf; the file may be hostile."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import onnx
from google.protobuf.message import DecodeError

from neurodeploy.errors import ModelError
from neurodeploy.importing.reading.foreign_formats import recognise
from neurodeploy.importing.reading.opsets import OLDEST
from neurodeploy.importing.reading.sources import Model, open_model
from neurodeploy.importing.reading.tensors import all_nodes, check_tensors

__all__ = ["Source", "read_model"]


@dataclass(frozen=True)
class Source:
    """A model as it lay on disk, or was given in memory.

    Attributes
    ----------
    model
        The protobuf, external data loaded.
    file
        Name of the ONNX file; empty where there is none.
    sha256
        Of the ONNX file.
    external_sha256
        Of each external data file, by its location in the model's folder.
    opset
        Version of ONNX's own operators.
    """

    model: onnx.ModelProto
    file: str
    sha256: str
    external_sha256: dict[str, str]
    opset: int


def _opset(model: onnx.ModelProto, place: str) -> int:
    versions = {o.version for o in model.opset_import if o.domain in ("", "ai.onnx")}
    newest = onnx.defs.onnx_opset_version()
    if len(versions) != 1:
        found = f"operator set versions {sorted(versions)}" if versions else "no operator set"
        raise ModelError(f"names {found}, not one", place=place, remedy="export the model again")
    (version,) = versions
    if not OLDEST <= version <= newest:
        raise ModelError(
            f"uses operator set {version}; {OLDEST} to {newest} can be read",
            place=place,
            remedy="export with opset 17, or use onnx.version_converter"
            + ("" if version < OLDEST else ", or install a newer onnx"),
        )
    return version


def _texts(model: onnx.ModelProto) -> Iterator[object]:
    yield from (model.producer_name, model.producer_version)
    yield from (opset.domain for opset in model.opset_import)
    for function in model.functions:
        yield from (function.domain, function.name, *function.input, *function.output)
    for value in (*model.graph.input, *model.graph.output):
        yield value.name
        yield from (dim.dim_param for dim in value.type.tensor_type.shape.dim)
    yield from (tensor.name for tensor in model.graph.initializer)
    for part in (model.graph, *model.functions):
        for node in all_nodes(part):
            yield from (node.name, node.op_type, node.domain, *node.input, *node.output)
            yield from (attribute.name for attribute in node.attribute)


def _check_text(model: onnx.ModelProto, place: str) -> None:
    """Names must be UTF-8; protobuf hands out bytes, or fails only later, where they are not."""
    try:
        valid = all(isinstance(text, str) for text in _texts(model))
    except UnicodeDecodeError:
        valid = False
    if not valid:
        raise ModelError(
            "holds names that are not text", place=place, remedy="export the model again"
        )


def read_model(given: Model) -> Source:
    """Read an ONNX file, or a model in memory, and its external data.

    1. What was given must hold at most 2 GiB that parse as a model with a graph (`open_model`).
    2. Exactly one version of ONNX's own operators, from 6 to the newest that onnx knows.
    3. All names are text.
    4. Every tensor must hold as many bytes as its shape claims (`check_tensors`).

    Raises
    ------
    ModelError
        Anything else.
    UsageError
        Given was no model at all.
    """
    opened = open_model(given)
    place = opened.name
    model = onnx.ModelProto()
    try:
        model.ParseFromString(opened.content)
    except (DecodeError, ValueError, RuntimeError) as error:
        raise recognise(opened.content, place) or ModelError(
            "is not an ONNX file, or was cut short", place=place, remedy="export the model again"
        ) from error
    if not model.HasField("graph") or not model.opset_import:
        raise recognise(opened.content, place) or ModelError(
            "holds no ONNX graph", place=place, remedy="export the model again"
        )
    _check_text(model, place)
    opset = _opset(model, place)
    external = check_tensors(model, place, opened.folder)
    digest = hashlib.sha256(opened.content).hexdigest()
    return Source(model, opened.file, digest, external, opset)
