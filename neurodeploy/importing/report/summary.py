"""Findings and networks counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from math import prod
from typing import get_args

import onnx

from neurodeploy.importing.reading.tensors import all_nodes
from neurodeploy.importing.report.findings import Finding, Verdict
from neurodeploy.network import Linear, Network, Shape

__all__ = ["Operator", "Summary", "count_findings", "count_network", "file_parameters"]


@dataclass(frozen=True)
class Operator:
    """The nodes of one operator.

    Attributes
    ----------
    op_type
        As in the findings.
    nodes
        How many there are.
    verdicts
        How many of each verdict; all verdicts are there.
    """

    op_type: str
    nodes: int
    verdicts: dict[Verdict, int]


@dataclass(frozen=True)
class Summary:
    """What is known of a model; None where it cannot be known because something was refused.

    Attributes
    ----------
    nodes
        With a verdict of their own: those of the file, and those within its functions that say
        something.
    verdicts
        How many nodes of each verdict.
    operators
        The same for each operator, by name.
    coverage
        Share of the examined nodes that are not refused; None without any.
    input, input_shape
        The data input and its shape without the batch axis.
    output, output_shape
        The output taken and the shape of the network's result.
    other_outputs
        Outputs that were not taken.
    opset
        Operator set of the file.
    file_parameters
        Numbers in the file's tensors; 64-bit integers (shapes, axes, indices) are not counted.
    layers
        Conv and Dense nodes of the imported network.
    weights, biases
        Numbers in them. Every layer has biases, zeros where the file has none.
    neurons
        Of the populations that hold activations and outputs.
    relays
        Neurons that only pass spikes on to a later window (ttfs), and helpers that add up parts of
        sums.
    not_covered
        What was not tried, and why; empty where the check went as far as `compile` does.
    """

    nodes: int = 0
    verdicts: dict[Verdict, int] = field(default_factory=dict)
    operators: tuple[Operator, ...] = ()
    coverage: float | None = None
    input: str | None = None
    input_shape: Shape | None = None
    output: str | None = None
    output_shape: Shape | None = None
    other_outputs: tuple[str, ...] = ()
    opset: int | None = None
    file_parameters: int | None = None
    layers: int | None = None
    weights: int | None = None
    biases: int | None = None
    neurons: int | None = None
    relays: int | None = None
    not_covered: str = ""


def _by_verdict(findings: Iterable[Finding]) -> dict[Verdict, int]:
    counts = Counter(finding.verdict for finding in findings)
    return {verdict: counts[verdict] for verdict in get_args(Verdict)}


def count_findings(summary: Summary, findings: Sequence[Finding]) -> Summary:
    """The summary with what follows from findings: nodes, verdicts, operators, coverage."""
    of_nodes = [finding for finding in findings if finding.node]
    verdicts = _by_verdict(of_nodes)
    examined = len(of_nodes) - verdicts["unknown"]
    kinds: dict[str, list[Finding]] = {}
    for finding in of_nodes:
        kinds.setdefault(finding.op_type, []).append(finding)
    return replace(
        summary,
        nodes=len(of_nodes),
        verdicts=verdicts,
        operators=tuple(
            Operator(kind, len(those), _by_verdict(those)) for kind, those in sorted(kinds.items())
        ),
        coverage=(examined - verdicts["refused"]) / examined if examined else None,
    )


def count_network(summary: Summary, network: Network) -> Summary:
    """The summary with what follows from the imported network: shapes, layers, parameters."""
    layers = [node for node in network if isinstance(node, Linear)]
    return replace(
        summary,
        input_shape=network.shapes[network.input.name],
        output_shape=network.shapes[network.output.name],
        layers=len(layers),
        weights=sum(int(layer.weight.size) for layer in layers),
        biases=sum(int(layer.bias.size) for layer in layers),
    )


def file_parameters(model: onnx.ModelProto) -> int:
    """Numbers in a file's initialisers and Constant nodes, 64-bit integers left out."""
    graphs = [model.graph]
    tensors: list[onnx.TensorProto] = []
    for part in (model.graph, *model.functions):
        for node in all_nodes(part):
            for attribute in node.attribute:
                graphs.extend(attribute.graphs)
                if attribute.HasField("g"):
                    graphs.append(attribute.g)
                tensors.extend(attribute.tensors)
                if attribute.HasField("t"):
                    tensors.append(attribute.t)
    for graph in graphs:
        tensors.extend(graph.initializer)
    numbers = (tensor for tensor in tensors if tensor.data_type != onnx.TensorProto.INT64)
    return sum(prod(tensor.dims) for tensor in numbers)
