"""By how much a model scales its own input before the first layer."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

__all__ = ["input_gain"]

#: Leave the numbers as they are, or move them.
_MOVE_KINDS = "Add Cast Flatten Identity Reshape Squeeze Sub Transpose Unsqueeze"
_MOVES = frozenset(_MOVE_KINDS.split())
#: Nodes that are followed.
_FAR = 16


def input_gain(entrance: ir.Value) -> float:
    """The factor of the scalings that a model begins with: 1/255 where it divides pixels itself.

    Multiplications and divisions by constants, batch normalisation and scikit-learn's scalers,
    each the only reader of what is before it; of several channels the mean magnitude. 1 where the
    input goes into a layer at once.
    """
    value, gain = entrance, 1.0
    for _ in range(_FAR):
        users = [user for user, _ in value.uses()]
        if len(users) != 1 or not users[0].outputs:
            break
        node = users[0]
        factor = 1.0 if node.op_type in _MOVES else _factor(node, value)
        if factor is None:
            break
        gain *= factor
        value = node.outputs[0]
    return gain if np.isfinite(gain) and gain > 0 else 1.0


def _factor(node: ir.Node, value: ir.Value) -> float | None:
    """What a node multiplies its input by; None where it is another kind of node."""
    if node.op_type in ("Mul", "Div"):
        first, second = node.inputs
        other = second if first is value else first
        if node.op_type == "Div" and first is not value:
            return None
        size = _size(other)
        return size if size is None or node.op_type == "Mul" else 1 / size if size else None
    if node.op_type == "BatchNormalization" and len(node.inputs) == 5:
        scale, variance = _size(node.inputs[1]), _size(node.inputs[4])
        return None if scale is None or not variance else scale / variance**0.5
    if node.op_type == "Scaler":
        stated = node.attributes.get("scale")
        return None if stated is None else float(np.abs(np.asarray(stated.value, float)).mean())
    return None


def _size(value: ir.Value | None) -> float | None:
    """Mean magnitude of a constant."""
    if value is None or value.const_value is None or not value.const_value.size:
        return None
    return float(np.abs(value.const_value.numpy().astype(np.float64)).mean())
