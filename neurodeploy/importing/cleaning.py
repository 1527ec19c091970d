"""Generic clean-up by onnx-ir and onnxscript: inline, fold constants, drop the unused.

What is ours here is only the fence around them: how much a file may make them do.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import prod

import numpy as np
import onnx
import onnx_ir as ir
import onnx_ir.passes.common as common
from onnxscript.optimizer import fold_constants_ir

from neurodeploy.errors import ModelError
from neurodeploy.importing.constants.constant_of_shape import lift_filled
from neurodeploy.importing.constants.evaluating import evaluate_constants
from neurodeploy.importing.constants.quantizers import QUANTISERS
from neurodeploy.importing.limits import MAX_ACTIVATION, MAX_FOLDED, MAX_NODES
from neurodeploy.importing.reading.classical_weights import state_shapes
from neurodeploy.importing.reading.opsets import modernise, version
from neurodeploy.importing.reading.tensors import all_nodes

__all__ = ["Cleaned", "clean"]

_FOLDABLE = """
    Abs Add And Cast CastLike Ceil Concat ConstantOfShape Div Equal Exp Expand Flatten Floor Gather
    GatherElements GatherND Greater GreaterOrEqual Identity Less LessOrEqual Max Min Mod Mul Neg Not
    Or Pad Pow Range Reciprocal ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum Relu Reshape
    Round Shape Sign Size Slice Split Sqrt Squeeze Sub Sum Tile Transpose Unsqueeze Where
"""
#: Constant operators that may be computed while importing: shape arithmetic, weights that were
#: reshaped, scaled or cast. What is not here stays and is judged as a node.
FOLDABLE = frozenset(_FOLDABLE.split())
#: onnxscript unrolls these into one node an element, whatever the limits.
UNROLLED = frozenset({"SplitToSequence"})


@dataclass(frozen=True)
class Cleaned:
    """A model ready to be walked.

    Attributes
    ----------
    model
        Functions inlined, constants folded, nodes in topological order.
    original
        Name and operator of each node of the file's main graph, in its order.
    functions
        Operators that the file defines itself, spelled as in `original`.
    batch
        Size of the batch axis in `model`: the file's, or 1 where the file leaves it open.
    opset
        Version of ONNX's own operators in `model`: the file's, or 7 where that is older.
    unfolded
        Why a node that depends on constants alone was not computed, by its name.
    """

    model: ir.Model
    original: tuple[tuple[str, str], ...]
    functions: frozenset[str]
    batch: int
    opset: int
    unfolded: dict[str, str] = field(default_factory=dict)


@contextmanager
def _quiet() -> Iterator[None]:
    """What is not folded, or not finite, is said by the findings, not by libraries."""
    loggers = [logging.getLogger(name) for name in ("onnxscript", "onnx_ir")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        with np.errstate(all="ignore"):
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _name_nodes(graph: onnx.GraphProto) -> tuple[tuple[str, str], ...]:
    """Give every node a name of its own, so that findings can tell nodes apart."""
    taken = {node.name for node in graph.node}
    seen: set[str] = set()
    for index, node in enumerate(graph.node):
        name = node.name or f"{node.op_type}_{index}"
        if not node.name or name in seen:
            stem, count = name, 1
            while name in taken:
                count += 1
                name = f"{stem}_{count}"
            taken.add(name)
        seen.add(name)
        node.name = name
    return tuple(
        (node.name, f"{node.domain}::{node.op_type}" if node.domain else node.op_type)
        for node in graph.node
    )


def _check_structure(graph: onnx.GraphProto) -> None:
    """Each value has one producer and each reader finds one; order is left to the sort."""
    values = [value.name for value in graph.input]
    values += [tensor.name for tensor in graph.initializer]
    values += [name for node in graph.node for name in node.output if name]
    known = set(values)
    if len(known) != len(values):
        twice = next(name for name, count in Counter(values).items() if count > 1)
        raise ModelError(f"two values are called {twice!r}", remedy="export the model again")
    for node in graph.node:
        for name in node.input:
            if name and name not in known:
                raise ModelError(
                    f"reads {name!r}, which nothing produces",
                    place=f"node {node.name!r}",
                    remedy="export the model again",
                )
    for output in graph.output:
        if output.name not in known:
            raise ModelError(f"output {output.name!r} is produced by nothing")


def _check_splits(model: onnx.ModelProto) -> None:
    """onnx's shape inference ends the process where this attribute is below the outputs."""
    for part in (model.graph, *model.functions):
        for node in all_nodes(part):
            for attribute in node.attribute if node.op_type == "Split" else ():
                if attribute.name == "num_outputs" and attribute.i != len(node.output):
                    raise ModelError(
                        f"Split has {len(node.output)} outputs, num_outputs says {attribute.i}",
                        place=f"node {node.name!r}",
                        remedy="export the model again",
                    )


