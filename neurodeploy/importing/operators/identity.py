"""Identity, Dropout and Cast: nothing happens at inference."""

from __future__ import annotations

from dataclasses import replace

import onnx_ir as ir

from neurodeploy.errors import UnsupportedError
from neurodeploy.importing.building.builder import Builder, Signal
from neurodeploy.importing.building.operation import Operation
from neurodeploy.importing.quantized.float_operator import real_signal
from neurodeploy.importing.registry import register

__all__ = ["cast", "dropout", "identity"]

_FLOATS = frozenset(
    {ir.DataType.FLOAT, ir.DataType.FLOAT16, ir.DataType.DOUBLE, ir.DataType.BFLOAT16}
)


@register("Identity", integers="moves")
def identity(operation: Operation, net: Builder) -> Signal:
    """``Identity``: its input."""
    return operation.signal()


@register("Dropout")
def dropout(operation: Operation, net: Builder) -> Signal:
    """``Dropout`` at inference: its input. Training mode and the mask are refused."""
    operation.only_first_output()
    training = operation.constant(2)
    if training is not None and training.any():
        raise UnsupportedError(
            "is in training mode", remedy="export the model in evaluation mode (model.eval())"
        )
    return operation.signal()


@register("Cast", integers="reads")
def cast(operation: Operation, net: Builder) -> Signal:
    """``Cast`` to a float type: its input, or the integers as numbers.

    1. Floats to a float type: nothing, everything is computed in float32.
    2. Integers to a float type: the integers as numbers.
    3. Refused: anything else.
    """
    target = operation.integer("to", 0)
    if target not in [int(kind) for kind in _FLOATS]:
        raise UnsupportedError(
            "casts activations to a type that is not float, which rounds or compares them",
            remedy="export the float model",
        )
    x = operation.signal()
    if x.grid is None:
        return x
    return real_signal(operation, net, 0, replace(x.grid, scale=1.0, zero_point=0))
