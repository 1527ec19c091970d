"""The tail of a classifier as scikit-learn exports it: from the last scores to a label.

What skl2onnx writes behind the scores (Softmax, ArgMax, a table of class labels, ZipMap, and for
two classes the pair 1 - p and p) decodes them. The network ends at the scores. That the tail says
the class of the largest score, or the sign of the only one, is not taken for granted: ONNX Runtime
computes the tail alone on scores made for the purpose.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import onnx_ir as ir

from neurodeploy.errors import NeuroDeployError
from neurodeploy.importing.outputs.tail_probe import Probe
from neurodeploy.importing.reading.classical_weights import linear_parts
from neurodeploy.importing.report.findings import Finding

__all__ = ["ML", "Tail", "cut_tail"]

#: Domain of the operators of classical machine learning.
ML = "ai.onnx.ml"
#: Operators that only decode; the network must end before the first of them.
_DECODERS = """
    ArgMax Equal Exp Greater GreaterOrEqual Hardmax Less LessOrEqual Log LogSoftmax Not Reciprocal
    ReduceL1 ReduceMax ReduceSum Sigmoid Softmax Tanh Where ai.onnx.ml::Binarizer
    ai.onnx.ml::LabelEncoder ai.onnx.ml::Normalizer ai.onnx.ml::ZipMap
"""
_DECODING = frozenset(_DECODERS.split())
#: Operators that may stand between them.
_OTHERS = """
    Add Cast Clip Concat Div Flatten Identity Mul Neg Reshape Slice Squeeze Sub Unsqueeze
    ai.onnx.ml::ArrayFeatureExtractor
