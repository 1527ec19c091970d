"""Tensors of an ONNX protobuf: sizes checked before memory is taken, external data fetched."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from math import prod
from pathlib import Path

import onnx
from onnx import TensorProto

from neurodeploy.errors import ModelError
from neurodeploy.importing.limits import MAX_DIMENSION, MAX_NODES, MAX_PARAMETERS, MAX_RANK

__all__ = ["all_nodes", "check_tensors"]

#: Bytes an element in `raw_data`, and the typed field that may hold it instead.
_LAYOUT: dict[int, tuple[int, str]] = {
    TensorProto.FLOAT: (4, "float_data"),
    TensorProto.DOUBLE: (8, "double_data"),
    TensorProto.FLOAT16: (2, "int32_data"),
    TensorProto.BFLOAT16: (2, "int32_data"),
    TensorProto.INT64: (8, "int64_data"),
    TensorProto.INT32: (4, "int32_data"),
    TensorProto.INT16: (2, "int32_data"),
    TensorProto.INT8: (1, "int32_data"),
    TensorProto.UINT64: (8, "uint64_data"),
    TensorProto.UINT32: (4, "uint64_data"),
    TensorProto.UINT16: (2, "int32_data"),
    TensorProto.UINT8: (1, "int32_data"),
    TensorProto.BOOL: (1, "int32_data"),
}


def all_nodes(graph: onnx.GraphProto | onnx.FunctionProto) -> Iterator[onnx.NodeProto]:
    """Nodes of a graph or function and of the graphs nested in their attributes."""
    stack = [graph]
    while stack:
        for node in stack.pop().node:
            yield node
            for attribute in node.attribute:
                stack.extend(attribute.graphs)
                if attribute.HasField("g"):
                    stack.append(attribute.g)


def _graphs(model: onnx.ModelProto) -> Iterator[onnx.GraphProto]:
    yield model.graph
    for part in (model.graph, *model.functions):
        for node in all_nodes(part):
            for attribute in node.attribute:
                yield from attribute.graphs
                if attribute.HasField("g"):
                    yield attribute.g


def _tensors(model: onnx.ModelProto, place: str) -> Iterator[onnx.TensorProto]:
    for graph in _graphs(model):
        if graph.sparse_initializer:
            raise ModelError(
                "holds sparse initialisers, which are not read",
                place=place,
                remedy="save the weights as dense tensors",
            )
        yield from graph.initializer
    for part in (model.graph, *model.functions):
        for node in all_nodes(part):
            for attribute in node.attribute:
                if attribute.HasField("t"):
                    yield attribute.t
                yield from attribute.tensors


def _load_external(tensor: TensorProto, wanted: int, folder: Path | None, place: str) -> str:
    """Move external bytes into `raw_data`; the location must not leave the model's folder."""
    if folder is None:
        raise ModelError(
            "keeps its values in another file, and the model in memory has no folder",
            place=place,
            remedy="give the path of the ONNX file, or load it with its external data",
        )
    facts = {entry.key: entry.value for entry in tensor.external_data}
    location = facts.get("location", "")
    remedy = "keep the external data beside the ONNX file, as the exporter wrote it"
    try:
        offset = int(facts.get("offset", "0") or 0)
        length = int(facts.get("length", "0") or 0) or wanted
        inside = folder.resolve()
        file = (inside / location).resolve()
        parts = Path(location).parts
        # Both spellings of "outside": the text itself, and where links really lead.
        if not location or Path(location).is_absolute() or ".." in parts or "\\" in location:
            raise ModelError(
                f"external data {location!r} is not a path inside the model's folder",
                place=place,
                remedy=remedy,
            )
        if not file.is_relative_to(inside):
            raise ModelError(
                f"external data {location!r} leads out of the model's folder",
                place=place,
                remedy=remedy,
            )
        if not file.is_file():
            raise ModelError(f"external data {location!r} is missing", place=place, remedy=remedy)
        size = file.stat().st_size
        if size > 8 * MAX_PARAMETERS:  # it is hashed as a whole
            raise ModelError(
                f"external data {location!r} has {size} bytes; {8 * MAX_PARAMETERS} can be read",
                place=place,
            )
        if offset < 0 or length != wanted or offset + wanted > size:
            raise ModelError(
                f"claims bytes {offset} to {offset + length} of {location!r} for {wanted} bytes of "
                f"values; the file has {size}",
                place=place,
                remedy=remedy,
            )
        with file.open("rb") as stream:
            stream.seek(offset)
            content = stream.read(wanted)
    except (OSError, ValueError) as error:
        raise ModelError(f"external data cannot be read: {error}", place=place) from error
    if len(content) != wanted:
        raise ModelError(f"external data {location!r} is cut short", place=place, remedy=remedy)
    tensor.ClearField("external_data")
    tensor.data_location = TensorProto.DEFAULT
    tensor.raw_data = content
    return location


