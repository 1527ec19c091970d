"""ONNX file to Network, and the same walk as a report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NoReturn

import onnx_ir as ir

import neurodeploy.importing.operators  # noqa: F401 - registers the handlers
from neurodeploy.errors import ModelError, NeuroDeployError, UnsupportedError
from neurodeploy.importing.building.builder import Builder, Signal
from neurodeploy.importing.building.input_gain import input_gain
from neurodeploy.importing.building.integer_grid import entrance_grid
from neurodeploy.importing.building.operation import Operation
from neurodeploy.importing.building.staircases import Staircase, Staircases, find_staircases
from neurodeploy.importing.cleaning import Cleaned, clean
from neurodeploy.importing.operators.levels import staircase
from neurodeploy.importing.outputs.choosing import Outputs, choose_output
from neurodeploy.importing.outputs.class_decoder import check_decoder, class_axis, decoder_nodes
from neurodeploy.importing.outputs.classifier_tail import ML, Tail, cut_tail
from neurodeploy.importing.outputs.decoder_order import faults
from neurodeploy.importing.reading.protobuf import read_model
from neurodeploy.importing.reading.schemas import check_schema
from neurodeploy.importing.reading.sources import Model, model_name
from neurodeploy.importing.registry import HANDLERS, Handler
from neurodeploy.importing.report.causes import name_causes
from neurodeploy.importing.report.findings import Finding
from neurodeploy.importing.report.refusals import refuse, refuse_constant
from neurodeploy.importing.report.report import Report, refusal
from neurodeploy.importing.report.summary import (
    Summary,
    count_findings,
    count_network,
    file_parameters,
)
from neurodeploy.network import Input, Network

__all__ = ["Imported", "check", "examine", "load_network"]


@dataclass(frozen=True)
class Imported:
    """A Network and where it came from.

    Attributes
    ----------
    network
        The float network.
    file
        Name of the ONNX file, without its folder; empty for a model in memory.
    sha256, external_sha256
        Of the ONNX file, and of each external data file by location.
    opset, producer
        Operator set version and the exporter's name for itself.
    integer_input
        Whether the model takes integers (then a network input is such an integer, unscaled).
    input_name, output_name
        As the file names them.
    other_outputs
        Outputs of the file that are left out.
    decoder
        Operators behind the network's last result that were dropped, in order.
    class_axis
        Along which these choose, in the output without its batch axis; None where none does.
    findings
        One a node of the file.
    classes
        Label of each output (of no and yes where there is one output), where the file has such
        labels behind its scores; else empty.
    note
        What a user should know of the operators that were dropped; mostly empty.
    input_gain
        By how much the model scales its input itself, before the first layer.
    """

    network: Network
    file: str
    sha256: str
    external_sha256: dict[str, str]
    opset: int
    producer: str
    input_name: str
    integer_input: bool
    output_name: str
    other_outputs: tuple[str, ...]
    decoder: tuple[str, ...]
    class_axis: int | None
    findings: tuple[Finding, ...]
    classes: tuple[int | str, ...] = ()
    note: str = ""
    input_gain: float = 1.0


@dataclass
class _Walk:
    """State of one pass over the cleaned graph."""

    cleaned: Cleaned
    opset: int
    builder: Builder
    signals: dict[ir.Value, Signal] = field(default_factory=dict)
    #: Results of nodes that left no trace, behind a value that others read, too.
    shared: set[ir.Value] = field(default_factory=set)
    #: Results whose shape nobody knows, because a refused node lies before them.
    unknown: set[ir.Value] = field(default_factory=set)
    findings: dict[str, Finding] = field(default_factory=dict)
    #: What stood behind the scores of a classifier of scikit-learn.
    tail: Tail | None = None
    #: Nodes that only decode, in order.
    decoder: tuple[ir.Node, ...] = ()
    #: Activations of a few levels, written out over several nodes.
    stairs: Staircases = field(default_factory=lambda: Staircases({}, {}))

    def exclusive(self, value: ir.Value) -> bool:
        """Whether one node alone reads `value`, seen through nodes that left no trace."""
        alone = len(value.uses()) == 1 and not value.is_graph_output()
        return alone and value not in self.shared

    def visit(self, node: ir.Node) -> None:
        """Import one node and record the finding."""
        operation = Operation(node, self.opset, self.signals, self.exclusive)
        name, kind = operation.name, node.op_type
        if node.domain not in ("", "ai.onnx"):
            kind = f"{node.domain}::{kind}"
        before = len(self.builder)
        try:
            handler = HANDLERS.get(kind)
            if name in self.cleaned.unfolded:
                refuse_constant(operation, kind, self.cleaned.unfolded[name])
            stairs = self.stairs.ends.get(node)
            if stairs is not None:
                handler = self._staircase(stairs)
            if handler is None:
                refuse(operation, kind)
            check_schema(node, self.opset)
            reads = node.inputs if stairs is None else (stairs.base,)
            if any(value in self.unknown for value in reads if value is not None):
                self._skip(
                    node, Finding(name, kind, "unknown", "not examined: reads a refused node")
                )
                return
            results = handler(operation, self.builder)
        except NeuroDeployError as error:
            where = f"{error.place}: " if error.place and error.place != name else ""
            reason = f"{where}{error.message}"
            self._skip(node, Finding(name, kind, "refused", reason, error.remedy))
            return
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            # A malformed node that no rule foresaw; to the user it is one more bad node.
            reason = f"is malformed ({type(error).__name__}: {error})"
            self._skip(node, Finding(name, kind, "refused", reason, "export the model again"))
            return
        results = (results,) if isinstance(results, Signal) else tuple(results)
        self._record(operation, kind, results, self.builder.kinds_since(before))

    def _staircase(self, stairs: Staircase) -> Handler:
        """A handler that imports a whole staircase at its last node."""

        def handler(operation: Operation, net: Builder) -> Signal:
            base = stairs.base
            if base not in self.signals:
                raise ModelError(f"reads {base.name!r}, which is no activation")
            x = self.signals[base]
            if x.grid is not None:
                raise UnsupportedError(
                    "rounds quantised integers",
                    remedy="put DequantizeLinear, or a Cast to float, before it",
                )
            own = {*self.stairs.inner, *self.stairs.ends}
            alone = all(use.node in own for use in base.uses())
            alone &= not base.is_graph_output() and base not in self.shared
            alone &= sum(s.base is base for s in self.stairs.ends.values()) == 1
            return staircase(operation, net, stairs, x, alone)

        return handler

    def _record(
        self, operation: Operation, kind: str, results: Sequence[Signal], added: str
    ) -> None:
        node = operation.node
        self.signals.update(zip(node.outputs, results, strict=False))
        for value in node.outputs[len(results) :]:
            self.unknown.add(value)
        if added:
            reason = operation.note or f"becomes {added}"
            self.findings[operation.name] = Finding(operation.name, kind, "converts", reason)
            return
        for source in node.inputs:
            same = source is not None and self._is_at(source, results[0])
            if source is not None and same and not self.exclusive(source):
                self.shared.add(node.outputs[0])
        reason = operation.note or "has no effect at inference"
        self.findings[operation.name] = Finding(operation.name, kind, "folds", reason)

    def _is_at(self, value: ir.Value, result: Signal) -> bool:
        signal = self.signals.get(value)
        return signal is not None and signal.name == result.name

    def _skip(self, node: ir.Node, finding: Finding) -> None:
        """Record a node that was not imported and go on behind it if its shape is known."""
        self.findings[finding.node] = finding
        for value in node.outputs:
            shape = value.shape
            dims = [] if shape is None else [d for d in shape if isinstance(d, int) and d > 0]
            if shape is None or len(dims) != len(shape) or dims[:1] != [self.builder.batch]:
                self.unknown.add(value)
                continue
            stand_in = Input(self.builder.unique(f"{finding.node}?"), shape=tuple(dims[1:]))
            try:
                self.signals[value] = self.builder.enter(stand_in, entrance_grid(value.dtype))
            except ModelError:
                self.unknown.add(value)


def _ends(cleaned: Cleaned) -> tuple[ir.Value, ir.Value]:
    """The graph's input and the output that was chosen."""
    graph = cleaned.model.graph
    outputs = [value for value in graph.outputs if value is not None]
    if not outputs:
        raise ModelError("has no output", remedy="export the model with the classifier's output")
    return graph.inputs[0], outputs[0]


