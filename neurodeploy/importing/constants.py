"""QuantizeLinear and DequantizeLinear of constants, computed while importing."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx_ir as ir

from neurodeploy.errors import NeuroDeployError
from neurodeploy.importing.lifting import lift
from neurodeploy.importing.operation import Operation
from neurodeploy.importing.scales import dequantise, output_dtype, quantise, required

__all__ = ["QUANTISERS", "fold_quantised", "on_constants"]

QUANTISERS = frozenset({"QuantizeLinear", "DequantizeLinear"})


def fold_quantised(graph: ir.Graph, version: int, spend: Callable[[int], bool]) -> int:
    """Replace these nodes by their values, where all their inputs are constants.

    onnxscript leaves them to whoever runs the model. A malformed one stays, to be refused as a
    node.

    Parameters
    ----------
    graph
        In topological order; changed in place.
    version
        Operator set version.
    spend
        Whether so many elements may still be computed.

    Returns
    -------
    int
        How many were replaced.
    """
    count = 0
    for node in tuple(graph):
        if node.op_type not in QUANTISERS or node.domain:
            continue
        if any(value is not None and value.const_value is None for value in node.inputs):
            continue
        if node.outputs[0].is_graph_output():
            continue
        operation = Operation(node, version, {}, lambda value: False)
        try:
            if not spend(2 * required(operation, 0).size):
                continue
            values = on_constants(operation)
        except NeuroDeployError:
            continue
        lift(graph, node, values)
        count += 1
    return count


def on_constants(operation: Operation) -> np.ndarray:
    """The result of a quantiser whose inputs are constants.

    Raises
    ------
    ModelError
        It is malformed, or of a type that is not read.
    """
    along = operation.version >= 13 or operation.has("axis")
    axis = operation.integer("axis", 1) if along else None
    block = operation.integer("block_size", 0)
    if operation.op_type == "QuantizeLinear":
        return quantise(operation, output_dtype(operation), axis, block)
    return dequantise(operation, 0, axis, block)
