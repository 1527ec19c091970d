"""A NIR graph walked node by node: a Network, and a verdict on every node."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field, replace
from math import prod

import networkx as nx
import numpy as np

from neurodeploy.errors import ModelError, NeuroDeployError, UnsupportedError, UsageError, shown
from neurodeploy.importing.importer import Imported
from neurodeploy.importing.limits import MAX_ACTIVATION
from neurodeploy.importing.nir.hdf5 import RawGraph, RawNode, read_graph
from neurodeploy.importing.nir.layers import LAYERS, scaled
from neurodeploy.importing.nir.neurons import NEURONS, Reset, Timing, neuron_of
from neurodeploy.importing.report.findings import Finding, Verdict
from neurodeploy.importing.report.report import Report, refusal
from neurodeploy.importing.report.summary import Summary, count_findings, count_network
from neurodeploy.network import Add, Conv, Dense, Input, Network, Node, Output, Shape

__all__ = ["examine_nir", "load_nir"]

_KNOWN = ", ".join(sorted({*LAYERS, *NEURONS, "Input", "Output"}))
_REASONS = {
    "Delay": (
        "delays are not converted yet",
        "train without delays, or split them off",
    ),
    "NIRGraph": (
        "is a graph within the graph, which is not converted yet (recurrent layers are written so)",
        "write the graph without sub-graphs",
    ),
}


@dataclass(frozen=True)
class _Signal:
    """A result: the Network's node that has it, its shape, and the factor still to be applied."""

    name: str
    shape: Shape
    factor: float = 1.0


