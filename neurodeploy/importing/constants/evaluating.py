"""Nodes that depend on initialisers alone, computed by ONNX Runtime while importing.

Weights are often the result of a formula: low-rank sums, normalised, clamped or gated weights.
What such a node computes does not depend on the sample, so it is a weight like any other.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx
import onnx.shape_inference
import onnx_ir as ir
import onnxruntime as ort
from onnx import helper, numpy_helper

from neurodeploy.errors import NeuroDeployError
from neurodeploy.importing.building.operation import Operation
from neurodeploy.importing.constants.initialisers import lift
from neurodeploy.importing.constants.pricing import BOUNDED, EVALUATED, Price, price
from neurodeploy.importing.constants.quantizers import QUANTISERS, on_constants
from neurodeploy.importing.limits import MAX_FOLDED, MAX_WORK
from neurodeploy.importing.reading.schemas import check_schema

__all__ = ["evaluate_constants"]

#: Inputs up to this size are shown to shape inference: shapes, axes, pads, scales.
_SHOWN = 64
#: IR version of the models of one node.
_IR_VERSION = 10


def evaluate_constants(
    graph: ir.Graph,
    version: int,
    spend: Callable[[int], bool],
    unfolded: dict[str, str],
) -> int:
    """Replace each node by its values, where all its inputs are constants.

    1. Operators of ONNX's own domain that give the same result each time (`EVALUATED`); quantisers
       by our own arithmetic. Not: random numbers, control flow, sequences, text, other domains.
    2. Only if the shapes of its results are known before, and elements and multiplications are
       within the limits.
    3. A node that ONNX Runtime refuses stays, and is judged as a node.

    Parameters
    ----------
    graph
        In topological order; changed in place.
    version
        Operator set version.
    spend
        Whether so many elements may still be computed.
    unfolded
        Receives the reason of each node, by name, that was too large.

    Returns
    -------
    int
        How many were replaced.
    """
    count, work = 0, 0
    for node in tuple(graph):
        if not _constant(node):
            continue
        if node.op_type in QUANTISERS:
            values = _quantised(node, version, spend)
        else:
            proto = _Single(node, version)
            if not proto.sound():
                continue
            found = proto.price()
            if found is None:
                unfolded[node.name or ""] = "its size is not known before it is computed"
                continue
            work += found.work
            if found.elements > MAX_FOLDED or work > MAX_WORK or not spend(found.elements):
                work -= found.work
                unfolded[node.name or ""] = (
                    f"it needs {found.elements:,} numbers and {found.work:,} multiplications, "
                    f"and {MAX_FOLDED:,} and {MAX_WORK:,} a model are computed"
                )
                continue
            values = proto.run()
        if values is None:
            continue
        lift(graph, node, *values)
        count += 1
    return count


def _constant(node: ir.Node) -> bool:
    """Whether a node may be computed, as far as its operator and its neighbours go."""
    if node.domain not in ("", "ai.onnx") or node.op_type not in EVALUATED | QUANTISERS:
        return False
    if any(value.is_graph_output() for value in node.outputs):
        return False
    inputs = [value for value in node.inputs if value is not None]
    return bool(inputs) and all(value.const_value is not None for value in inputs)


def _quantised(
    node: ir.Node, version: int, spend: Callable[[int], bool]
) -> list[np.ndarray] | None:
    operation = Operation(node, version, {}, lambda value: False)
    try:
        first = operation.constant(0)
        return [on_constants(operation)] if first is not None and spend(2 * first.size) else None
    except NeuroDeployError:
        return None


class _Single:
    """A model of one node, whose constants are its inputs.

    Parameters
    ----------
    node
        All its inputs are constants.
    version
        Operator set version.
    """

    def __init__(self, node: ir.Node, version: int) -> None:
        self.node, self.version = node, version
        self.feeds: dict[str, np.ndarray] = {}
        names: dict[ir.Value, str] = {}
        for value in node.inputs:
            if value is not None and value not in names:
                names[value] = f"i{len(names)}"
                assert value.const_value is not None
                self.feeds[names[value]] = np.asarray(value.const_value.numpy())
        self.inputs = ["" if value is None else names[value] for value in node.inputs]
        self.outputs = [f"o{index}" for index in range(len(node.outputs))]

    @property
    def arrays(self) -> list[np.ndarray | None]:
        """The node's inputs in order."""
        return [self.feeds.get(name) for name in self.inputs]

    def sound(self) -> bool:
        """Whether ONNX Runtime may be shown it: of plain numbers, well formed, not fatal."""
        try:
            check_schema(self.node, self.version)
        except NeuroDeployError:
            return False
        if any(values.dtype.kind not in "fiub" for values in self.feeds.values()):
            return False
        for attribute in self.node.attributes.values():
            if attribute.is_ref() or attribute.type not in _PLAIN:
                return False
            if attribute.type in (ir.AttributeType.INT, ir.AttributeType.INTS):
                numbers = np.ravel(np.asarray(attribute.value, dtype=object))
                if any(abs(int(number)) > MAX_FOLDED for number in numbers):
                    return False
        kind, arrays = self.node.op_type, self.arrays
        if kind == "Dropout" and len(arrays) > 2 and arrays[2] is not None and arrays[2].any():
            return False  # draws random numbers
        second = arrays[1] if len(arrays) > 1 else None
        if second is None or kind not in ("Div", "Mod", "Pow") or second.dtype.kind == "f":
            return True
        # An integer division by 0, or of the lowest number by -1, ends the process; integer powers
        # overflow as the processor likes.
        return kind != "Pow" and bool(np.all(second > 0))

    def _model(self, shown: bool) -> onnx.ModelProto:
        node = ir.serde.serialize_node(self.node)
        del node.input[:], node.output[:]
        node.input.extend(self.inputs)
        node.output.extend(self.outputs)
        node.domain = ""
        inputs, constants = [], []
        for name, values in self.feeds.items():
            if shown and values.size <= _SHOWN:
                constants.append(numpy_helper.from_array(values, name))
                continue
            kind = helper.np_dtype_to_tensor_dtype(values.dtype)
            inputs.append(helper.make_tensor_value_info(name, kind, values.shape))
        outputs = [onnx.ValueInfoProto(name=name) for name in self.outputs]
        graph = helper.make_graph([node], "constant", inputs, outputs, constants)
        opset = [helper.make_opsetid("", self.version)]
        return helper.make_model(graph, ir_version=_IR_VERSION, opset_imports=opset)

    def price(self) -> Price | None:
        """What it costs; None if the shape of a result is not known beforehand."""
        arrays = self.arrays
        read = sum(values.size for values in self.feeds.values())
        if self.node.op_type in BOUNDED:  # results depend on the values, but are never larger
            rank = max(values.ndim for values in self.feeds.values())
            return Price(read + (4 + rank) * read, read)
        try:
            inferred = onnx.shape_inference.infer_shapes(self._model(True))
        except Exception:  # a library on a hostile node
            return None
        shapes: list[tuple[int, ...]] = []
        for value in inferred.graph.output:
            kind = value.type.tensor_type
            if not kind.HasField("shape"):
                return None
            if not all(dim.HasField("dim_value") for dim in kind.shape.dim):
                return None
            shapes.append(tuple(dim.dim_value for dim in kind.shape.dim))
        return price(self.node, arrays, shapes)

    def run(self) -> list[np.ndarray] | None:
        """Values of the outputs; None if it cannot be run."""
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.enable_cpu_mem_arena = False
        options.log_severity_level = 4
        try:
            session = ort.InferenceSession(
                self._model(False).SerializeToString(), options, ["CPUExecutionProvider"]
            )
            found = session.run(None, self.feeds)
        except Exception:  # whatever the runtime raises on a hostile node: it stays a node
            return None
        return found if all(isinstance(values, np.ndarray) for values in found) else None


_PLAIN = frozenset(
    {
        ir.AttributeType.FLOAT,
        ir.AttributeType.FLOATS,
        ir.AttributeType.INT,
        ir.AttributeType.INTS,
        ir.AttributeType.STRING,
        ir.AttributeType.TENSOR,
    }
)
