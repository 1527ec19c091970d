"""An operator on integers, seen as the float operator it stands for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeAlias

import numpy as np
import onnx_ir as ir

from neurodeploy.errors import ModelError
from neurodeploy.importing.building.affine import affine, merge_affine
from neurodeploy.importing.building.builder import Builder, Signal
from neurodeploy.importing.building.integer_grid import Grid
from neurodeploy.importing.building.operation import Operation

__all__ = ["RealOperation", "real_signal"]

#: The index of an input of the integer operator, and the real values that it stands for; None
#: for an input that the float operator has and the integer one does not.
Input: TypeAlias = "tuple[int, Signal | np.ndarray] | None"


class RealOperation(Operation):
    """The attributes of an operator on integers with inputs in real values.

    What the float operator's handler is given, so that the two mean the same.

    Parameters
    ----------
    operation
        The operator on integers.
    op_type
        The float operator.
    inputs
        Those of the float operator, in its order.
    """

    def __init__(self, operation: Operation, op_type: str, inputs: Sequence[Input]) -> None:
        super().__init__(
            operation.node, operation.version, operation._signals, operation._exclusive
        )
        self.op_type = op_type
        self._inputs = tuple(inputs)

    @property
    def count(self) -> int:
        return len(self._inputs)

    def _given(self, index: int) -> Signal | np.ndarray | None:
        entry = self._inputs[index] if index < len(self._inputs) else None
        return None if entry is None else entry[1]

    def value(self, index: int) -> ir.Value | None:
        entry = self._inputs[index] if index < len(self._inputs) else None
        return None if entry is None else super().value(entry[0])

    def signal(self, index: int = 0) -> Signal:
        given = self._given(index)
        return given if isinstance(given, Signal) else super().signal(index)

    def is_signal(self, index: int) -> bool:
        return isinstance(self._given(index), Signal)

    def constant(self, index: int) -> np.ndarray | None:
        given = self._given(index)
        return given if isinstance(given, np.ndarray) else super().constant(index)


def real_signal(operation: Operation, net: Builder, index: int, grid: Grid) -> Signal:
    """The real values of an integer input that its reader takes to lie on `grid`.

    1. On the grid on which they were made: those values themselves.
    2. On another one, or plain integer samples: scaled and shifted.
    """
    x = operation.signal(index)
    own = x.grid
    if own is None:
        raise ModelError(
            f"input {index} holds floats, not integers", remedy="export the model again"
        )
    real = replace(x, grid=None)
    # x = (q - own.zero_point) * own.scale, wanted (q - grid.zero_point) * grid.scale
    scale = grid.scale / own.scale
    shift = (own.zero_point - grid.zero_point) * grid.scale
    if scale == 1 and shift == 0:
        return real
    ones = np.ones((1,) * len(x.shape))
    if operation.exclusive(index) and merge_affine(net, real, ones * scale, ones * shift):
        return real
    return affine(net, f"{operation.name}/real", real, ones * scale, ones * shift)
