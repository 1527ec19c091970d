"""QuantizeLinear and DequantizeLinear of constants, computed while importing."""

from __future__ import annotations

import numpy as np

from neurodeploy.importing.building.operation import Operation
from neurodeploy.importing.quantized.scales import dequantise, output_dtype, quantise

__all__ = ["QUANTISERS", "on_constants"]

QUANTISERS = frozenset({"QuantizeLinear", "DequantizeLinear"})


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
