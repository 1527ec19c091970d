"""A graph's structure before libraries see it: names, one data input, one producer a value."""

from __future__ import annotations

from collections import Counter
from math import prod

import onnx

from neurodeploy.errors import ModelError
from neurodeploy.importing.limits import MAX_ACTIVATION, MAX_NODES
from neurodeploy.importing.reading.tensors import all_nodes

__all__ = [
    "check_expansion",
    "check_splits",
    "check_structure",
    "data_input",
    "fix_batch",
    "name_nodes",
]


def name_nodes(graph: onnx.GraphProto) -> tuple[tuple[str, str], ...]:
    """Give every node a name of its own, so that findings can tell nodes apart."""
    taken = {node.name for node in graph.node}
    seen: set[str] = set()
    for index, node in enumerate(graph.node):
        name = node.name or f"{node.op_type}_{index}"
        if not node.name or name in seen:
            stem, count = name, 1
            while name in taken:
                count += 1
                name = f"{stem}_{count}"
            taken.add(name)
        seen.add(name)
        node.name = name
    return tuple(
        (node.name, f"{node.domain}::{node.op_type}" if node.domain else node.op_type)
        for node in graph.node
    )


def check_structure(graph: onnx.GraphProto) -> None:
    """Each value has one producer and each reader finds one; order is left to the sort."""
    values = [value.name for value in graph.input]
    values += [tensor.name for tensor in graph.initializer]
    values += [name for node in graph.node for name in node.output if name]
    known = set(values)
    if len(known) != len(values):
        twice = next(name for name, count in Counter(values).items() if count > 1)
        raise ModelError(f"two values are called {twice!r}", remedy="export the model again")
    for node in graph.node:
        for name in node.input:
            if name and name not in known:
                raise ModelError(
                    f"reads {name!r}, which nothing produces",
                    place=f"node {node.name!r}",
                    remedy="export the model again",
                )
    for output in graph.output:
        if output.name not in known:
            raise ModelError(f"output {output.name!r} is produced by nothing")


def check_splits(model: onnx.ModelProto) -> None:
    """onnx's shape inference ends the process where this attribute is below the outputs."""
    for part in (model.graph, *model.functions):
        for node in all_nodes(part):
            for attribute in node.attribute if node.op_type == "Split" else ():
                if attribute.name == "num_outputs" and attribute.i != len(node.output):
                    raise ModelError(
                        f"Split has {len(node.output)} outputs, num_outputs says {attribute.i}",
                        place=f"node {node.name!r}",
                        remedy="export the model again",
                    )


def check_expansion(model: onnx.ModelProto) -> None:
    """Functions that call functions can double their size at each level: count before inlining."""
    bodies = {(f.domain, f.name): f for f in model.functions}
    sizes: dict[tuple[str, str], int] = {}

    def size(part: onnx.GraphProto | onnx.FunctionProto, path: tuple[tuple[str, str], ...]) -> int:
        total = 0
        for node in all_nodes(part):
            key = (node.domain, node.op_type)
            if key in path:
                raise ModelError(f"function {node.op_type!r} calls itself")
            if key in bodies and key not in sizes:
                sizes[key] = size(bodies[key], (*path, key))
            total += sizes.get(key, 1)
        return total

    if size(model.graph, ()) > MAX_NODES:
        raise ModelError(f"has more than {MAX_NODES} nodes once its functions are written out")


def data_input(model: onnx.ModelProto) -> onnx.ValueInfoProto:
    """The one input that carries data; initialisers that old files list as inputs are removed."""
    graph = model.graph
    constants = {tensor.name for tensor in graph.initializer}
    read = {name for node in all_nodes(graph) for name in node.input}
    read |= {value.name for value in graph.output}
    kept = [value for value in graph.input if value.name not in constants]
    if len(kept) > 1:
        kept = [value for value in kept if value.name in read]
    if len(kept) != 1:
        names = ", ".join(repr(value.name) for value in kept)
        raise ModelError(
            f"has {len(kept)} data inputs ({names}), not one" if kept else "has no data input",
            remedy="export the model with one input tensor" + (", or join them" if kept else ""),
        )
    copy = onnx.ValueInfoProto()
    copy.CopyFrom(kept[0])
    del graph.input[:]
    graph.input.append(copy)
    return graph.input[0]


def fix_batch(value: onnx.ValueInfoProto) -> int:
    """Make the input's shape a list of numbers and return the batch size."""
    kind = value.type.tensor_type
    if not value.type.HasField("tensor_type") or not kind.HasField("shape"):
        raise ModelError(
            f"input {value.name!r} is no tensor of known shape",
            remedy="export the model with a fixed input shape",
        )
    dims = kind.shape.dim
    if len(dims) < 2:
        raise ModelError(
            f"input {value.name!r} has {len(dims)} axes; a batch axis and at least one more needed",
            remedy="export the model with inputs of shape (batch, ...)",
        )
    for axis, dim in enumerate(dims):
        known = dim.HasField("dim_value") and dim.dim_value > 0
        if axis == 0 and not known:
            dim.dim_value = 1
        elif not known:
            what = dim.dim_param or (dim.dim_value if dim.HasField("dim_value") else "unknown")
            raise ModelError(
                f"dimension {axis} of input {value.name!r} is {what!r}, not a number",
                remedy="export with a fixed size there, or set it with "
                "python -m onnxruntime.tools.make_dynamic_shape_fixed",
            )
    if prod(dim.dim_value for dim in dims) > MAX_ACTIVATION:
        shape = [dim.dim_value for dim in dims]
        raise ModelError(f"input {value.name!r} of shape {shape} is too large to be read")
    return int(dims[0].dim_value)