def _check_expansion(model: onnx.ModelProto) -> None:
    """Functions that call functions can double their size at each level: count before inlining."""
    bodies = {(f.domain, f.name): f for f in model.functions}
    sizes: dict[tuple[str, str], int] = {}

    def size(part: onnx.GraphProto | onnx.FunctionProto, path: tuple[tuple[str, str], ...]) -> int:
        total = 0
        for node in all_nodes(part):
            key = (node.domain, node.op_type)
            if key in path:
                raise ModelError(f"function {node.op_type!r} calls itself")
            if key in bodies and key not in sizes:
                sizes[key] = size(bodies[key], (*path, key))
            total += sizes.get(key, 1)
        return total

    if size(model.graph, ()) > MAX_NODES:
        raise ModelError(f"has more than {MAX_NODES} nodes once its functions are written out")


def _data_input(model: onnx.ModelProto) -> onnx.ValueInfoProto:
    """The one input that carries data; initialisers that old files list as inputs are removed."""
    graph = model.graph
    constants = {tensor.name for tensor in graph.initializer}
    read = {name for node in all_nodes(graph) for name in node.input}
    read |= {value.name for value in graph.output}
    kept = [value for value in graph.input if value.name not in constants]
    if len(kept) > 1:
        kept = [value for value in kept if value.name in read]
    if len(kept) != 1:
        names = ", ".join(repr(value.name) for value in kept)
        raise ModelError(
            f"has {len(kept)} data inputs ({names}), not one" if kept else "has no data input",
            remedy="export the model with one input tensor" + (", or join them" if kept else ""),
        )
    copy = onnx.ValueInfoProto()
    copy.CopyFrom(kept[0])
    del graph.input[:]
    graph.input.append(copy)
    return graph.input[0]


def _fix_batch(value: onnx.ValueInfoProto) -> int:
    """Make the input's shape a list of numbers and return the batch size."""
    kind = value.type.tensor_type
    if not value.type.HasField("tensor_type") or not kind.HasField("shape"):
        raise ModelError(
            f"input {value.name!r} is no tensor of known shape",
            remedy="export the model with a fixed input shape",
        )
    dims = kind.shape.dim
    if len(dims) < 2:
        raise ModelError(
            f"input {value.name!r} has {len(dims)} axes; a batch axis and at least one more needed",
            remedy="export the model with inputs of shape (batch, ...)",
        )
    for axis, dim in enumerate(dims):
        known = dim.HasField("dim_value") and dim.dim_value > 0
        if axis == 0 and not known:
            dim.dim_value = 1
        elif not known:
            what = dim.dim_param or (dim.dim_value if dim.HasField("dim_value") else "unknown")
            raise ModelError(
                f"dimension {axis} of input {value.name!r} is {what!r}, not a number",
                remedy="export with a fixed size there, or set it with "
                "python -m onnxruntime.tools.make_dynamic_shape_fixed",
            )
    if prod(dim.dim_value for dim in dims) > MAX_ACTIVATION:
        shape = [dim.dim_value for dim in dims]
        raise ModelError(f"input {value.name!r} of shape {shape} is too large to be read")
    return int(dims[0].dim_value)


