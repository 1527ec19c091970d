"""The real cause of refusals: the layer that cannot become spikes, not the nodes that serve it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import onnx_ir as ir

from neurodeploy.importing.report.findings import Finding

__all__ = ["name_causes"]

_RECURRENT = frozenset({"LSTM", "GRU", "RNN", "Scan", "Loop"})
_COMPARE = frozenset({"Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Sign", "Not"})
_PRODUCTS = frozenset({"MatMul", "Einsum"})
#: Nodes that only bring data into a layer's form, or its states and results out of it.
_SERVERS = """
    Cast Concat Expand Flatten Gather Identity Pad Reshape Shape Slice Split Squeeze Transpose
    Unsqueeze
"""
_SERVING = frozenset(_SERVERS.split())
#: What may stand between the products of attention.
_WEIGHING = _SERVING | {"Add", "Div", "Dropout", "Mul", "Softmax", "Sub", "Where", "Clip"}

_SPIKING = (
    "passes 0 or 1 on where an activation reaches a threshold, as a spiking neuron does: this is a "
    "network that already spikes, written out step by step{more}"
)
_SPIKING_REMEDY = (
    "write such a network as NIR (snntorch.export_nir, sinabs.nir, spikingjelly's nir_exchange), "
    "which compile takes as it is, or with the neurons of neurodeploy.training "
    "(docs/spiking-networks.md); or train the same layers with ReLU"
)
#: Of a neuron that counts, between its membrane and its spikes.
_SCALES = frozenset({"Abs", "Cast", "Div", "Floor", "Mul", "Sign"})
#: What a spiking neuron is written out with besides comparisons: refused, it says no more.
_AROUND_SPIKES = _SERVING | {"Floor", "Mul", "Sign"}
_ATTENTION = (
    "is part of attention (softmax {softmax!r}): activations weighted with each other; synapses "
    "weigh one with a constant"
)
_ATTENTION_REMEDY = "replace attention by convolution, pooling or dense layers, and retrain"
_SQUASHES = frozenset({"Sigmoid", "Tanh"})
#: What may stand between a gate's Sigmoid or Tanh and its product.
_GATING = _SERVING | {"Sub"}
_GATES = (
    "is a gate, a Sigmoid times a Tanh: an LSTM or GRU cell, or a gated layer, written out; "
    "synapses weigh an activation with a constant, and not with another"
)
_GATES_REMEDY = "use a feed-forward network with ReLU, over a window of the signal"
_EXAMPLES = "compares each sample with stored examples: nearest neighbours, or a kernel"
_EXAMPLES_REMEDY = "train an MLPClassifier or MLPRegressor on its predictions"
_ROUNDING = frozenset({"Floor", "Round", "Ceil"})
_SCALING = frozenset({"Add", "Div", "Mul", "Sub"})
_LEVELS = "rounds a clipped activation to a few levels (clip-floor-shift, QCFS, fake quantisation)"
_LEVELS_REMEDY = (
    "let the clip end at one of the levels, with one number of levels for all channels: such a "
    "staircase converts; or export the Clip alone, the spiking neuron rounds to levels itself "
    "(--steps says how many)"
)


def name_causes(nodes: Iterable[ir.Node], findings: dict[str, Finding]) -> dict[str, Finding]:
    """Findings in which a refused layer stands for the refused nodes around it.

    1. LSTM, GRU, RNN, Scan, Loop: transposes, reshapes, slices before and behind them that are
       refused as well are only said to belong to them.
    2. Attention: a softmax between two products of activations; all of them are named so, and
       moves of axes around them are only said to belong to it. Gates: a Sigmoid times a Tanh, as
       an LSTM or GRU cell is written out; the first one stands for all.
    3. Spiking neurons (as snnTorch, SpikingJelly and sinabs export theirs): comparisons that are
       cast to numbers and read on, or that say which multiples of a threshold count; the first one
       stands for all of them, and for what is refused of their roundings and moves. Not beside
       operators of scikit-learn, whose comparisons choose classes; their Scan is no recurrence,
       it goes through stored examples.
    4. Activations of a few levels: rounding behind a clip.

    Parameters
    ----------
    nodes
        Those of the graph, in order.
    findings
        By name of the node; verdicts may turn from ``refused`` to ``unknown``, never to better.
    """
    nodes = list(nodes)
    found = dict(findings)
    _recurrent(nodes, found)
    _attention(nodes, found)
    _gates(nodes, found)
    if any(node.domain == "ai.onnx.ml" for node in nodes):
        _stored_examples(nodes, found)
    else:
        _spiking(nodes, found)
    _staircase(nodes, found)
    return found


def _staircase(nodes: list[ir.Node], found: dict[str, Finding]) -> None:
    for node in nodes:
        if node.op_type not in _ROUNDING or not _refused(node, found):
            continue
        if any(other.op_type == "Clip" for other in _reach(node, _before, _SCALING)):
            name = node.name or node.op_type
            reason = f"{node.op_type} {_LEVELS}"
            found[name] = replace(found[name], reason=reason, remedy=_LEVELS_REMEDY)


def _refused(node: ir.Node, found: dict[str, Finding]) -> bool:
    finding = found.get(node.name or node.op_type)
    return finding is not None and finding.verdict == "refused"


def _before(node: ir.Node) -> list[ir.Node]:
    return [p for v in node.inputs if v is not None and (p := v.producer()) is not None]


def _behind(node: ir.Node) -> list[ir.Node]:
    return [user for value in node.outputs for user, _ in value.uses()]


def _reach(
    start: ir.Node, step: Callable[[ir.Node], list[ir.Node]], through: frozenset[str]
) -> dict[ir.Node, None]:
    """Nodes met from `start`; goes on behind those of the kinds `through` only."""
    seen: dict[ir.Node, None] = {}
    stack = step(start)
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        seen[node] = None
        if node.op_type in through:
            stack.extend(step(node))
    return seen


def _stored_examples(nodes: list[ir.Node], found: dict[str, Finding]) -> None:
    for node in nodes:
        if node.op_type == "Scan" and _refused(node, found):
            name = node.name or node.op_type
            reason = f"{node.op_type} {_EXAMPLES}"
            found[name] = replace(found[name], reason=reason, remedy=_EXAMPLES_REMEDY)


def _recurrent(nodes: list[ir.Node], found: dict[str, Finding]) -> None:
    for node in nodes:
        if node.op_type not in _RECURRENT or not _refused(node, found):
            continue
        around = {**_reach(node, _before, _SERVING), **_reach(node, _behind, _SERVING)}
        for other in around:
            if other.op_type in _SERVING and _refused(other, found):
                reason = f"belongs to {node.op_type} {node.name!r}, which is refused"
                name = other.name or other.op_type
                found[name] = replace(found[name], verdict="unknown", reason=reason, remedy="")


def _attention(nodes: list[ir.Node], found: dict[str, Finding]) -> None:
    for node in nodes:
        if node.op_type != "Softmax" or not _refused(node, found):
            continue
        through = _WEIGHING - {"Softmax"}
        sides = [_reach(node, step, through) for step in (_before, _behind)]
        products = [[n for n in side if n.op_type in _PRODUCTS] for side in sides]
        if not any(_refused(n, found) for n in products[0]) or not products[1]:
            continue
        for other in (node, *products[0], *products[1]):
            if _refused(other, found):
                name = other.name or other.op_type
                reason = f"{other.op_type} {_ATTENTION.format(softmax=node.name)}"
                found[name] = replace(found[name], reason=reason, remedy=_ATTENTION_REMEDY)
        wide = _WEIGHING | _PRODUCTS | {"Gemm"}
        around = {**_reach(node, _before, wide), **_reach(node, _behind, wide)}
        for other in around:
            if other.op_type in _SERVING and _refused(other, found):
                name = other.name or other.op_type
                reason = f"belongs to attention (softmax {node.name!r}), which is refused"
                found[name] = replace(found[name], verdict="unknown", reason=reason, remedy="")


def _gates(nodes: list[ir.Node], found: dict[str, Finding]) -> None:
    products = [n for n in nodes if n.op_type == "Mul" and _refused(n, found)]
    if not any(_is_gated(product) for product in products):
        return
    gates: dict[ir.Node, None] = {}
    for product in (n for n in nodes if n.op_type == "Mul"):
        before = [n for n in _reach(product, _before, _GATING) if n.op_type in _SQUASHES]
        gates |= {n: None for n in (product, *before) if before}
    first, *others = [n for n in nodes if n in gates and _refused(n, found)]
    stands = first.name or first.op_type
    reason = f"{first.op_type} {_GATES}"
    found[stands] = replace(found[stands], reason=reason, remedy=_GATES_REMEDY)
    for node in others:
        name = node.name or node.op_type
        reason = f"belongs to the gates that begin with {stands!r}, which are refused"
        found[name] = replace(found[name], verdict="unknown", reason=reason, remedy="")


def _is_gated(product: ir.Node) -> bool:
    """Whether a product is of a Sigmoid and a Tanh."""
    sides = [
        {n.op_type for n in (p, *_reach(p, _before, _GATING))} & _SQUASHES for p in _before(product)
    ]
    return len(sides) == 2 and any("Sigmoid" in a and "Tanh" in b for a, b in (sides, sides[::-1]))


def _spiking(nodes: list[ir.Node], found: dict[str, Finding]) -> None:
    compared = [n for n in nodes if n.op_type in _COMPARE and _refused(n, found)]
    fires = [n for n in compared if _is_spike(n)]
    if fires:  # then the last layer's, which nobody reads, are spikes, too
        fires = [n for n in compared if n in fires or _is_output(n)]
    for index, node in enumerate(fires):
        name = node.name or node.op_type
        if index:
            reason = f"as {fires[0].name!r}: a spiking neuron at another step or layer"
            found[name] = replace(found[name], verdict="unknown", reason=reason, remedy="")
            continue
        more = f" (and {len(fires) - 1} more such nodes)" if len(fires) > 1 else ""
        reason = f"{node.op_type} {_SPIKING.format(more=more)}"
        found[name] = replace(found[name], reason=reason, remedy=_SPIKING_REMEDY)
    if fires:
        for node in nodes:
            if node not in fires and node.op_type in _AROUND_SPIKES and _refused(node, found):
                reason = f"belongs to the spiking neuron {fires[0].name!r}, which is refused"
                name = node.name or node.op_type
                found[name] = replace(found[name], verdict="unknown", reason=reason, remedy="")


def _is_spike(node: ir.Node) -> bool:
    """Whether a layer reads a comparison's 0 or 1 as a number, not as a mask of activations."""
    numbers = [n for n in _behind(node) if n.op_type in ("Cast", "Where")]
    if node.op_type == "Sign":
        numbers.append(node)
    return any(_is_number(n) or _counts(node, n) for n in numbers)


