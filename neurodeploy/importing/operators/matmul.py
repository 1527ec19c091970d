"""Gemm and MatMul."""

from __future__ import annotations

from math import prod

import numpy as np

from neurodeploy.errors import ModelError, UnsupportedError
from neurodeploy.importing.building.affine import per_sample
from neurodeploy.importing.building.builder import Builder, Signal
from neurodeploy.importing.building.operation import Operation, float32
from neurodeploy.importing.building.permuting import elements, move, widen
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
    if operation.flag("transA"):
        raise UnsupportedError("transA turns the batch axis", remedy="export with transA=0")
    weight, alpha = operation.required(1), operation.number("alpha", 1.0)
    if alpha != 1:
        weight = weight.astype(np.float64) * alpha
    if weight.ndim != 2 or len(x.shape) != 1:
        raise ModelError(f"weight {weight.shape} does not fit an input of shape {x.shape}")
    if not operation.flag("transB"):
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
    """``MatMul`` of an activation and a constant.

    1. ``x (K) @ W (K, N)``: a `Dense`.
    2. ``x (..., M, K) @ W (..., K, N)``: a `Conv` of kernel 1 between two transposes, the same for
       every row; axes along which the matrices differ become groups.
    3. ``W (..., M, K) @ x (..., K, N)``: likewise, over the columns.
    4. A vector is a matrix of one column (on the left: of one row), whose axis is dropped.
    5. Refused: two activations, a product along the batch axis, matrices that differ by sample.
    """
    if operation.is_signal(0) and operation.is_signal(1):
        raise UnsupportedError(
            "multiplies two activations; synapses weigh one with a constant",
            remedy="retrain without attention or bilinear layers",
        )
    left = operation.is_signal(1)
    x = operation.signal(1 if left else 0)
    weight = operation.required(0 if left else 1)
    if not weight.ndim:
        raise ModelError("its constant is a number, not a matrix")
    vector = weight.ndim == 1
    if vector:
        weight = weight[None] if left else weight[:, None]
    if left:
        weight = weight.swapaxes(-1, -2)  # from here on (..., K, result)
    stack = _stack(weight, x, net.batch)
    if len(x.shape) < (2 if left else 1):
        raise UnsupportedError(
            f"multiplies along the batch axis of an activation of shape {x.shape}",
            remedy="export the layer as Gemm, or as MatMul with the constant on the right",
        )
    if len(x.shape) > 1:
        try:
            lead = np.broadcast_shapes(x.shape[:-2], stack.shape[:-2])
        except ValueError:
            raise ModelError(
                f"weight {weight.shape} does not fit an input of shape {x.shape}"
            ) from None
        x = widen(net, f"{operation.name}/wide", x, (*lead, *x.shape[-2:]))
    if x.shape[-2 if left else -1] != stack.shape[-2]:
        raise ModelError(f"weight {weight.shape} does not fit an input of shape {x.shape}")
    name = f"{operation.name}/matrix" if vector else operation.name
    if len(x.shape) == 1:
        matrix = np.ascontiguousarray(stack.T)
        node = Dense(net.unique(name), weight=matrix, bias=np.zeros(len(matrix), np.float32))
        result = net.add(node, x)
    else:
        result = _by_group(net, name, x, stack, left)
    if not vector:
        return result
    shape = result.shape[:-2] + result.shape[-1:] if left else result.shape[:-1]
    return net.add(Permute(net.unique(operation.name), shape=shape), result)


def _stack(weight: np.ndarray, x: Signal, batch: int) -> np.ndarray:
    """The matrices as each sample meets them, with as many axes as `x` (two, if `x` has one)."""
    if weight.ndim > len(x.shape) + 1:
        raise UnsupportedError(
            f"its constant of shape {weight.shape} has more axes than its input",
            remedy="export with a constant of fewer axes",
        )
    if weight.ndim == len(x.shape) + 1 and weight.ndim > 2:
        if weight.shape[0] not in (1, batch) or (weight != weight[:1]).any():
            raise UnsupportedError(
                f"its constant of shape {weight.shape} differs between the samples of a batch",
                remedy="export with matrices that are the same for all samples",
            )
        weight = weight[0]
    return weight.reshape((1,) * (len(x.shape) - weight.ndim) + weight.shape)


def _by_group(net: Builder, name: str, x: Signal, stack: np.ndarray, left: bool) -> Signal:
    """Each position along the shared axes through the matrix of its group.

    Channels of the `Conv` are (group, K), its one spatial axis all other positions.
    """
    lead = range(len(x.shape) - 2)
    grouped = [axis for axis in lead if stack.shape[axis] > 1]
    shared = [axis for axis in lead if stack.shape[axis] == 1]
    inner, kept = (-2, -1) if left else (-1, -2)
    last = len(x.shape)
    order = [*grouped, last + inner, *shared, last + kept]
    inputs, outputs = stack.shape[-2:]
    groups = prod(stack.shape[:-2])
    positions = prod(x.shape[axis] for axis in shared) * x.shape[kept]
    turned = elements(x).transpose(order)
    source = move(net, f"{name}/turned", x, turned.reshape(groups * inputs, positions))
    weight = stack.reshape(groups, inputs, outputs).transpose(0, 2, 1).reshape(-1, inputs, 1)
    node = Conv(
        net.unique(f"{name}/product"),
        weight=np.ascontiguousarray(weight),
        bias=np.zeros(groups * outputs, np.float32),
        stride=(1,),
        padding=(0, 0),
        dilation=(1,),
        groups=groups,
    )
    product = net.add(node, source)
    split = [*turned.shape]
    split[len(grouped)] = outputs
    back = elements(product).reshape(split).transpose(np.argsort(order))
    return move(net, name, product, back)
