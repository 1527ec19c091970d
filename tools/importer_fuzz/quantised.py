"""A quantised model in float arithmetic, without the rounding."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import onnx
from onnx import NodeProto, helper, numpy_helper

__all__ = ["is_quantised", "real_valued", "without_rounding"]

_RANGES = {2: (0, 255), 3: (-128, 127), 4: (0, 65535), 5: (-32768, 32767)}
#: Float operator; inputs with their scales and zero points; the bias; the output's scale.
_INTEGER_OPS: dict[str, tuple[str, tuple[int, ...], int, int]] = {
    "QLinearConv": ("Conv", (0, 3), 8, 6),
    "QLinearMatMul": ("MatMul", (0, 3), 99, 6),
    "QLinearAdd": ("Add", (0, 3), 99, 6),
    "QLinearMul": ("Mul", (0, 3), 99, 6),
    "QLinearAveragePool": ("AveragePool", (0,), 99, 3),
    "QLinearGlobalAveragePool": ("GlobalAveragePool", (0,), 99, 3),
}
_CHANNEL_AXIS = {"QLinearConv": 0, "QLinearMatMul": -1}


def is_quantised(model: onnx.ModelProto) -> bool:
    """Whether any node rounds to a grid."""
    functions = (node for function in model.functions for node in function.node)
    return any(_rounds(node) for node in (*model.graph.node, *functions))


def _rounds(node: NodeProto) -> bool:
    return "Quantize" in node.op_type or node.op_type in _INTEGER_OPS


class _Writer:
    """The nodes of the new graph."""

    def __init__(self, model: onnx.ModelProto, unbounded: Collection[str]) -> None:
        self.unbounded = unbounded
        self.graph = model.graph
        self.constants = {tensor.name: tensor for tensor in model.graph.initializer}
        for node in model.graph.node:
            if node.op_type == "Constant" and node.attribute and node.attribute[0].HasField("t"):
                self.constants[node.output[0]] = node.attribute[0].t
        for domain in {node.domain for node in model.graph.node}:
            if domain not in {opset.domain for opset in model.opset_import}:
                model.opset_import.append(helper.make_opsetid(domain, 1))
        inferred = onnx.shape_inference.infer_shapes(model)
        self.kinds: dict[str, int] = {t.name: t.data_type for t in model.graph.initializer}
        self.ranks: dict[str, int] = {t.name: len(t.dims) for t in model.graph.initializer}
        for value in (*inferred.graph.value_info, *inferred.graph.input):
            self.kinds[value.name] = value.type.tensor_type.elem_type
            self.ranks[value.name] = len(value.type.tensor_type.shape.dim)
        self.nodes: list[NodeProto] = []
        self.count = 0

    def put(self, kind: str, reads: list[str], name: str = "", **attributes: object) -> str:
        self.count += 1
        name = name or f"float~{self.count}"
        self.nodes.append(helper.make_node(kind, reads, [name], **attributes))
        return name

    def constant(self, values: np.ndarray) -> str:
        self.count += 1
        name = f"float~{self.count}"
        array = np.asarray(values, np.float32)
        self.graph.initializer.append(numpy_helper.from_array(array, name))
        return name

    def along(self, name: str, axis: int, rank: int) -> str:
        """A scale or zero point, one number or one for each index of `axis`."""
        values = numpy_helper.to_array(self.constants[name]).astype(np.float32)
        if values.size > 1:
            place = axis % rank
            return self.constant(values.reshape([-1 if i == place else 1 for i in range(rank)]))
        return self.constant(values.reshape(()))

    def dequantise(self, node: list[str], axis: int, result: str = "") -> str:
        """``(q - zero) * scale`` of ``[q, scale, zero]``."""
        source, rank = node[0], self.ranks.get(node[0], 4)
        if source in self.constants:
            source = self.constant(numpy_helper.to_array(self.constants[source]))
        if len(node) > 2 and node[2]:
            source = self.put("Sub", [source, self.along(node[2], axis, rank)])
        return self.put("Mul", [source, self.along(node[1], axis, rank)], result)

    def quantise(self, source: str, node: list[str], axis: int, result: str) -> None:
        """``clip(x / scale + zero)`` with ``[scale, zero]``; not clipped if `unbounded`."""
        rank = self.ranks.get(source, 4)
        zero = node[1] if len(node) > 1 else ""
        low, high = _RANGES[self.constants[zero].data_type if zero else self.kinds.get(result, 2)]
        value = self.put("Div", [source, self.along(node[0], axis, rank)])
        if zero:
            value = self.put("Add", [value, self.along(zero, axis, rank)])
        if result in self.unbounded:
            self.put("Identity", [value], result)
        else:
            bounds = [self.constant(np.asarray(n)) for n in (low, high)]
            self.put("Clip", [value, *bounds], result)

    def integer_op(self, node: NodeProto) -> None:
        kind, starts, bias, out = _INTEGER_OPS[node.op_type]
        axis = _CHANNEL_AXIS.get(node.op_type, 1)
        reads = [self.dequantise(list(node.input[i : i + 3]), axis if i else 1) for i in starts]
        if bias < len(node.input) and node.input[bias]:
            values = numpy_helper.to_array(self.constants[node.input[bias]]).astype(np.float64)
            for scale in (node.input[1], node.input[4]):
                values = values * numpy_helper.to_array(self.constants[scale]).reshape(-1)
            reads.append(self.constant(values))
        real = self.put(kind, reads)
        kept = [a for a in node.attribute if a.name != "channels_last"]
        self.nodes[-1].attribute.extend(kept)
        self.quantise(real, list(node.input[out : out + 2]), 1, node.output[0])


def real_valued(model: onnx.ModelProto, end: str) -> tuple[onnx.ModelProto, str]:
    """A value and what it stands for: integers on a grid are dequantised, as the Network's are.

    Returns the model, with one node more if that is needed, and the name of the real value.
    """
    producers = {name: node for node in model.graph.node for name in node.output}
    name, seen = end, set()
    while name in producers and name not in seen:
        seen.add(name)
        node = producers[name]
        where = (
            1 if node.op_type == "QuantizeLinear" else _INTEGER_OPS.get(node.op_type, (0,) * 4)[3]
        )
        if where:
            copy = onnx.ModelProto()
            copy.CopyFrom(model)
            reads = [end, *node.input[where : where + 2]]
            copy.graph.node.append(helper.make_node("DequantizeLinear", reads, [f"{end}~real"]))
            return copy, f"{end}~real"
        if node.op_type == "DequantizeLinear" or not node.input:
            break
        name = node.input[0]
    return model, end


def without_rounding(
    model: onnx.ModelProto, unbounded: Collection[str] = ()
) -> onnx.ModelProto | None:
    """The model with its quantisers spelled out in float32 arithmetic that does not round.

    1. QuantizeLinear: ``clip(x / scale + zero, low, high)``; DequantizeLinear the other way.
    2. QLinearConv, QLinearMatMul and ONNX Runtime's further ones: the float operator between both.
    3. None where a scale or zero point is no initialiser, the grid has another type, or a function
       holds a quantiser.

    Parameters
    ----------
    unbounded
        Results of quantisers that do not clip.
    """
    if any(_rounds(node) for function in model.functions for node in function.node):
        return None
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    try:
        writer = _Writer(copy, unbounded)
        for node in model.graph.node:
            axis = next((a.i for a in node.attribute if a.name == "axis"), 1)
            reads = list(node.input)
            if node.op_type == "QuantizeLinear":
                writer.quantise(reads[0], reads[1:], axis, node.output[0])
            elif node.op_type == "DequantizeLinear":
                writer.dequantise(reads, axis, node.output[0])
            elif node.op_type in _INTEGER_OPS:
                writer.integer_op(node)
            else:
                writer.nodes.append(node)
    except (KeyError, IndexError, ValueError, onnx.shape_inference.InferenceError):
        return None
    del copy.graph.node[:]
    copy.graph.node.extend(writer.nodes)
    copy.ir_version = max(copy.ir_version, 4)  # before, initialisers had to be inputs as well
    del copy.graph.value_info[:]
    return copy