def _is_output(node: ir.Node) -> bool:
    """Whether a comparison's 0 or 1 is what the network gives."""
    numbers = [n for n in _behind(node) if n.op_type in ("Cast", "Where")]
    return any(value.is_graph_output() for n in numbers for value in n.outputs)


def _counts(node: ir.Node, number: ir.Node) -> bool:
    """Whether a comparison's 0 or 1 is multiplied with a rounding of what was compared.

    A neuron that sends several spikes a step: ``(v > 0) * floor(v / threshold)``.
    """
    for product in _behind(number):
        if product.op_type != "Mul":
            continue
        others = [n for n in _before(product) if n is not number]
        parts = {n: None for other in others for n in (other, *_reach(other, _before, _SCALES))}
        rounds = any(n.op_type in ("Floor", "Cast") for n in parts)
        read = {v for n in parts for v in n.inputs if v is not None}
        membranes = {v for n in (node, *_before(node)) for v in n.inputs if v is not None}
        if rounds and any(v in read for v in membranes if v.const_value is None):
            return True
    return False


def _is_number(node: ir.Node) -> bool:
    values = node.inputs[1:] if node.op_type == "Where" else ()
    if any(value is None or value.const_value is None for value in values):
        return False  # a mask, which chooses an activation
    for reader in _reach(node, _behind, _SERVING):
        if reader.op_type in ("MatMul", "Gemm", "Conv", "Sub", "Add", "Sum"):
            return True
        constant = any(v is not None and v.const_value is not None for v in reader.inputs)
        if reader.op_type == "Mul" and constant:  # times the threshold: the reset
            return True
    return False
