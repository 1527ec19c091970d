"""The integers that stand for an activation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx_ir as ir

from neurodeploy.errors import UnsupportedError

__all__ = ["Grid", "entrance_grid", "integers"]

_FLOATS = frozenset(
    {ir.DataType.FLOAT, ir.DataType.FLOAT16, ir.DataType.DOUBLE, ir.DataType.BFLOAT16}
)
_INTEGERS = frozenset(
    {
        ir.DataType.INT8,
        ir.DataType.INT16,
        ir.DataType.INT32,
        ir.DataType.INT64,
        ir.DataType.UINT8,
        ir.DataType.UINT16,
        ir.DataType.UINT32,
        ir.DataType.UINT64,
    }
)

_TYPES = tuple(np.dtype(name) for name in ("bool", *(kind.name.lower() for kind in _INTEGERS)))


def _ends(dtype: np.dtype) -> tuple[int, int]:
    if dtype == np.bool_:
        return 0, 1
    ends = np.iinfo(dtype)
    return int(ends.min), int(ends.max)


@dataclass(frozen=True)
class Grid:
    """An integer q from `low` to `high` stands for the real value ``(q - zero_point) * scale``.

    Attributes
    ----------
    scale
        Positive.
    zero_point
        The integer that stands for 0.
    low, high
        Ends of the integer type.
    """

    scale: float
    zero_point: int
    low: int
    high: int

    @property
    def lowest(self) -> float:
        """Smallest real value, as float32 has it."""
        return float(np.float32((self.low - self.zero_point) * self.scale))

    @property
    def highest(self) -> float:
        """Largest real value, as float32 has it."""
        return float(np.float32((self.high - self.zero_point) * self.scale))

    @property
    def dtype(self) -> np.dtype:
        """The integer type."""
        return next(kind for kind in _TYPES if (self.low, self.high) == _ends(kind))

    def __str__(self) -> str:
        return f"{self.lowest:.6g} to {self.highest:.6g} in steps of {self.scale:.6g}"


def integers(dtype: ir.DataType) -> Grid:
    """Plain numbers of an integer type, or of bool: scale 1, zero point 0."""
    return Grid(1.0, 0, *_ends(dtype.numpy()))


def entrance_grid(dtype: ir.DataType | None) -> Grid | None:
    """What samples of a type mean: None for floats, else the integers themselves.

    Raises
    ------
    UnsupportedError
        The type holds no numbers, or is one that no framework feeds a network with.
    """
    if dtype is None or dtype in _FLOATS:
        return None
    if dtype in _INTEGERS or dtype == ir.DataType.BOOL:
        return integers(dtype)
    raise UnsupportedError(
        f"the input takes samples of type {dtype.name}",
        remedy="export with an input of type float32, uint8 or int8",
    )