def _needed(exit_value: ir.Value) -> set[ir.Node]:
    """The nodes that a value depends on; clean-up leaves others that a dropped branch had read."""
    needed: set[ir.Node] = set()
    stack: list[ir.Value | None] = [exit_value]
    while stack:
        value = stack.pop()
        node = None if value is None else value.producer()
        if node is None or node in needed:
            continue
        needed.add(node)
        stack.extend(node.inputs)
        for attribute in node.attributes.values():
            if attribute.type == ir.AttributeType.GRAPH and not attribute.is_ref():
                stack.extend(v for inner in attribute.as_graph().all_nodes() for v in inner.inputs)
    return needed


def _walk(cleaned: Cleaned) -> tuple[_Walk, Signal | None, tuple[str, ...]]:
    classical = any(kind.startswith(f"{ML}::") for _, kind in cleaned.original)
    tail = cut_tail(cleaned.model, cleaned.batch) if classical else None
    entrance, exit_value = _ends(cleaned)
    walk = _Walk(cleaned, cleaned.opset, Builder(cleaned.batch), tail=tail)
    shape = tuple(int(d) for d in (entrance.shape or ()) if isinstance(d, int))[1:]
    name = walk.builder.unique(entrance.name or "input")
    grid = entrance_grid(entrance.dtype)
    walk.signals[entrance] = walk.builder.enter(Input(name, shape=shape), grid)
    decoder, result = decoder_nodes(exit_value)
    misread = faults(decoder, cleaned.opset)
    needed = _needed(exit_value)
    walk.stairs = find_staircases(
        exit_value, [node for node in cleaned.model.graph if node in needed], decoder
    )
    for node in cleaned.model.graph:
        if node not in needed:
            continue
        if node in walk.stairs.inner:
            reason = f"part of the staircase {walk.stairs.inner[node]!r}"
            found = Finding(node.name or node.op_type, node.op_type, "folds", reason)
            walk.findings[found.node] = found
        elif node in decoder:
            operation = Operation(node, cleaned.opset, walk.signals, walk.exclusive)
            finding = check_decoder(operation)
            if node in misread and finding.verdict != "refused":
                finding = replace(finding, verdict="refused", **misread[node]._asdict())
            walk.findings[finding.node] = finding
        else:
            walk.visit(node)
    walk.findings = name_causes(cleaned.model.graph, walk.findings)
    final = walk.signals.get(result)
    if final is None and not any(f.verdict == "refused" for f in walk.findings.values()):
        raise ModelError("the output does not depend on the input", place=str(exit_value.name))
    walk.decoder = decoder
    kinds = tuple(node.op_type for node in decoder)
    if tail is not None:
        walk.findings |= {finding.node: finding for finding in tail.findings}
        kinds += tail.operators
    return walk, final, kinds


