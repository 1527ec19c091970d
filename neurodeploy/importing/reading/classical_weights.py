"""Weights that an operator of ai.onnx.ml holds in its attributes."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from neurodeploy.errors import ModelError
from neurodeploy.importing.limits import MAX_PARAMETERS

__all__ = ["floats", "linear_parts", "state_shapes"]


def floats(node: ir.Node, name: str) -> np.ndarray:
    """An attribute of numbers as float32 (n,); empty if it is not there."""
    attribute = node.attributes.get(name)
    if attribute is None:
        return np.zeros(0, np.float32)
    if attribute.is_ref() or attribute.type != ir.AttributeType.FLOATS:
        raise ModelError(f"attribute {name!r} has the wrong type")
    return np.asarray(attribute.as_floats(), np.float32)


def linear_parts(node: ir.Node) -> tuple[np.ndarray, np.ndarray] | None:
    """Weights (targets, features) and bias of a linear model; None if they contradict each other.

    Targets are counted by the intercepts, else by the labels or the attribute ``targets``.
    """
    weight, bias = floats(node, "coefficients"), floats(node, "intercepts")
    labels = next(
        (
            len(node.attributes[name].value)
            for name in ("classlabels_ints", "classlabels_strings")
            if name in node.attributes and not node.attributes[name].is_ref()
        ),
        None,
    )
    stated = node.attributes.get("targets")
    count = int(stated.value) if stated is not None else 1 if labels is None else labels
    targets = bias.size or count
    if not 1 <= targets <= weight.size <= MAX_PARAMETERS or weight.size % targets:
        return None
    return weight.reshape(targets, -1), bias if bias.size else np.zeros(targets, np.float32)


def state_shapes(graph: ir.Graph, batch: int) -> None:
    """Say what shapes these operators give; onnx's own inference does not know."""
    for node in graph:
        if node.domain != "ai.onnx.ml" or not node.outputs:
            continue
        try:
            if node.op_type == "Scaler":
                size = max(floats(node, "offset").size, floats(node, "scale").size)
                if size > 1:
                    node.outputs[0].shape = ir.Shape((batch, size))
            elif node.op_type in ("LinearRegressor", "LinearClassifier"):
                parts = linear_parts(node)
                if parts is not None:
                    node.outputs[-1].shape = ir.Shape((batch, max(len(parts[0]), 1)))
        except (ModelError, TypeError, ValueError):
            continue  # malformed: refused when it is read
