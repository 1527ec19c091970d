"""Weights that a file only describes: ``ConstantOfShape`` too large to be folded."""

from __future__ import annotations

from math import prod

import numpy as np
import onnx_ir as ir

from neurodeploy.errors import ModelError
from neurodeploy.importing.constants.initialisers import lift
from neurodeploy.importing.limits import MAX_DIMENSION, MAX_PARAMETERS, MAX_RANK

__all__ = ["lift_filled"]


def lift_filled(graph: ir.Graph) -> None:
    """Turn each ``ConstantOfShape`` of constant shape into an initialiser.

    Its values are one number seen through strides of zero: a file of one kilobyte may describe
    half a gigabyte of equal weights, and nobody pays for them before they are used.

    Raises
    ------
    ModelError
        More than `MAX_PARAMETERS` elements in all, or an impossible shape.
    """
    total = 0
    for node in list(graph):
        if node.op_type != "ConstantOfShape" or node.domain not in ("", "ai.onnx"):
            continue
        shape = node.inputs[0].const_value if node.inputs and node.inputs[0] else None
        if shape is None:
            continue
        dims = [int(n) for n in shape.numpy().reshape(-1)[: MAX_RANK + 1]]
        if len(dims) > MAX_RANK or any(not 0 <= n <= MAX_DIMENSION for n in dims):
            raise ModelError(f"node {node.name!r} fills an impossible shape {dims}")
        total += prod(dims)
        if total > MAX_PARAMETERS:
            raise ModelError(
                f"node {node.name!r} fills a shape of {prod(dims)} elements; "
                f"{MAX_PARAMETERS} a model can be read"
            )
        value = node.attributes.get("value")
        number = np.zeros(1, np.float32) if value is None else value.as_tensor().numpy()
        lift(graph, node, np.broadcast_to(number.reshape(-1)[0], dims))