def _in_file_order(walk: _Walk, outputs: Outputs) -> tuple[Finding, ...]:
    """Findings for every node of the file, then for those that came out of its functions."""
    left = dict(walk.findings)
    ordered = []
    for index, (name, kind) in enumerate(walk.cleaned.original):
        gone = "constant, shape arithmetic or unused: removed by clean-up"
        if kind in walk.cleaned.functions:
            gone = "a function: its body is written out"
        elif kind == "If":
            gone = "its condition is constant: the branch is written out"
        gone = outputs.aside.get(index, gone)
        found = Finding(name, kind, "folds", gone)
        if index in outputs.decoders:
            found = Finding(name, kind, "decoder", "names the outputs; their order is unchanged")
        ordered.append(left.pop(name, found))
    # Of nodes that are not the file's own, only those that say something.
    return (*ordered, *(finding for finding in left.values() if finding.verdict != "folds"))


def _examine(model: Model, output: str | None) -> tuple[Imported | None, Report]:
    """Read, clean and walk a file: the one way in, for importing and for checking."""
    name = model_name(model)
    try:
        source = read_model(model)
        parameters = file_parameters(source.model)
        outputs = choose_output(source.model.graph, output)
        cleaned = clean(source.model)
        walk, final, decoder = _walk(cleaned)
        findings = _in_file_order(walk, outputs)
        summary = Summary(
            input=str(cleaned.model.graph.inputs[0].name),
            output=outputs.taken,
            other_outputs=outputs.others,
            opset=source.opset,
            file_parameters=parameters,
        )
        summary = count_findings(summary, findings)
        report = Report(name, findings, summary, len(cleaned.original))
        if not report.ok or final is None:
            return None, report
        network = walk.builder.build(final)
        imported = Imported(
            network=network,
            file=source.file,
            sha256=source.sha256,
            external_sha256=source.external_sha256,
            opset=source.opset,
            producer=" ".join(
                filter(None, (source.model.producer_name, source.model.producer_version))
            ),
            input_name=str(cleaned.model.graph.inputs[0].name),
            integer_input=entrance_grid(cleaned.model.graph.inputs[0].dtype) is not None,
            output_name=outputs.taken,
            other_outputs=outputs.others,
            decoder=decoder + ("ZipMap",) * len(outputs.decoders),
            class_axis=class_axis(
                walk.decoder, len(network.shapes[network.output.name]), cleaned.opset
            ),
            findings=findings,
            classes=(walk.tail.classes if walk.tail else ()) or outputs.classes,
            note=walk.tail.note if walk.tail else "",
            input_gain=input_gain(cleaned.model.graph.inputs[0]),
        )
    except ModelError as error:
        _at(error, name)
    except UnicodeDecodeError as error:  # protobuf decodes names when they are first read
        raise ModelError(
            "holds names that are not text", place=name, remedy="export the model again"
        ) from error
    except (RecursionError, MemoryError) as error:
        raise ModelError(f"is too deep or too large ({error})", place=name) from error
    return imported, replace(report, summary=count_network(summary, network))


