"""Operators on integers with their scales as inputs: QLinearConv, QLinearMatMul, and those that
ONNX Runtime adds for its own quantiser."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from neurodeploy.errors import ModelError, UnsupportedError
from neurodeploy.importing.building.builder import Builder, Signal
from neurodeploy.importing.building.operation import Operation, float32
from neurodeploy.importing.operators.arithmetic import arithmetic
from neurodeploy.importing.operators.convolution import convolution
from neurodeploy.importing.operators.joining import concat
from neurodeploy.importing.operators.matmul import gemm, matmul
from neurodeploy.importing.operators.piecewise_linear import leaky
from neurodeploy.importing.operators.pooling import global_pool, pool
from neurodeploy.importing.operators.quantization import requantise
from neurodeploy.importing.quantized.float_operator import Input, RealOperation, real_signal
from neurodeploy.importing.quantized.scales import dequantise, positive, read_grid, required
from neurodeploy.importing.registry import register

__all__ = [
    "qgemm",
    "qlinear_average_pool",
    "qlinear_binary",
    "qlinear_concat",
    "qlinear_conv",
    "qlinear_leaky",
    "qlinear_matmul",
]


def _real(operation: Operation, net: Builder, index: int, axis: int | None = None) -> Input:
    """An input in real values; its scale and its zero point follow it, along `axis` of a
    constant."""
    if not operation.is_signal(index):
        return index, dequantise(operation, index, axis)
    grid = operation.signal(index).grid
    made = None if grid is None else grid.dtype
    grid = read_grid(operation, index + 1, index + 2, made)
    return index, real_signal(operation, net, index, grid)


def _bias(operation: Operation, index: int, unit: np.ndarray) -> Input:
    """A bias of int32, which counts `unit` along its last axis."""
    if operation.value(index) is None:
        return None
    values = required(operation, index)
    if values.dtype != np.int32 or (unit.size > 1 and values.shape[-1:] != unit.shape):
        raise ModelError(
            f"its bias (input {index}) holds {values.dtype} of shape {values.shape}",
            remedy="quantise the model again",
        )
    return index, float32(values * unit, f"the dequantised input {index}")


def _unit(operation: Operation, left: int, right: int) -> np.ndarray:
    """Product of two scales: what one of a sum of products of integers stands for."""
    product = positive(operation, left) * positive(operation, right)
    return product.reshape(()) if product.size == 1 else product


def _convert(
    operation: Operation,
    net: Builder,
    handler: Callable[[Operation, Builder], Signal],
    op_type: str,
    inputs: Sequence[Input],
    scale: int,
) -> Signal:
    """The float operator on real values, and the quantiser of its result, whose scale and zero
    point are inputs `scale` and the next."""
    if operation.flag("channels_last"):
        raise UnsupportedError("has its channels last", remedy="export with channels first")
    result = handler(RealOperation(operation, op_type, inputs), net)
    grid = read_grid(operation, scale, scale + 1)
    alone = all(
        operation.exclusive(given[0])
        for given in inputs
        if given is not None and isinstance(given[1], Signal) and given[1].name == result.name
    )
    signal, note = requantise(net, f"{operation.name}/quantised", result, grid, alone)
    operation.note = f"{op_type} of real values; {note}"
    return signal


@register("QLinearConv", integers="reads")
def qlinear_conv(operation: Operation, net: Builder) -> Signal:
    """``QLinearConv``: a ``Conv`` of dequantised weights, one scale in all or one a channel."""
    inputs = [_real(operation, net, 0), _real(operation, net, 3, axis=0)]
    inputs.append(_bias(operation, 8, _unit(operation, 1, 4)))
    return _convert(operation, net, convolution, "Conv", inputs, 6)


@register("QLinearMatMul", integers="reads")
def qlinear_matmul(operation: Operation, net: Builder) -> Signal:
    """``QLinearMatMul``: a ``MatMul``; a constant on the right may have a scale a column, one on
    the left a scale a row."""
    inputs = [_real(operation, net, 0, axis=-2), _real(operation, net, 3, axis=-1)]
    return _convert(operation, net, matmul, "MatMul", inputs, 6)


@register("com.microsoft::QGemm", integers="reads")
def qgemm(operation: Operation, net: Builder) -> Signal:
    """``QGemm``: a ``Gemm``; without an output scale its result is a float."""
    axis = 0 if operation.flag("transB") else 1
    unit = _unit(operation, 1, 4) * operation.number("alpha", 1.0)
    inputs = [_real(operation, net, 0), _real(operation, net, 3, axis), _bias(operation, 6, unit)]
    if operation.value(7) is None:
        return gemm(RealOperation(operation, "Gemm", inputs), net)
    return _convert(operation, net, gemm, "Gemm", inputs, 7)


@register("com.microsoft::QLinearAdd", "com.microsoft::QLinearMul", integers="reads")
def qlinear_binary(operation: Operation, net: Builder) -> Signal:
    """``QLinearAdd`` and ``QLinearMul``: as ``Add`` and ``Mul``."""
    inputs = [_real(operation, net, 0), _real(operation, net, 3)]
    kind = operation.op_type.removeprefix("QLinear")
    return _convert(operation, net, arithmetic, kind, inputs, 6)


@register(
    "com.microsoft::QLinearAveragePool",
    "com.microsoft::QLinearGlobalAveragePool",
    integers="reads",
)
def qlinear_average_pool(operation: Operation, net: Builder) -> Signal:
    """``QLinearAveragePool`` and ``QLinearGlobalAveragePool``, channels first."""
    kind = operation.op_type.removeprefix("QLinear")
    handler = pool if kind == "AveragePool" else global_pool
    return _convert(operation, net, handler, kind, [_real(operation, net, 0)], 3)


@register("com.microsoft::QLinearLeakyRelu", integers="reads")
def qlinear_leaky(operation: Operation, net: Builder) -> Signal:
    """``QLinearLeakyRelu``: as ``LeakyRelu``."""
    return _convert(operation, net, leaky, "LeakyRelu", [_real(operation, net, 0)], 3)


@register("com.microsoft::QLinearConcat", integers="reads")
def qlinear_concat(operation: Operation, net: Builder) -> Signal:
    """``QLinearConcat``: a ``Concat`` of inputs that each have their own scale."""
    inputs = [_real(operation, net, index) for index in range(2, operation.count, 3)]
    return _convert(operation, net, concat, "Concat", inputs, 0)
