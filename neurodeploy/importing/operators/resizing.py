"""Resize and Upsample."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from math import prod
from typing import NamedTuple

import numpy as np
import onnx_ir as ir

from neurodeploy.errors import ModelError, UnsupportedError
from neurodeploy.importing.building.builder import Builder, Signal
from neurodeploy.importing.building.operation import Operation
from neurodeploy.importing.building.permuting import check_size, elements, move
from neurodeploy.importing.limits import MAX_ACTIVATION
from neurodeploy.importing.registry import register
from neurodeploy.network import Conv, Permute, Shape

__all__ = ["resize"]

_HALF, _ZERO = np.float32(0.5), np.float32(0)


class _Axis(NamedTuple):
    """How one axis is resized: its size, the new size, and the scale between coordinates."""

    size: int
    result: int
    scale: np.float32


def _symmetric(t: np.ndarray, axis: _Axis) -> np.ndarray:
    adjustment = np.float32(axis.result) / (axis.scale * np.float32(axis.size))
    offset = np.float32(axis.size) / np.float32(2) * (np.float32(1) - adjustment)
    centre = (t.astype(np.float64) + 0.5) / np.float64(axis.scale)
    return np.asarray(np.float64(offset) + centre - 0.5, np.float32)


def _align(t: np.ndarray, axis: _Axis) -> np.ndarray:
    if axis.result == 1:
        return np.zeros_like(t)
    return t * np.float32(axis.size - 1) / np.float32(axis.result - 1)


#: Coordinate in the input of each coordinate in the result, in the float32 arithmetic of ONNX
#: Runtime: rounding decides which neighbour a coordinate half way between two goes to.
_COORDINATES: dict[str, Callable[[np.ndarray, _Axis], np.ndarray]] = {
    "half_pixel": lambda t, axis: (t + _HALF) / axis.scale - _HALF,
    "half_pixel_symmetric": _symmetric,
    "pytorch_half_pixel": lambda t, axis: (
        (t + _HALF) / axis.scale - _HALF if axis.result > 1 else np.zeros_like(t)
    ),
    "tf_half_pixel_for_nn": lambda t, axis: (t + _HALF) / axis.scale,
    "align_corners": _align,
    "asymmetric": lambda t, axis: t / axis.scale,
}


#: A size this near to a whole number is one.
_WHOLE = 1e-4
#: A coordinate this near to half way between two cells is half way, as in ONNX Runtime.
_TIE = 1e-6


def _half_down(t: np.ndarray) -> np.ndarray:
    return np.ceil(t.astype(np.float64) - 0.5 - _TIE)


def _half_up(t: np.ndarray) -> np.ndarray:
    return np.floor(t.astype(np.float64) + 0.5 + _TIE)


_NEAREST: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "round_prefer_floor": _half_down,
    "round_prefer_ceil": _half_up,
    "floor": np.floor,
    "ceil": np.ceil,
}


@register("Resize", "Upsample", integers="moves")
def resize(operation: Operation, net: Builder) -> Signal:
    """``Resize`` and ``Upsample`` of any axes but the batch.

    1. nearest: a `Permute` that repeats and drops elements; all coordinate transformations, all
       ways of rounding. Before opset 11 asymmetric, rounded down (up where it shrinks).
    2. linear: a `Permute` that lays the neighbours of each element of the result side by side,
       and a depthwise `Conv` that weighs them.
    3. Size by scales or by sizes, of named axes, with ``keep_aspect_ratio_policy``.
    4. Refused: cubic, ``tf_crop_and_resize``, antialiasing that would smooth, the batch axis.
    """
    if operation.op_type == "Upsample" and operation.version >= 10:
        raise ModelError("Upsample ended with opset 9", remedy="export with Resize")
    x = operation.signal(0)
    mode = operation.text("mode", "nearest")
    axes = _plan(operation, (net.batch, *x.shape))
    if axes[0].result != net.batch or axes[0].scale != 1:
        raise UnsupportedError(
            "resizes the batch axis: samples of a batch do not meet in a spiking network",
            remedy="scale the batch axis by 1",
        )
    shape = tuple(axis.result for axis in axes[1:])
    check_size(shape, f"resizing an input of shape {x.shape} to {shape}")
    if shape == x.shape and any(axis.scale != 1 for axis in axes):
        raise UnsupportedError(
            f"scales by {[float(axis.scale) for axis in axes]}, which rounds to the size there "
            "was; runtimes disagree whether anything moves",
            remedy="remove this node, or give sizes",
        )
    coordinates = [_coordinates(operation, axis) for axis in axes[1:]]
    if mode == "nearest":
        picked = [
            np.clip(_nearest(operation, t, axis), 0, axis.size - 1).astype(np.int64)
            for t, axis in zip(coordinates, axes[1:], strict=True)
        ]
        return move(net, operation.name, x, elements(x)[np.ix_(*picked)] if picked else elements(x))
    if mode != "linear":
        raise UnsupportedError(
            f"resizes by {mode} interpolation",
            remedy="export with mode nearest or linear",
        )
    operation.refuse_grid()
    if operation.flag("antialias") and any(axis.scale < 1 for axis in axes):
        raise UnsupportedError(
            "smooths while it shrinks (antialias)", remedy="export with antialias=0"
        )
    return _linear(operation, net, x, shape, coordinates)


def _coordinates(operation: Operation, axis: _Axis) -> np.ndarray:
    mode = operation.text(
        "coordinate_transformation_mode", "half_pixel" if operation.version > 10 else "asymmetric"
    )
    if mode == "tf_crop_and_resize":
        raise UnsupportedError(
            "crops a region while it resizes (tf_crop_and_resize)",
            remedy="export a Slice, and a Resize of its result",
        )
    if mode not in _COORDINATES:
        raise ModelError(f"coordinate_transformation_mode {mode!r} does not exist")
    if mode == "align_corners" and abs(float(axis.scale) * axis.size - axis.result) > _WHOLE:
        raise UnsupportedError(
            f"aligns corners while it scales {axis.size} cells by {axis.scale:g}, which is no "
            "whole number of cells; ONNX and its runtimes disagree on what that means",
            remedy="give sizes in place of scales",
        )
    if axis.result == axis.size and axis.scale == 1:
        return np.arange(axis.size, dtype=np.float32)
    return _COORDINATES[mode](np.arange(axis.result, dtype=np.float32), axis)


def _nearest(operation: Operation, t: np.ndarray, axis: _Axis) -> np.ndarray:
    default = "round_prefer_floor"
    if operation.version < 11:
        default = "ceil" if axis.scale < 1 else "floor"
    mode = operation.text("nearest_mode", default)
    if mode not in _NEAREST:
        raise ModelError(f"nearest_mode {mode!r} does not exist")
    return _NEAREST[mode](t)


def _linear(
    operation: Operation, net: Builder, x: Signal, shape: Shape, coordinates: list[np.ndarray]
) -> Signal:
    """The two neighbours along each axis that changes, weighed by their distance."""
    neighbours: list[list[np.ndarray]] = []
    weights: list[list[np.ndarray]] = []
    for size, t in zip(x.shape, coordinates, strict=True):
        t = np.clip(t, _ZERO, np.float32(size - 1))
        low = np.floor(t).astype(np.int64)
        part = t - low.astype(np.float32)
        if part.any():
            neighbours.append([low, np.minimum(low + 1, size - 1)])
            weights.append([np.float32(1) - part, part])
        else:
            neighbours.append([low])
            weights.append([np.ones_like(t)])
    choices = list(product(*(range(len(each)) for each in neighbours)))
    if len(choices) == 1:
        picked = np.ix_(*(each[0] for each in neighbours))
        return move(net, operation.name, x, elements(x)[picked])
    check_size((prod(shape), len(choices)), "laying neighbours side by side")
    indices = np.empty((*shape, len(choices)), np.int64)
    weight = np.empty((*shape, len(choices)), np.float32)
    for number, choice in enumerate(choices):
        near = [each[c] for each, c in zip(neighbours, choice, strict=True)]
        shares = [each[c] for each, c in zip(weights, choice, strict=True)]
        indices[..., number] = elements(x)[np.ix_(*near)]
        share = np.ones((), np.float32)
        for part in np.ix_(*shares):
            share = share * part
        weight[..., number] = share
    name, size = operation.name, prod(shape)
    side = Permute(net.unique(f"{name}/neighbours"), (size, len(choices)), indices.reshape(-1))
    node = Conv(
        net.unique(f"{name}/weighed"),
        weight=weight.reshape(size, 1, len(choices)),
        bias=np.zeros(size, np.float32),
        stride=(1,),
        padding=(0, 0),
        dilation=(1,),
        groups=size,
    )
    weighed = net.add(node, net.add(side, x))
    return net.add(Permute(net.unique(name), shape=shape), weighed)


def _given(operation: Operation, count: int) -> tuple[np.ndarray | None, tuple[int, ...] | None]:
    """Scales or sizes, one of the two, as many as axes are resized."""
    sizes: tuple[int, ...] | None = None
    if operation.op_type == "Upsample" and operation.version < 9:
        attribute = operation.node.attributes.get("scales")
        if attribute is None or attribute.type != ir.AttributeType.FLOATS:
            raise ModelError("has no scales")
        values = np.asarray(attribute.as_floats(), np.float32)
    elif operation.version < 11:
        values = operation.required(1)
    else:
        given = operation.weights(2)
        values = np.zeros(0, np.float32) if given is None else given
        sizes = operation.ints_at(3) or None
    if (values.size > 0) == (sizes is not None):
        raise ModelError("gives both scales and sizes, or neither")
    if sizes is not None:
        if len(sizes) != count or any(not 0 < n <= MAX_ACTIVATION for n in sizes):
            raise ModelError(f"sizes {sizes} are not {count} numbers from 1 to {MAX_ACTIVATION}")
        return None, sizes
    if values.shape != (count,) or not (np.isfinite(values) & (values > 0)).all():
        raise ModelError(f"scales {values.reshape(-1)[:8]} are not {count} positive numbers")
    return values, None


def _plan(operation: Operation, old: Shape) -> list[_Axis]:
    """Each axis, the batch included, with its new size."""
    rank = len(old)
    axes = operation.ints("axes", tuple(range(rank))) or tuple(range(rank))
    if any(not -rank <= axis < rank for axis in axes) or len({a % rank for a in axes}) != len(axes):
        raise ModelError(f"axes {axes} are not different axes of an input of {rank}")
    axes = tuple(axis % rank for axis in axes)
    plan = [_Axis(n, n, np.float32(1)) for n in old]
    scales, sizes = _given(operation, len(axes))
    if scales is not None:
        for axis, scale in zip(axes, scales, strict=True):
            result = float(np.float32(old[axis]) * scale)
            if result > MAX_ACTIVATION:
                raise ModelError(f"scales axis {axis} of {old[axis]} cells by {scale}")
            plan[axis] = _Axis(old[axis], int(result), scale)
        return plan
    assert sizes is not None
    ratios = [np.float32(n) / np.float32(old[axis]) for axis, n in zip(axes, sizes, strict=True)]
    policy = operation.text("keep_aspect_ratio_policy", "stretch")
    if policy not in ("stretch", "not_larger", "not_smaller"):
        raise ModelError(f"keep_aspect_ratio_policy {policy!r} does not exist")
    for i, axis in enumerate(axes):
        scale, result = ratios[i], float(sizes[i])
        if policy != "stretch":
            scale = min(ratios) if policy == "not_larger" else max(ratios)
            result = float(np.floor(scale * np.float32(old[axis]) + _HALF))
        if result > MAX_ACTIVATION:
            raise ModelError(f"scales axis {axis} of {old[axis]} cells by {scale}")
        plan[axis] = _Axis(old[axis], int(result), np.float32(scale))
    return plan