def _at(error: ModelError, path: str) -> NoReturn:
    """The same error with the file in front of its place."""
    if error.place.startswith(path):
        raise error
    place = f"{path}: {error.place}" if error.place else path
    raise type(error)(error.message, place=place, remedy=error.remedy) from error


def load_network(model: Model, output: str | None = None) -> Imported:
    """Import an ONNX file, or a model in memory.

    Parameters
    ----------
    model
        The file's path (external data must lie in its folder), its bytes, an
        ``onnx.ModelProto`` or an ``onnx_ir.Model``.
    output
        Name of the output to compute, where the file has several; default: the first. What leads
        only to others is left out.

    Returns
    -------
    Imported
        The Network and its provenance.

    Raises
    ------
    ModelError
        The file cannot be read or is no valid model.
    UnsupportedError
        Nodes that cannot become spikes: all of them, each with reason and remedy.
    UsageError
        The model has no output of that name; or it is no model at all, by its type.
    """
    imported, report = _examine(model, output)
    if imported is None:
        raise refusal(model_name(model), report.refused)
    return imported


def examine(model: Model, output: str | None = None) -> tuple[Imported | None, Report]:
    """`load_network` and `check` in one walk; without Imported where the report is not ok."""
    try:
        return _examine(model, output)
    except ModelError as error:
        where = f"{error.place}: " if error.place else ""
        finding = Finding("", "", "refused", f"{where}{error.message}", error.remedy)
        return None, Report(model_name(model), (finding,), Summary())


def check(model: Model, output: str | None = None) -> Report:
    """Say of every node of an ONNX file whether it imports, and if not, why.

    The same walk as `load_network`: `Report.ok` holds exactly if that succeeds. Never raises for
    a bad file; a file that cannot be read is one finding without a node.

    Raises
    ------
    UsageError
        The model has no output of that name; or it is no model at all, by its type.
    """
    return examine(model, output)[1]
