"""A NIR graph walked node by node: a Network, and a verdict on every node."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from math import prod

import networkx as nx
import numpy as np

from neurodeploy.errors import ModelError, NeuroDeployError, UnsupportedError, UsageError, shown
from neurodeploy.importing.importer import Imported
from neurodeploy.importing.limits import MAX_ACTIVATION
from neurodeploy.importing.nir.graph import Ordered, ordered, spread_out, stated_shape
from neurodeploy.importing.nir.hdf5 import RawGraph, RawNode, read_graph
from neurodeploy.importing.nir.layers import LAYERS, scaled
from neurodeploy.importing.nir.neurons import NEURONS, Timing, delay_steps, neuron_of
from neurodeploy.importing.report.findings import Finding, Verdict
from neurodeploy.importing.report.report import Report, refusal
from neurodeploy.importing.report.summary import Summary, count_findings, count_network
from neurodeploy.network import Add, Conv, Delay, Dense, Input, Network, Node, Output, Shape

__all__ = ["examine_nir", "load_nir"]

_KNOWN = ", ".join(sorted({*LAYERS, *NEURONS, "Delay", "Input", "Output"}))


#: Nothing was said.
UNSTATED = Timing(None, None)


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
    befores: dict[str, str] = field(default_factory=dict)
    entrance: str = ""
    exit: str = ""

    def run(self) -> None:
        """Visit all nodes, sources first; loops are closed at the end."""
        self.graph = spread_out(self.graph)
        nodes = self.graph.nodes
        for kind in ("Input", "Output"):
            found = [raw.name for raw in nodes.values() if raw.kind == kind]
            if len(found) != 1:
                raise UnsupportedError(f"has {len(found)} nodes of type {kind}, not one")
        plan = ordered(self.graph)
        for name in plan.order:
            self._visit(nodes[name], plan)
        self._close(plan)
        exit_node = next(raw.name for raw in nodes.values() if raw.kind == "Output")
        whole = nx.DiGraph(self.graph.edges)
        whole.add_nodes_from(nodes)
        leads = {exit_node, *nx.ancestors(whole, exit_node)}
        for name in nodes:
            if name not in leads and self.findings[name].verdict == "converts":
                self._told(nodes[name], "refused", "leads to no output", "remove it")

    def _visit(self, raw: RawNode, plan: Ordered) -> None:
        try:
            if raw.kind == "Delay":
                self._told(raw, "converts", self._delayed(raw))
                return
            sources = []
            for source in plan.sources[raw.name]:
                if (source, raw.name) in plan.late:
                    sources.append(self._before(source))
                elif source in self.signals:
                    sources.append(self.signals[source])
            if len(sources) < len(plan.sources[raw.name]):
                self._told(raw, "unknown", "not examined: reads a refused node")
                return
            self._told(raw, "converts", self._built(raw, sources))
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

    def _delayed(self, raw: RawNode) -> str:
        """A Delay: what it reads is told when all else is built."""
        steps = delay_steps(raw, self.timing)
        shape = stated_shape(self.graph, raw.name)
        self._add(Delay(raw.name, shape=shape, steps=steps), (), shape)
        return f"arrives {steps} steps later, {_by(shape)}"

    def _before(self, neuron: str) -> _Signal:
        """What a neuron on a loop sent at the step before."""
        if neuron not in self.befores:
            shape = stated_shape(self.graph, neuron)
            self.befores[neuron] = self._own(f"{neuron}.before")
            self._add(Delay(self.befores[neuron], shape=shape), (), shape)
        return self.signals[self.befores[neuron]]

    def _close(self, plan: Ordered) -> None:
        """Give every delay its input."""
        nodes = self.graph.nodes
        for neuron, name in self.befores.items():
            self.inputs[name] = (neuron,)
            if neuron in self.signals and self.signals[neuron].shape != self.signals[name].shape:
                self._told(nodes[neuron], "refused", "its parameters do not fit what it reads",
                           "write the graph again")  # fmt: skip
        for raw in nodes.values():
            if raw.kind != "Delay" or raw.name not in self.signals:
                continue
            sources = plan.sources[raw.name]
            if not sources or any(source not in self.signals for source in sources):
                told = "not examined: reads a refused node" if sources else "reads nothing"
                self._told(raw, "unknown" if sources else "refused", told)
                continue
            x = self._summed(raw.name, [self.signals[source] for source in sources])
            x = self._settled(raw.name, x)
            shape = self.signals[raw.name].shape
            if x.shape != shape:
                told = f"delays {shape}, and reads {x.shape}"
                self._told(raw, "refused", told, "write the graph again")
            self.inputs[raw.name] = (x.name,)
        for loop in plan.loops:
            for name in loop:
                finding = self.findings[name]
                if finding.verdict == "converts":
                    said = f"on a loop of {len(loop)} neurons, where a spike takes a step to each"
                    self.findings[name] = replace(finding, reason=f"{finding.reason}; {said}")

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
        if np.any(neuron.back):
            x = self._with_own(raw.name, x, neuron.back)
        self._add(neuron.node, (x.name,), x.shape)
        return f"{neuron.said}, {_by(x.shape)}"

    def _with_own(self, name: str, x: _Signal, factor: float | np.ndarray) -> _Signal:
        """The signal, and what the neuron's own spike of the step before adds to it."""
        if name not in self.befores:
            self.befores[name] = self._own(f"{name}.before")
            self._add(Delay(self.befores[name], shape=x.shape), (), x.shape)
        own = scaled(self._own(f"{name}.late"), factor, x.shape)
        self._add(own, (self.befores[name],), x.shape)
        add = Add(self._own(f"{name}.with_late"))
        self._add(add, (x.name, own.name), x.shape)
        return self.signals[add.name]

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
    timing: Timing = UNSTATED,
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
        walk = _Walk(graph, timing)
        walk.run()
        if output is not None and output != walk.exit:
            raise UsageError(f"{shown(output)} is no output; there is: {walk.exit}")
        graph = walk.graph
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
    timing: Timing = UNSTATED,
    output: str | None = None,
) -> Imported:
    """Import a NIR graph.

    Parameters
    ----------
    model
        The file's path, or its bytes.
    timing
        What NIR leaves open; `dt` is needed where a neuron has a time constant, `reset` where one
        spikes.

    Raises
    ------
    ModelError
        The file cannot be read or is no NIR graph.
    UnsupportedError
        Nodes that cannot be converted: all of them, each with reason and remedy.
    """
    imported, report = examine_nir(model, timing, output)
    if imported is None:
        if not report.findings[0].node:
            told = report.findings[0]
            raise ModelError(told.reason, place=report.path, remedy=told.remedy)
        raise refusal(report.path, report.refused)
    return imported