@dataclass
class _Walk:
    graph: RawGraph
    timing: Timing
    nodes: dict[str, Node] = field(default_factory=dict)
    inputs: dict[str, tuple[str, ...]] = field(default_factory=dict)
    signals: dict[str, _Signal] = field(default_factory=dict)
    findings: dict[str, Finding] = field(default_factory=dict)
    entrance: str = ""
    exit: str = ""

    def run(self) -> None:
        """Visit all nodes, sources first; what lies on a cycle is refused."""
        nodes, edges = self.graph.nodes, self.graph.edges
        for edge in edges:
            for end in edge:
                if end not in nodes:
                    raise ModelError(f"an edge names {shown(end)}, which is no node")
        twice, count = (Counter(edges).most_common(1) or [(("", ""), 0)])[0]
        if count > 1:
            raise UnsupportedError(
                f"the edge {shown(twice)} is there more than once; whether it counts twice is not "
                "defined",
                remedy="scale the weights instead",
            )
        graph = nx.DiGraph()
        graph.add_nodes_from(nodes)
        graph.add_edges_from(edges)
        for kind in ("Input", "Output"):
            found = [raw.name for raw in nodes.values() if raw.kind == kind]
            if len(found) != 1:
                raise UnsupportedError(f"has {len(found)} nodes of type {kind}, not one")
        onto = {
            n for part in nx.strongly_connected_components(graph) if len(part) > 1 for n in part
        }
        onto |= {n for n in graph if graph.has_edge(n, n)}
        order = nx.lexicographical_topological_sort(
            nx.DiGraph(e for e in graph.edges if not onto & set(e)) if onto else graph
        )
        for name in (*order, *(n for n in nodes if n in onto)):
            if name not in self.findings:
                self._visit(nodes[name], sorted(graph.predecessors(name)), name in onto)
        for name in nodes:
            if name not in self.findings:
                self._visit(nodes[name], sorted(graph.predecessors(name)), False)
        exit_node = next(raw.name for raw in nodes.values() if raw.kind == "Output")
        leads = {exit_node, *nx.ancestors(graph, exit_node)}
        for name in nodes:
            if name not in leads and self.findings[name].verdict == "converts":
                self._told(nodes[name], "refused", "leads to no output", "remove it")

    def _visit(self, raw: RawNode, sources: list[str], on_cycle: bool) -> None:
        try:
            if on_cycle and raw.kind not in _REASONS:
                raise UnsupportedError(
                    "lies on a cycle; recurrent graphs are not converted yet",
                    remedy="remove the recurrent connection",
                )
            if raw.kind in _REASONS:
                reason, remedy = _REASONS[raw.kind]
                raise UnsupportedError(reason, remedy=remedy)
            if any(source not in self.signals for source in sources):
                self._told(raw, "unknown", "not examined: reads a refused node")
                return
            self._told(raw, "converts", self._built(raw, [self.signals[s] for s in sources]))
            shape = self.signals[raw.name].shape
            if prod(shape) > MAX_ACTIVATION:
                raise ModelError(f"its result {shape} is larger than {MAX_ACTIVATION} elements")
        except NeuroDeployError as error:
            self.signals.pop(raw.name, None)
            self._told(raw, "refused", error.message, error.remedy or "write the graph again")
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            self.signals.pop(raw.name, None)
            told = f"is malformed ({type(error).__name__}: {str(error)[:200]})"
            self._told(raw, "refused", told, "write the graph again")

    def _told(self, raw: RawNode, verdict: Verdict, reason: str, remedy: str = "") -> None:
        kind = raw.kind if raw.kind.isprintable() else shown(raw.kind)
        self.findings[raw.name] = Finding(raw.name, kind, verdict, reason, remedy)

    def _built(self, raw: RawNode, sources: list[_Signal]) -> str:
        """Build a node; what became of it, in words."""
        if raw.kind == "Input":
            if sources:
                raise ModelError("an input reads another node")
            shape = _shape(raw)
            self.entrance = raw.name
            self._add(Input(raw.name, shape=shape), (), shape)
            return f"the input, {_by(shape)}"
        if not sources:
            raise ModelError("reads nothing")
        x = self._summed(raw.name, sources)
        if raw.kind == "Output":
            x = self._settled(raw.name, x)
            self.exit = raw.name
            self._add(Output(raw.name), (x.name,), x.shape)
            return f"the output, {_by(x.shape)}"
        if raw.kind in LAYERS:
            node, factor = LAYERS[raw.kind](raw, x.shape, x.factor)
            if node is None:
                self.signals[raw.name] = replace(x, factor=factor)
                return f"a factor of {factor:.4g} on what reads it"
            shape = node.output_shape([x.shape])
            self._add(node, (x.name,), shape, factor)
            return f"becomes {type(node).__name__}, {_by(shape)}"
        if raw.kind not in NEURONS:
            raise UnsupportedError(
                f"the type {shown(raw.kind)} is unknown", remedy=f"these are read: {_KNOWN}"
            )
        neuron = neuron_of(raw, x.shape, self.timing)
        x = self._gained(raw.name, x, neuron.gain)
        self._add(neuron.node, (x.name,), x.shape)
        return f"{neuron.said}, {_by(x.shape)}"

    def _add(self, node: Node, sources: tuple[str, ...], shape: Shape, factor: float = 1.0) -> None:
        self.nodes[node.name], self.inputs[node.name] = node, sources
        self.signals[node.name] = _Signal(node.name, shape, factor)

    def _own(self, name: str) -> str:
        """A name that no node of the file has."""
        while name in self.graph.nodes or name in self.nodes:
            name += "_"
        return name

    def _summed(self, name: str, sources: list[_Signal]) -> _Signal:
        """Several edges into a node add up."""
        if len(sources) == 1:
            return sources[0]
        settled = [self._settled(name, source) for source in sources]
        add = Add(self._own(f"{name}.sum"))
        shape = add.output_shape([s.shape for s in settled])
        self._add(add, tuple(s.name for s in settled), shape)
        return self.signals[add.name]

    def _settled(self, name: str, x: _Signal) -> _Signal:
        """The signal with its factor applied."""
        return self._gained(name, x, 1.0)

    def _gained(self, name: str, x: _Signal, gain: float | np.ndarray) -> _Signal:
        """The signal times a gain: in the weights of the layer that makes it, where it can."""
        gain = np.asarray(gain, np.float64) * x.factor
        if np.all(gain == 1):
            return replace(x, factor=1.0)
        made = self.nodes[x.name]
        readers = sum(source == x.name for source, _ in self.graph.edges)
        if isinstance(made, Dense | Conv) and readers == 1 and x.name in self.graph.nodes:
            rows = _rows(made, gain)
            if rows is not None:
                along = rows.reshape(-1, *(1,) * (made.weight.ndim - 1))
                self.nodes[x.name] = replace(
                    made,
                    weight=(made.weight * along).astype(np.float32),
                    bias=(made.bias * rows).astype(np.float32),
                )
                return replace(x, factor=1.0)
        node = scaled(self._own(f"{name}.gain"), gain, x.shape)
        self._add(node, (x.name,), x.shape)
        return self.signals[node.name]


