"""Gemm and MatMul."""

from __future__ import annotations

import numpy as np

from neurodeploy.errors import ModelError, UnsupportedError
from neurodeploy.importing.affine import per_sample
from neurodeploy.importing.builder import Builder, Signal
from neurodeploy.importing.operation import Operation, float32
from neurodeploy.importing.registry import register
from neurodeploy.network import Conv, Dense, Permute

__all__ = ["gemm", "matmul"]


@register("Gemm")
def gemm(operation: Operation, net: Builder) -> Signal:
    """``Gemm``: ``alpha * x @ B + beta * C``.

    1. alpha and beta are multiplied into weight and bias; transB; C omitted, scalar, a row.
    2. Refused: transA, a weight or bias that is not constant, a bias that differs by sample.
    """
    x = operation.signal(0)
    if operation.integer("transA", 0):
        raise UnsupportedError("transA turns the batch axis", remedy="export with transA=0")
    weight = operation.required(1).astype(np.float64) * operation.number("alpha", 1.0)
    if weight.ndim != 2 or len(x.shape) != 1:
        raise ModelError(f"weight {weight.shape} does not fit an input of shape {x.shape}")
    if not operation.integer("transB", 0):
        weight = weight.T
    size = weight.shape[0]
    bias: np.ndarray = np.zeros(size)
    constant = operation.weights(2)
    if constant is not None:
        row = per_sample(constant, (size,), net.batch)
        bias = np.broadcast_to(row * operation.number("beta", 1.0), (size,))
    node = Dense(
        net.unique(operation.name),
        weight=float32(weight, "the weight times alpha"),
        bias=float32(bias, "the bias times beta").copy(),
    )
    return net.add(node, x)


@register("MatMul")
def matmul(operation: Operation, net: Builder) -> Signal:
    """``MatMul`` of an activation and a constant matrix.

    1. ``x (K) @ W (K, N)``: a `Dense`.
    2. ``x (..., K) @ W (K, N)``: the same for every position, a `Conv` of kernel 1 between two
       transposes.
    3. ``W (M, K) @ x (K, N)``: a `Conv` of kernel 1 over the columns.
    4. Refused: two activations, stacks of different matrices.
    """
    if operation.is_signal(0) and operation.is_signal(1):
        raise UnsupportedError(
            "multiplies two activations; synapses weigh one with a constant",
            remedy="retrain without attention or bilinear layers",
        )
    left = operation.is_signal(1)
    x = operation.signal(1 if left else 0)
    weight = operation.required(0 if left else 1)
    if weight.ndim < 2 or any(n != 1 for n in weight.shape[:-2]):
        raise UnsupportedError(f"its constant of shape {weight.shape} is not one matrix")
    matrix = weight.reshape(-1, weight.shape[-1])
    if weight.ndim > len(x.shape) + 1:
        raise UnsupportedError(f"its constant of shape {weight.shape} has more axes than its input")
    if left:
        return _columns(operation, net, x, matrix)
    if len(x.shape) == 0 or x.shape[-1] != matrix.shape[0]:
        raise ModelError(f"weight {matrix.shape} does not fit an input of shape {x.shape}")
    size = matrix.shape[1]
    weight = np.ascontiguousarray(matrix.T)
    bias = np.zeros(size, np.float32)
    if len(x.shape) == 1:
        return net.add(Dense(net.unique(operation.name), weight=weight, bias=bias), x)
    rows = int(np.prod(x.shape[:-1]))
    name = operation.name
    order = np.arange(rows * x.shape[-1]).reshape(rows, -1).T.reshape(-1)
    turned = net.add(
        Permute(net.unique(f"{name}/turned"), shape=(x.shape[-1], rows), indices=order), x
    )
    product = net.add(_pointwise(net.unique(f"{name}/product"), weight, bias), turned)
    back = np.arange(rows * size).reshape(size, rows).T.reshape(-1)
    shape = (*x.shape[:-1], size)
    return net.add(Permute(net.unique(name), shape=shape, indices=back), product)


def _columns(operation: Operation, net: Builder, x: Signal, matrix: np.ndarray) -> Signal:
    if len(x.shape) != 2:
        raise UnsupportedError(
            f"multiplies a constant from the left onto an activation of shape {x.shape}",
            remedy="export the layer as Gemm, or as MatMul with the constant on the right",
        )
    if x.shape[0] != matrix.shape[1]:
        raise ModelError(f"weight {matrix.shape} does not fit an input of shape {x.shape}")
    bias = np.zeros(matrix.shape[0], np.float32)
    return net.add(_pointwise(net.unique(operation.name), matrix, bias), x)


def _pointwise(name: str, weight: np.ndarray, bias: np.ndarray) -> Conv:
    return Conv(
        name, weight=weight[:, :, None], bias=bias, stride=(1,), padding=(0, 0), dilation=(1,)
    )
