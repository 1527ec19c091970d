"""Scales and zero points: read, checked, applied to constants."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from neurodeploy.errors import ModelError, UnsupportedError
from neurodeploy.importing.building.integer_grid import Grid
from neurodeploy.importing.building.operation import Operation, float32

__all__ = ["dequantise", "output_dtype", "positive", "quantise", "read_grid", "required"]

_ACTIVATIONS = frozenset({"int8", "uint8", "int16", "uint16"})
_WEIGHTS = _ACTIVATIONS | {"int32"}
#: Of steps between 0 and a constant that is quantised: what fits into any type here, and more.
_FAR = 2.0**31
#: Step of an activation: networks have them around 0.01; float32 ends at 2**128.
_COARSEST = 2.0**24
_AGAIN = "quantise or export the model again"


def required(operation: Operation, index: int) -> np.ndarray:
    """A constant input that must be there, in its own type."""
    values = operation.constant(index)
    if values is None:
        raise ModelError(f"input {index} is missing", remedy=_AGAIN)
    return values


def positive(operation: Operation, index: int) -> np.ndarray:
    """A scale: finite and larger than 0 in float32; returned in float64."""
    scale = required(operation, index)
    if scale.dtype.kind != "f" and scale.dtype.name != "bfloat16":
        raise ModelError(f"its scale (input {index}) holds {scale.dtype}", remedy=_AGAIN)
    with np.errstate(over="ignore", under="ignore"):
        scale = scale.astype(np.float32).astype(np.float64)
    if not scale.size or not np.isfinite(scale).all() or (scale <= 0).any():
        raise ModelError(f"its scale (input {index}) is not a positive number", remedy=_AGAIN)
    return scale


def _zero(operation: Operation, index: int, dtype: np.dtype | None) -> np.ndarray:
    """A zero point, checked to be of `dtype`; 0 if omitted."""
    zero = operation.constant(index)
    if zero is None:
        return np.zeros((), dtype or np.uint8)
    if not zero.size or (dtype is not None and zero.dtype != dtype):
        raise ModelError(
            f"its zero point (input {index}) holds {zero.size} {zero.dtype}, not {dtype}",
            remedy=_AGAIN,
        )
    return zero


def output_dtype(operation: Operation) -> np.dtype | None:
    """Type that ``QuantizeLinear`` is asked for by attribute, None if it is not."""
    number = operation.integer("output_dtype", 0)
    if not number:
        return None
    try:
        return ir.DataType(number).numpy()
    except (TypeError, ValueError):
        raise ModelError(f"output_dtype {number} is no type of integers", remedy=_AGAIN) from None


def read_grid(
    operation: Operation, scale_index: int, zero_index: int, dtype: np.dtype | None = None
) -> Grid:
    """Scale and zero point of an activation.

    Parameters
    ----------
    dtype
        Of the integers, where the zero point does not say it (default uint8).

    Raises
    ------
    ModelError
        A scale that is missing, not positive or beyond all activations; a zero point of another
        type.
    UnsupportedError
        They are not constant, differ along an axis, or belong to a type other than (u)int8 and
        (u)int16.
    """
    scale = positive(operation, scale_index)
    zero = _zero(operation, zero_index, dtype)
    if scale.size != 1 or zero.size != 1:
        raise UnsupportedError(
            f"has {scale.size} scales and {zero.size} zero points for one activation; the spikes "
            "of a population have one unit",
            remedy="quantise activations per tensor",
        )
    if zero.dtype.name not in _ACTIVATIONS:
        raise UnsupportedError(
            f"quantises an activation to {zero.dtype.name}",
            remedy="quantise activations to int8 or uint8",
        )
    ends = np.iinfo(zero.dtype)
    step, number = float(scale.reshape(())), int(zero.reshape(()))
    if step > _COARSEST:
        raise ModelError(
            f"its range, in steps of {step:g}, is beyond all activations: all would be zero",
            remedy=_AGAIN,
        )
    return Grid(step, number, int(ends.min), int(ends.max))


def _spread(values: np.ndarray, shape: tuple[int, ...], axis: int | None, block: int) -> np.ndarray:
    """Scales or zero points as they meet a constant of `shape`: one, one an index of `axis`, or
    one a block of `axis`."""
    if values.size == 1:
        return values.reshape(())
    if axis is None or not -len(shape) <= axis < len(shape):
        raise ModelError(
            f"has {values.size} scales or zero points for a constant of shape {shape}, along "
            f"{'no axis' if axis is None else f'axis {axis}'}",
            remedy=_AGAIN,
        )
    axis %= len(shape)
    if block:
        blocks = tuple(-(-n // block) if i == axis else n for i, n in enumerate(shape))
        if values.shape == blocks:
            return np.repeat(values, block, axis).take(range(shape[axis]), axis)
    elif values.shape == shape[axis : axis + 1]:
        return values.reshape([-1 if i == axis else 1 for i in range(len(shape))])
    raise ModelError(
        f"scales or zero points of shape {values.shape} do not fit axis {axis} of a constant of "
        f"shape {shape}",
        remedy=_AGAIN,
    )


def dequantise(
    operation: Operation, index: int, axis: int | None, block: int = 0, zero: bool = True
) -> np.ndarray:
    """``(q - zero point) * scale`` of a constant, as float32.

    1. One scale, one along `axis`, or one for each `block` of it.
    2. Refused: types other than int8, uint8, int16, uint16 and int32; zero points of another type
       or shape; scales that are not positive.

    Parameters
    ----------
    index
        Of the constant; its scale and its zero point follow.
    zero
        Whether a zero point may follow.
    """
    values = required(operation, index)
    if values.dtype.name not in _WEIGHTS:
        raise ModelError(
            f"input {index} holds {values.dtype} where quantised weights are expected",
            remedy="quantise weights to int8 or uint8",
        )
    scale = positive(operation, index + 1)
    offset = _zero(operation, index + 2, values.dtype) if zero else np.zeros((), np.int8)
    shape = tuple(int(n) for n in values.shape)
    offset = _spread(offset.astype(np.float64), shape, axis, block)
    real = (values.astype(np.float64) - offset) * _spread(scale, shape, axis, block)
    return float32(real, f"the dequantised input {index}")


def quantise(
    operation: Operation, dtype: np.dtype | None, axis: int | None, block: int = 0
) -> np.ndarray:
    """``QuantizeLinear`` of a constant: half to even, ends of the type kept."""
    values = operation.required(0).astype(np.float64)
    scale = positive(operation, 1)
    offset = _zero(operation, 2, dtype)
    if offset.dtype.name not in _ACTIVATIONS:
        raise UnsupportedError(
            f"quantises to {offset.dtype.name}", remedy="quantise weights to int8 or uint8"
        )
    shape = tuple(int(n) for n in values.shape)
    # ONNX Runtime divides in float32; a tie must be a tie here as well.
    with np.errstate(over="ignore"):
        steps = values.astype(np.float32) / _spread(scale, shape, axis, block).astype(np.float32)
    ends = np.iinfo(offset.dtype)
    rounded = np.rint(np.clip(steps, -_FAR, _FAR)).astype(np.int64)
    moved = rounded + _spread(offset.astype(np.int64), shape, axis, block)
    return np.clip(moved, ends.min, ends.max).astype(offset.dtype)