def _rows(made: Dense | Conv, gain: np.ndarray) -> np.ndarray | None:
    """The gain of each row (output channel) of a layer; None where it differs within one."""
    count = made.weight.shape[0]
    if gain.ndim == 0:
        return np.full(count, float(gain))
    flat = gain.reshape(count, -1)
    return flat[:, 0] if np.all(flat == flat[:, :1]) else None


def _shape(raw: RawNode) -> Shape:
    value = raw.fields.get("shape")
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "iu" or value.ndim > 1:
        raise ModelError("has no shape")
    shape = tuple(int(n) for n in value.reshape(-1))
    if not 1 <= len(shape) <= 3 or any(n < 1 for n in shape):
        raise ModelError(f"its shape {shown(shape)} is not one to three positive numbers")
    return shape


def _by(shape: Shape) -> str:
    return " x ".join(map(str, shape))


def examine_nir(
    model: str | os.PathLike[str] | bytes,
    dt: float | None = None,
    reset: Reset | None = None,
    output: str | None = None,
) -> tuple[Imported | None, Report]:
    """`load_nir` as a report: a verdict for every node; without Imported where one is refused.

    Raises
    ------
    UsageError
        The graph has no output of that name, or h5py is missing.
    """
    name = "<bytes>" if isinstance(model, bytes | bytearray | memoryview) else os.fsdecode(model)
    try:
        graph = read_graph(model)
        walk = _Walk(graph, Timing(dt, reset))
        walk.run()
        if output is not None and output != walk.exit:
            raise UsageError(f"{shown(output)} is no output; there is: {walk.exit}")
        findings = tuple(walk.findings[node] for node in graph.nodes)
        parameters = sum(
            value.size
            for raw in graph.nodes.values()
            for key, value in raw.fields.items()
            if key in ("weight", "bias", "scale") and isinstance(value, np.ndarray)
        )
        summary = Summary(input=walk.entrance, output=walk.exit, file_parameters=parameters)
        summary = count_findings(summary, findings)
        report = Report(name, findings, summary, len(findings))
        if not report.ok:
            return None, report
        network = Network(list(walk.nodes.values()), walk.inputs)
    except ModelError as error:
        where = f"{error.place}: " if error.place and error.place != name else ""
        finding = Finding("", "", "refused", f"{where}{error.message}", error.remedy)
        return None, Report(name, (finding,), Summary())
    imported = Imported(
        network=network,
        file=graph.file,
        sha256=graph.sha256,
        external_sha256={},
        opset=0,
        producer=f"NIR {graph.version}".strip(),
        input_name=walk.entrance,
        integer_input=False,
        output_name=walk.exit,
        other_outputs=(),
        decoder=(),
        class_axis=None,
        findings=findings,
    )
    return imported, replace(report, summary=count_network(summary, network))


def load_nir(
    model: str | os.PathLike[str] | bytes,
    dt: float | None = None,
    reset: Reset | None = None,
    output: str | None = None,
) -> Imported:
    """Import a NIR graph.

    Parameters
    ----------
    model
        The file's path, or its bytes.
    dt
        Seconds a step; needed where a neuron has a time constant.
    reset
        What a spike does; needed where a neuron spikes.

    Raises
    ------
    ModelError
        The file cannot be read or is no NIR graph.
    UnsupportedError
        Nodes that cannot be converted: all of them, each with reason and remedy.
    """
    imported, report = examine_nir(model, dt, reset, output)
    if imported is None:
        if not report.findings[0].node:
            told = report.findings[0]
            raise ModelError(told.reason, place=report.path, remedy=told.remedy)
        raise refusal(report.path, report.refused)
    return imported
