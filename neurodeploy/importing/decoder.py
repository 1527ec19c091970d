"""What stands behind the last layer and only reads the class off it."""

from __future__ import annotations

import onnx_ir as ir

from neurodeploy.importing.findings import Finding
from neurodeploy.importing.operation import Operation

__all__ = ["check_decoder", "decoder_nodes"]

#: Keep the order of the outputs, or choose the largest.
_DECODERS = {
    "Softmax": "the order of the outputs is unchanged; probabilities are not computed",
    "LogSoftmax": "the order of the outputs is unchanged; probabilities are not computed",
    "Sigmoid": "the order of the outputs is unchanged, and 0.5 corresponds to 0 before it",
    "Hardmax": "the output decoder picks the largest output itself",
    "ArgMax": "the output decoder picks the largest output itself",
}
#: May follow one of these on the way to the output.
_FOLLOWERS = frozenset({"Cast", "Flatten", "Identity", "Log", "Reshape", "Squeeze", "Unsqueeze"})


def decoder_nodes(output: ir.Value) -> tuple[tuple[ir.Node, ...], ir.Value]:
    """Trailing nodes that decode, in order, and the value that the network itself ends with.

    1. Softmax, LogSoftmax, Sigmoid, Hardmax and ArgMax right before the output, several too.
    2. With them the casts, logarithms and reshapes that follow.
    3. Not if anything else reads a value on that way.
    """
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
        if node.domain not in ("", "ai.onnx"):
            break
        if node.op_type not in _DECODERS and node.op_type not in _FOLLOWERS:
            break
        trail.append(node)
        current = node.inputs[0]
        if node.op_type in _DECODERS:
            kept, end = len(trail), current
    return tuple(reversed(trail[:kept])), end


def check_decoder(operation: Operation) -> Finding:
    """The finding on a decoding node; one that mixes the samples of a batch is refused."""
    name, kind = operation.name, operation.op_type
    default = {"ArgMax": 0, "Sigmoid": 1}.get(kind, -1 if operation.version >= 13 else 1)
    if kind in _DECODERS:
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
    reason = _DECODERS.get(kind, "follows a node that only decodes")
    return Finding(name, kind, "decoder", reason)
