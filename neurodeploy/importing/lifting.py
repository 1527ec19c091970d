"""A node whose result is known becomes an initialiser."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

__all__ = ["lift"]


def lift(graph: ir.Graph, node: ir.Node, values: np.ndarray) -> None:
    """Put `values` in the place of the node's only result; the array is not copied."""
    old = node.outputs[0]
    constant = ir.Value(
        name=old.name,
        shape=ir.Shape(values.shape),
        type=ir.TensorType(ir.DataType.from_numpy(values.dtype)),
        const_value=ir.Tensor(values, name=old.name),
    )
    ir.convenience.replace_all_uses_with(old, constant)
    graph.remove(node, safe=True)
    graph.register_initializer(constant)
