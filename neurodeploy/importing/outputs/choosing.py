"""One output of the graph is the network's; the others, and what leads only to them, stay out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import onnx

from neurodeploy.errors import UsageError
from neurodeploy.importing.reading.tensors import all_nodes

__all__ = ["Outputs", "choose_output"]


@dataclass(frozen=True)
class Outputs:
    """What was taken and what was not.

    Attributes
    ----------
    taken
        Name of the output that the network computes; empty if the graph has none.
    others
        Names of the other outputs, in the file's order.
    aside
        Why a node of the main graph (by its position) is left out; only those that lead to
        another output and not to the one taken.
    decoders
        Positions of ``ZipMap`` nodes that stood before the output taken.
    classes
        Labels that such a node names.
    """

    taken: str
    others: tuple[str, ...]
    aside: dict[int, str]
    decoders: tuple[int, ...] = ()
    classes: tuple[int | str, ...] = ()


def choose_output(graph: onnx.GraphProto, wanted: str | None = None) -> Outputs:
    """Leave one output in the graph, the first unless another is wanted.

    Parameters
    ----------
    graph
        Its list of outputs is changed; nodes stay, clean-up removes what is not needed.
    wanted
        Name of an output.

    Raises
    ------
    UsageError
        No output has the wanted name.
    """
    named = {value.name: value for value in reversed(graph.output)}
    names = list(dict.fromkeys(value.name for value in graph.output))
    if wanted is not None and wanted not in named:
        there = ", ".join(repr(name) for name in names) or "none"
        raise UsageError(
            f"the model has no output {wanted!r}; its outputs are: {there}", place="--output-name"
        )
    if not names:
        return Outputs("", (), {})
    taken = names[0] if wanted is None else wanted
    others = tuple(name for name in names if name != taken)
    kept = onnx.ValueInfoProto()
    kept.CopyFrom(named[taken])
    aside = _left_out(graph, taken, others)
    decoders, classes = _unzipped(graph, kept)
    del graph.output[:]
    graph.output.append(kept)
    return Outputs(taken, others, aside, decoders, classes)


def _unzipped(
    graph: onnx.GraphProto, output: onnx.ValueInfoProto
) -> tuple[tuple[int, ...], tuple[int | str, ...]]:
    """End at what a ``ZipMap`` turns into a list of dictionaries, which is no tensor."""
    for index, node in enumerate(graph.node):
        if node.op_type != "ZipMap" or node.domain != "ai.onnx.ml" or len(node.input) != 1:
            continue
        if list(node.output) != [output.name] or not node.input[0]:
            continue
        classes: list[int | str] = []
        for attribute in node.attribute:
            classes += attribute.ints
            classes += [text.decode("utf-8", "replace") for text in attribute.strings]
        output.CopyFrom(onnx.ValueInfoProto(name=node.input[0]))
        output.type.tensor_type.elem_type = onnx.TensorProto.FLOAT
        return (index,), tuple(classes)
    return (), ()


def _reads(node: onnx.NodeProto) -> Iterator[str]:
    """Values that a node reads, also from within the graphs that it holds."""
    yield from node.input
    for attribute in node.attribute:
        for graph in (attribute.g, *attribute.graphs):
            for inner in all_nodes(graph):
                yield from inner.input
            yield from (value.name for value in graph.output)


def _left_out(graph: onnx.GraphProto, taken: str, others: tuple[str, ...]) -> dict[int, str]:
    """For each node that leads to outputs, but not to the one taken: which, in words."""
    if not others:
        return {}
    producer = {
        name: index for index, node in enumerate(graph.node) for name in node.output if name
    }
    reads = [tuple(_reads(node)) for node in graph.node]

    # Each node is met at most twice: with the first output that needs it, and with a second.
    several = -1
    needed: dict[int, int] = {}
    for label, output in enumerate((taken, *others)):
        stack = [output]
        while stack:
            index = producer.get(stack.pop())
            if index is None or needed.get(index) in (0, label, several):
                continue
            needed[index] = several if index in needed else label
            stack.extend(reads[index])
    return {
        index: "leads only to outputs that are not taken"
        if label == several
        else f"leads only to output {others[label - 1]!r}, which is not taken"
        for index, label in needed.items()
        if label != 0
    }