def _check(tensor: TensorProto, place: str) -> int:
    """Bytes of values that the tensor must have."""
    dims = list(tensor.dims)
    if len(dims) > MAX_RANK or any(not 0 <= n <= MAX_DIMENSION for n in dims):
        raise ModelError(f"has an impossible shape {dims[: MAX_RANK + 1]}", place=place)
    if prod(dims) > MAX_PARAMETERS:
        raise ModelError(
            f"has {prod(dims)} elements; {MAX_PARAMETERS} a model can be read", place=place
        )
    if tensor.data_type == TensorProto.STRING:
        return 0
    if tensor.data_type not in _LAYOUT:
        kinds = {value: key for key, value in TensorProto.DataType.items()}
        raise ModelError(
            f"has element type {kinds.get(tensor.data_type, tensor.data_type)}, which is not read",
            place=place,
            remedy="save weights as float32",
        )
    return prod(dims) * _LAYOUT[tensor.data_type][0]


def check_tensors(model: onnx.ModelProto, name: str, folder: Path | None) -> dict[str, str]:
    """Check every tensor of the model and load external data into it.

    Parameters
    ----------
    name
        What messages call the model.
    folder
        The model's; None for a model in memory.

    1. Shapes: at most 8 axes, no negative one, at most `MAX_PARAMETERS` elements in all.
    2. Values: exactly as many as the shape says, whether raw, typed or external.
    3. External data stays within the model's folder: no absolute path, no ``..``, no link out.

    Returns
    -------
    dict
        SHA-256 of each external file, by location.

    Raises
    ------
    ModelError
        A tensor that breaks a rule, named; also more than `MAX_NODES` nodes.
    """
    count = sum(1 for part in (model.graph, *model.functions) for _ in all_nodes(part))
    if count > MAX_NODES:
        raise ModelError(f"has {count} nodes; {MAX_NODES} can be read", place=name)
    total = 0
    locations: set[str] = set()
    for tensor in _tensors(model, name):
        place = f"{name}: tensor {tensor.name!r}"
        wanted = _check(tensor, place)
        total += prod(tensor.dims)
        if total > MAX_PARAMETERS:
            raise ModelError(
                f"the model has more than {MAX_PARAMETERS} parameters",
                place=place,
                remedy="this is far beyond a spiking chip; use a smaller model",
            )
        if tensor.data_location == TensorProto.EXTERNAL:
            locations.add(_load_external(tensor, wanted, folder, place))
        elif tensor.data_type != TensorProto.STRING:
            bytes_each, field = _LAYOUT[tensor.data_type]
            held = (
                len(tensor.raw_data)
                if tensor.HasField("raw_data")
                else len(getattr(tensor, field)) * bytes_each
            )
            if held != wanted:
                raise ModelError(
                    f"shape {list(tensor.dims)} needs {wanted} bytes of values, here are {held}",
                    place=place,
                    remedy="export the model again",
                )
    return {location: _sha256(Path(folder or ".") / location) for location in sorted(locations)}


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