class _Fence:
    """Says which constant nodes onnxscript may compute, within a budget for the whole model."""

    def __init__(self) -> None:
        self.left = MAX_FOLDED

    def __call__(self, node: ir.Node) -> bool:
        if node.domain not in ("", "ai.onnx") or node.op_type not in FOLDABLE:
            return False
        need = 0
        for output in node.outputs:
            # Shape inference has run on this node already; without its answer, hands off.
            if output.shape is None or not output.shape.is_static():
                return False
            need += prod(int(dim) for dim in output.shape if isinstance(dim, int))
        # A reduction reads more than it writes.
        need += sum(v.const_value.size for v in node.inputs if v and v.const_value is not None)
        return self.spend(need)

    def spend(self, elements: int) -> bool:
        """Take so many elements off the budget, if they are left."""
        if elements > self.left:
            return False
        self.left -= elements
        return True


def _forget_shapes(graph: ir.Graph) -> None:
    """Drop the file's own claims: they may be wrong, and name the batch that is now fixed."""
    for node in graph.all_nodes():
        for value in node.outputs:
            value.shape = None


def _own_domain(graph: ir.Graph) -> None:
    """ONNX Runtime has these in its own domain, for types that old operator sets did not have."""
    for node in graph:
        if node.domain == "com.microsoft" and node.op_type in QUANTISERS:
            node.domain = ""


def _fold(model: ir.Model, opset: int) -> dict[str, str]:
    """Compute what is constant; once more where that made shapes known, or conditions constant.

    Returns
    -------
    dict
        Why a constant node was not computed, by name.
    """
    unfolded: dict[str, str] = {}
    if any(node.op_type in UNROLLED for node in model.graph.all_nodes()):
        return unfolded
    fence = _Fence()
    for again in (True, False):
        fold_constants_ir(
            model, onnx_shape_inference=True, output_size_limit=MAX_FOLDED, should_fold=fence
        )
        count = evaluate_constants(model.graph, opset, fence.spend, unfolded)
        if not (again and count and _open(model.graph)):
            break
        common.RemoveUnusedNodesPass()(model)  # what constants were computed from
    return unfolded


def _open(graph: ir.Graph) -> bool:
    """Whether a shape is not known, or a condition not decided, that constants may settle."""
    return any(
        node.op_type == "If" or value.shape is None or not value.shape.is_static()
        for node in graph
        for value in node.outputs
    )


def clean(model: onnx.ModelProto) -> Cleaned:
    """Reduce a model to operators on activations, with every shape a number.

    1. Unnamed or equally named nodes get names; initialisers are no inputs any more.
    2. An open batch axis becomes 1: the network is what the model computes on one sample.
    3. Operator set 6 becomes 7 (`modernise`).
    4. Functions are inlined, nodes sorted, constants and shape arithmetic folded within
       `MAX_FOLDED`, larger fillings kept as views (`lift_filled`), identities and unused nodes
       removed.

    Refused: no or several data inputs, open dimensions other than the batch, values produced
    twice or never, cycles, recursive functions, more than `MAX_NODES` nodes.

    Parameters
    ----------
    model
        Changed in place.

    Raises
    ------
    ModelError
        See above; any failure of the libraries is one, too.
    """
    original = _name_nodes(model.graph)
    functions = frozenset(f"{f.domain}::{f.name}" if f.domain else f.name for f in model.functions)
    batch = _fix_batch(_data_input(model))
    _check_structure(model.graph)
    _check_expansion(model)
    _check_splits(model)
    del model.graph.value_info[:]
    modern = modernise(model)
    _name_nodes(modern.graph)  # those that came in on the way
    try:
        with _quiet():
            graph_model = ir.from_proto(modern)
            common.InlinePass()(graph_model)
            common.TopologicalSortPass()(graph_model)
            _forget_shapes(graph_model.graph)
            state_shapes(graph_model.graph, batch)
            _own_domain(graph_model.graph)
            unfolded = _fold(graph_model, version(modern))
            lift_filled(graph_model.graph)
            common.LiftConstantsToInitializersPass(lift_all_constants=True, size_limit=0)(
                graph_model
            )
            common.IdentityEliminationPass()(graph_model)
            common.RemoveUnusedNodesPass()(graph_model)
    except ModelError:
        raise
    except Exception as error:  # libraries on a hostile graph: whatever they raise is a bad model
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise ModelError(
            f"is not a valid graph: {reason}",
            remedy="run onnx.checker.check_model on it, or export it again",
        ) from error
    return Cleaned(graph_model, original, functions, batch, version(modern), unfolded)
