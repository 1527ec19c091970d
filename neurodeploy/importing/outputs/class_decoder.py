"""What stands behind the last layer and only reads the class off it."""

from __future__ import annotations

import onnx_ir as ir

from neurodeploy.errors import NeuroDeployError
from neurodeploy.importing.building.operation import Operation
from neurodeploy.importing.constants.quantizers import QUANTISERS
from neurodeploy.importing.quantized.scales import read_grid
from neurodeploy.importing.report.findings import Finding

__all__ = ["DECODERS", "check_decoder", "class_axis", "decoder_nodes"]

#: Keep the order of the outputs, or choose the largest.
DECODERS = {
    "Softmax": "the order of the outputs is unchanged; probabilities are not computed",
    "LogSoftmax": "the order of the outputs is unchanged; probabilities are not computed",
    "Sigmoid": "the order of the outputs is unchanged, and 0.5 corresponds to 0 before it",
    "Tanh": "the order of the outputs is unchanged, and 0 stays 0",
    "Hardmax": "the output decoder picks the largest output itself",
    "ArgMax": "the output decoder picks the largest output itself",
    "com.microsoft::QLinearSoftmax": (
        "the order of the outputs is unchanged; probabilities are not computed"
    ),
    "com.microsoft::QLinearSigmoid": (
        "the order of the outputs is unchanged, and 0.5 corresponds to 0 before it"
    ),
}
#: A quantiser with what reads it, from the output on.
_ROUNDINGS = (["QuantizeLinear"], ["DequantizeLinear", "QuantizeLinear"])
#: May follow one of these on the way to the output.
_FOLLOWERS = QUANTISERS | {
    "Cast",
    "Flatten",
    "Identity",
    "Log",
    "Reshape",
    "Squeeze",
    "Unsqueeze",
}


def _kind(node: ir.Node) -> str:
    return node.op_type if node.domain in ("", "ai.onnx") else f"{node.domain}::{node.op_type}"


def _is_column(node: ir.Node) -> bool:
    """Whether a node reshapes a table of several columns to one."""
    if _kind(node) != "Reshape" or len(node.inputs) != 2 or None in node.inputs:
        return False
    data, target = node.inputs
    assert data is not None
    assert target is not None
    if target.const_value is None or data.shape is None or not data.shape.is_static():
        return False
    if target.const_value.size != 2 or target.const_value.numpy().reshape(-1).tolist() != [-1, 1]:
        return False
    columns = data.shape[1] if len(data.shape) == 2 else 1
    return isinstance(columns, int) and columns > 1


def decoder_nodes(output: ir.Value) -> tuple[tuple[ir.Node, ...], ir.Value]:
    """Trailing nodes that decode, in order, and the value that the network itself ends with.

    1. Softmax, LogSoftmax, Sigmoid, Hardmax and ArgMax right before the output, several too.
    2. With them the casts, logarithms, reshapes and quantisers that follow.
    3. And the quantiser right before them, whose rounding only makes ties.
    4. Not if anything else reads a value on that way.
    5. A last Reshape that puts the outputs of all samples into one column; they stay rows.
    """
    last = output.producer()
    if last is not None and _is_column(last):
        assert last.inputs[0] is not None
        return (last,), last.inputs[0]
    trail: list[ir.Node] = []
    kept, end = 0, output
    current = output
    while True:
        node = current.producer()
        only_reader = len(current.uses()) == (0 if not trail else 1)
        if node is None or not only_reader or not node.inputs or node.inputs[0] is None:
            break
        if current is not output and current.is_graph_output():
            break
        kind = _kind(node)
        if kind not in DECODERS and kind not in _FOLLOWERS:
            break
        trail.append(node)
        current = node.inputs[0]
        before = kept and [_kind(node) for node in trail[kept:]] in _ROUNDINGS
        if kind in DECODERS or before:
            kept, end = len(trail), current
    return tuple(reversed(trail[:kept])), end


def check_decoder(operation: Operation) -> Finding:
    """The finding on a decoding node; one that mixes the samples of a batch is refused."""
    name, kind = operation.name, _kind(operation.node)
    version = operation.version
    try:
        if kind in QUANTISERS or kind.startswith("com.microsoft::"):
            read_grid(operation, 1, 2)
        if kind.startswith("com.microsoft::"):
            read_grid(operation, 3, 4)
            version = operation.integer("opset", version)
    except NeuroDeployError as error:
        return Finding(name, kind, "refused", error.message, error.remedy)
    default = 0 if kind == "ArgMax" else -1 if version >= 13 else 1
    if kind in DECODERS and not kind.endswith(("Sigmoid", "Tanh")):
        axis = operation.node.attributes.get("axis")
        number = default if axis is None else axis.value
        rank = len(operation.signal().shape) + 1 if operation.is_signal(0) else None
        if number == 0 or (rank is not None and number == -rank):
            return Finding(
                name,
                kind,
                "refused",
                "works along the batch axis, so samples would depend on each other",
                "set its axis to the classes, or end the exported model before this node",
            )
    reason = DECODERS.get(kind, "follows a node that only decodes")
    if _is_column(operation.node):
        reason = "puts the outputs of all samples into one column; here each sample keeps its row"
    if kind in QUANTISERS:
        reason = "rounds what only the decoder reads; the order stays, but for ties"
    return Finding(name, kind, "decoder", reason)


def class_axis(nodes: tuple[ir.Node, ...], rank: int, version: int) -> int | None:
    """Axis, without the batch, along which decoding nodes choose among the network's outputs.

    The first of them that works along an axis says so, unless the shape changes before it.

    Parameters
    ----------
    rank
        Axes of the network's output, without the batch axis.
    version
        Operator set version.
    """
    for node in nodes:
        kind = _kind(node)
        if kind in ("Flatten", "Reshape", "Squeeze", "Unsqueeze"):
            return None
        if not kind.endswith(("max", "Max")):
            continue
        axis = node.attributes.get("axis")
        default = -1 if version >= 13 else 1  # ArgMax's own is the batch, which is refused
        number = default if axis is None else axis.value
        if type(number) is not int:
            return None
        number = number - 1 if number > 0 else rank + number
        return number if 0 <= number < rank else None
    return None
