"""What computing a constant node costs, known before it is computed."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import NamedTuple

import numpy as np
import onnx_ir as ir

__all__ = ["BOUNDED", "EVALUATED", "Price", "price"]

_CHEAP = """
    Abs Acos Acosh Add And ArgMax ArgMin Asin Asinh Atan Atanh BatchNormalization BitShift
    BitwiseAnd BitwiseNot BitwiseOr BitwiseXor BlackmanWindow Cast CastLike Ceil Celu
    CenterCropPad Clip Concat ConstantOfShape Cos Cosh CumProd CumSum DepthToSpace Div Dropout
    DynamicQuantizeLinear Elu Equal Erf Exp Expand EyeLike Flatten Floor Gather GatherElements
    GatherND Gelu GlobalAveragePool GlobalLpPool GlobalMaxPool Greater GreaterOrEqual
    GroupNormalization HammingWindow HannWindow HardSigmoid HardSwish Hardmax Identity
    InstanceNormalization IsInf IsNaN LayerNormalization LeakyRelu Less LessOrEqual Log
    LogSoftmax LpNormalization Max Mean MeanVarianceNormalization MelWeightMatrix Min Mish Mod
    Mul Neg Not OneHot Or PRelu Pad Pow RMSNormalization Range Reciprocal ReduceL1 ReduceL2
    ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum
    ReduceSumSquare Relu Reshape Resize ReverseSequence Round Scatter ScatterElements ScatterND
    Selu Shape Shrink Sigmoid Sign Sin Sinh Size Slice Softmax Softplus Softsign SpaceToDepth
    Split Sqrt Squeeze Sub Sum Swish Tan Tanh ThresholdedRelu Tile TopK Transpose Trilu
    Unsqueeze Upsample Where Xor
"""
#: The size of their results depends on values; it is bounded by that of their inputs.
BOUNDED = frozenset({"Compress", "NonZero", "Unique"})
_PRICED = frozenset(
    [
        "AveragePool",
        "Conv",
        "ConvTranspose",
        "Det",
        "Einsum",
        "Gemm",
        "LRN",
        "LpPool",
        "MatMul",
        "MaxPool",
    ]
)
#: Operators of ONNX's own domain that are computed where all their inputs are constants.
EVALUATED = frozenset(_CHEAP.split()) | BOUNDED | _PRICED

Shape = tuple[int, ...]


class Price(NamedTuple):
    """Numbers held at a time (read, written and between), and multiplications."""

    elements: int
    work: int


def price(
    node: ir.Node, inputs: Sequence[np.ndarray | None], outputs: Sequence[Shape]
) -> Price | None:
    """The price of a node, from the shapes alone; None where it cannot be said.

    Parameters
    ----------
    inputs
        Values of the inputs, None where omitted.
    outputs
        Shapes of the results.
    """
    shapes = [None if values is None else values.shape for values in inputs]
    read = sum(prod(shape) for shape in shapes if shape is not None)
    written = sum(prod(shape) for shape in outputs)
    plain = Price(read + written, read + written)
    if node.op_type not in _PRICED:
        return plain
    try:
        between, work = _heavy(node, shapes, written)
    except (IndexError, KeyError, TypeError, ValueError):  # a malformed node
        return None
    return Price(plain.elements + between, plain.work + work)


def _heavy(node: ir.Node, shapes: Sequence[Shape | None], written: int) -> tuple[int, int]:
    """Numbers held between, and multiplications, of an operator with an inner loop."""
    first = shapes[0] or ()
    if node.op_type == "MatMul":
        return 0, written * (first[-1] if first else 1)
    if node.op_type == "Gemm":
        turned = node.attributes.get("transA")
        return 0, written * (first[0] if turned is not None and turned.value else first[1])
    if node.op_type == "Det":
        return sum(first), prod(first) * first[-1]
    if node.op_type == "LRN":
        return 0, written * min(int(node.attributes["size"].value), first[1])
    if node.op_type == "Einsum":
        return _einsum(node.attributes["equation"].as_string(), shapes)
    if node.op_type in ("Conv", "ConvTranspose"):
        kernel = shapes[1] or ()
        across = prod(kernel[1:])
        if node.op_type == "Conv":  # its columns: each output cell with all that it reads
            columns = written // max(kernel[0], 1) * across
            return columns, written * across
        columns = prod(first) // max(first[1], 1) * across
        return columns, prod(first) * across
    window = prod(int(n) for n in node.attributes["kernel_shape"].as_ints())
    return 0, written * min(window, max(prod(first), 1))


def _einsum(equation: str, shapes: Sequence[Shape | None]) -> tuple[int, int]:
    """Products from left to right, each reduced to the indices that are still needed."""
    left, arrow, right = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    sizes: dict[str, int] = {}
    named = []
    for term, shape in zip(terms, shapes, strict=True):
        if shape is None:
            raise ValueError(equation)
        head, dots, tail = term.partition("...")
        missing = len(shape) - len(head) - len(tail)
        names = [*head, *(f".{n}" for n in range(missing, 0, -1) if dots), *tail]
        for name, size in zip(names, shape, strict=True):
            sizes[name] = max(sizes.get(name, 1), size)
        named.append(set(names))
    broadcast = {name for name in sizes if name.startswith(".")}
    # without an arrow every index may be kept
    kept = set(right.replace("...", "")) | broadcast if arrow else set(sizes)
    held, work, current = 0, 0, named[0]
    for index, indices in enumerate(named[1:], 1):
        met = current | indices
        work += prod(sizes[name] for name in met)
        current = met & kept.union(*named[index + 1 :])
        held += prod(sizes[name] for name in current)
    return held, work + prod(sizes[name] for name in named[0])