"""
_BETWEEN = frozenset(_OTHERS.split())
#: Nodes of a tail, and scores, beyond which none is looked for.
_MAX_NODES, _MAX_CLASSES = 64, 4096
#: Factor by which scores are made large to see whether the tail's own arithmetic saturates.
_LARGE = 40.0
_SATURATES = (
    "for large scores the file's own probabilities are all 0 or 1 in float32 and it takes the "
    "first of them; the largest score is taken here"
)
_MALFORMED = (
    NeuroDeployError,
    ArithmeticError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
)


@dataclass(frozen=True)
class Tail:
    """What stood behind the scores.

    Attributes
    ----------
    operators
        Of the nodes that were dropped, in order.
    findings
        One for each of them.
    classes
        Label of each score, or of no and yes for a single score; empty where the tail gives
        probabilities, not labels.
    note
        Where the file itself loses the order of large scores; empty if it does not.
    """

    operators: tuple[str, ...]
    findings: tuple[Finding, ...]
    classes: tuple[int | str, ...]
    note: str = ""


def _kind(node: ir.Node) -> str:
    return node.op_type if node.domain in ("", "ai.onnx") else f"{node.domain}::{node.op_type}"


def _data(node: ir.Node) -> list[ir.Value]:
    """Inputs that are no constants."""
    return [value for value in node.inputs if value is not None and value.const_value is None]


def cut_tail(model: ir.Model, batch: int) -> Tail | None:
    """End the graph at the scores of a scikit-learn classifier; None if there is no such tail.

    1. The caller asks only where the file has operators of ``ai.onnx.ml``; other tails are chains
       (`decoder`).
    2. Behind the scores only operators that decode, all of which read the scores and nothing else,
       and none with a weight for each score.
    3. On scores in which each class wins, and on random ones, ONNX Runtime's label is always that
       of the largest score (of a single score: that of its sign), or the largest probability is
       that of the largest score.
    4. ``LinearClassifier`` makes scores and labels at once: it stays, without its transform.

    Parameters
    ----------
    model
        After clean-up; nodes of the tail are removed from it.
    batch
        Size of the batch axis.
    """
    graph = model.graph
    exit_value = graph.outputs[0] if graph.outputs else None
    if exit_value is None:
        return None
    region = _region(exit_value)
    if len(region) > _MAX_NODES:
        return None
    for scores, behind in _ends(graph, exit_value, region):
        source = scores.producer()
        maker = (
            source if source is not None and _kind(source) == f"{ML}::LinearClassifier" else None
        )
        if maker is None and not any(_kind(node) in _DECODING for node in behind):
            continue
        if any(_weighs(node) for node in behind):
            continue
        try:
            size = _size(scores, maker)
            if size is None:
                continue
            probe = Probe(model, behind, maker, scores, exit_value, batch, size)
            found = probe.classes(1.0)
            note = "" if found is None or probe.classes(_LARGE) == found else _SATURATES
        except _MALFORMED:
            continue  # its nodes are judged one by one
        if found is None:
            continue
        if maker is not None:
            maker.attributes["post_transform"] = ir.AttrString("post_transform", "NONE")
            scores = maker.outputs[1]
        graph.outputs[0] = scores
        graph.remove(list(reversed(behind)), safe=True)
        return _tail(behind, maker, found, note)
    return None


def _tail(
    behind: list[ir.Node], maker: ir.Node | None, classes: tuple[int | str, ...], note: str
) -> Tail:
    what = "gives the label of the largest output" if classes else "keeps the order of the outputs"
    reason = f"part of the classifier's tail, which {what}"
    kinds = [_kind(node) for node in behind]
    findings = tuple(
        Finding(node.name or node.op_type, kind, "decoder", reason)
        for node, kind in zip(behind, kinds, strict=True)
    )
    first = [] if maker is None else [_kind(maker)]
    operators = tuple(kind.removeprefix(f"{ML}::") for kind in (*first, *kinds))
    return Tail(operators, findings, classes, note)


def _weighs(node: ir.Node) -> bool:
    """Whether a node treats the scores differently, as the layers of a network do."""
    if node.op_type not in ("Add", "Sub", "Mul", "Div", "Clip"):
        return False
    constants = (value.const_value for value in node.inputs if value is not None)
    return any(constant is not None and constant.size > 1 for constant in constants)


def _region(exit_value: ir.Value) -> set[ir.Node]:
    """Nodes before the output that may belong to a tail."""
    region: set[ir.Node] = set()
    stack = [exit_value]
    while stack and len(region) <= _MAX_NODES:
        node = stack.pop().producer()
        if node is None or node in region or _kind(node) not in _DECODING | _BETWEEN:
            continue
        region.add(node)
        stack.extend(_data(node))
    return region


def _ends(
    graph: ir.Graph, exit_value: ir.Value, region: set[ir.Node]
) -> Iterator[tuple[ir.Value, list[ir.Node]]]:
    """Values before all decoding nodes of which the output is a function, nearest first."""
    ordered = [node for node in graph if node in region]
    decoding = {node for node in ordered if _kind(node) in _DECODING}
    candidates = [exit_value, *(value for node in reversed(ordered) for value in _data(node))]
    tried: set[ir.Value] = set()
    for value in candidates:
        if value in tried:
            continue
        tried.add(value)
        behind = _between(value, exit_value, region)
        if behind is None or not decoding <= behind:
            continue
        yield value, [node for node in ordered if node in behind]


def _between(value: ir.Value, exit_value: ir.Value, region: set[ir.Node]) -> set[ir.Node] | None:
    """Nodes that lead from a value to the output; None if something else leads there, too."""
    found: set[ir.Node] = set()
    stack = [exit_value]
    while stack:
        current = stack.pop()
        if current is value:
            continue
        node = current.producer()
        if node is None or node not in region:
            return None
        if node not in found:
            found.add(node)
            stack.extend(_data(node))
    return found


def _size(scores: ir.Value, maker: ir.Node | None) -> int | None:
    """How many scores a sample has."""
    if maker is not None:
        parts = linear_parts(maker)
        return None if parts is None or len(maker.outputs) < 2 else len(parts[0])
    size = _width(scores)
    return size if size is not None and 1 <= size <= _MAX_CLASSES else None


def _width(value: ir.Value | None) -> int | None:
    """Size of the last of two axes; from the constants before it where shapes are not known."""
    for _ in range(_MAX_NODES):
        if value is None:
            return None
        if value.shape is not None and value.shape.is_static():
            return int(value.shape[1]) if len(value.shape) == 2 else None  # type: ignore[arg-type]
        node = value.producer()
        if node is None:
            return None
        shapes = [v.const_value.shape for v in node.inputs if v is not None and v.const_value]
        last = max((int(shape[-1]) for shape in shapes if len(shape)), default=1)  # type: ignore[arg-type]
        kind = _kind(node)
        if kind == "MatMul":
            return last
        if kind == "Gemm":
            turned = node.attributes.get("transB")
            shape = shapes[0] if shapes else ()
            return int(shape[0 if turned is not None and turned.value else 1])  # type: ignore[arg-type]
        if kind in ("Add", "Sub", "Mul", "Div") and last > 1:
            return last
        if kind not in ("Add", "Sub", "Mul", "Div", "Neg", "Identity", "Cast", "Clip", "Relu"):
            return None
        data = _data(node)
        value = data[0] if len(data) == 1 else None
    return None
