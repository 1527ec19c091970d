"""Constants folded by onnxscript and ONNX Runtime, within one budget for the whole model."""

from __future__ import annotations

from math import prod

import onnx_ir as ir
import onnx_ir.passes.common as common
from onnxscript.optimizer import fold_constants_ir

from neurodeploy.importing.constants.evaluating import evaluate_constants
from neurodeploy.importing.limits import MAX_FOLDED

__all__ = ["FOLDABLE", "fold"]

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


def fold(model: ir.Model, opset: int) -> dict[str, str]:
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
