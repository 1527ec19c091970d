"""A copy of an ONNX file that carries the verdicts, for viewers such as Netron."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import onnx
from google.protobuf.message import DecodeError

from neurodeploy import __version__
from neurodeploy.errors import ModelError, UsageError
from neurodeploy.files import check_output, write_atomically
from neurodeploy.importing import Finding, Report
from neurodeploy.importing.reading.sources import Model, model_name, open_model
from neurodeploy.importing.reading.tensors import all_nodes

__all__ = ["VERDICTS", "write_annotated"]

#: Verdicts as people read them.
VERDICTS = {
    "converts": "converts",
    "folds": "folds away",
    "decoder": "moved to the decoder",
    "refused": "refused",
    "unknown": "not examined",
}
_KEY = "neurodeploy."
#: Begins a doc string that is ours, so that a second annotation replaces it.
_OURS = "neurodeploy: "
#: Refusals that the model's own metadata list.
_SHOWN = 20


def write_annotated(
    model: Model, out: str | Path, report: Report, options: Mapping[str, str]
) -> None:
    """Write the model with each node's verdict, reason and remedy in its metadata.

    1. Nodes of the main graph, by position: ``metadata_props`` with the keys
       ``neurodeploy.verdict``, ``.reason`` and ``.remedy``; the same as doc string where that is
       empty.
    2. The model: scheme, target, counts, and the first refusals, also where the model could be
       parsed but not read as a network.
    3. Everything else stays byte for byte what it was, the IR version too: readers older than
       node metadata (IR version 10) skip it, newer ones show it.
    4. Annotations of an earlier check are replaced, so that twice gives the same bytes.

    Refused: to write over the model or its external data; to write a model with external data
    into another folder, where its references would lead nowhere.

    Parameters
    ----------
    model
        What `report` is about: a path, or a model in memory.
    options
        What else the model's metadata tell, by key.

    Raises
    ------
    UsageError, ModelError, StorageError
    """
    source = Path(os.fsdecode(model)) if isinstance(model, str | os.PathLike) else None
    check_output(out, source)
    proto = onnx.ModelProto()
    place = model_name(model)
    try:
        proto.ParseFromString(open_model(model).content)
        external = set(_external(proto))
        if source is not None:
            _check_folder(source, out, external)
        if report.nodes not in (0, len(proto.graph.node)):
            raise ModelError("changed while it was checked", place=place)
        for node, finding in zip(proto.graph.node, report.findings[: report.nodes], strict=False):
            _annotate(node, finding)
        _set(proto, _about_model(report, options))
        content = proto.SerializeToString(deterministic=True)
    except (DecodeError, ValueError, RuntimeError) as error:  # names that are not text, too
        raise ModelError(
            "is not an ONNX file that could be annotated",
            place=place,
            remedy="export the model again",
        ) from error
    write_atomically(out, content)


def _external(model: onnx.ModelProto) -> Iterator[str]:
    """Locations of external data, in every tensor of the model."""
    graphs = [model.graph]
    tensors: list[onnx.TensorProto] = []
    for part in (model.graph, *model.functions):
        for node in all_nodes(part):
            for attribute in node.attribute:
                graphs += [attribute.g, *attribute.graphs]
                sparse = [attribute.sparse_tensor, *attribute.sparse_tensors]
                tensors += [attribute.t, *attribute.tensors]
                tensors += [part for one in sparse for part in (one.values, one.indices)]
    for graph in graphs:
        tensors += graph.initializer
        tensors += [part for one in graph.sparse_initializer for part in (one.values, one.indices)]
    for tensor in tensors:
        if tensor.data_location == onnx.TensorProto.EXTERNAL:
            yield from (entry.value for entry in tensor.external_data if entry.key == "location")


def _check_folder(model: Path, out: str | Path, external: set[str]) -> None:
    if not external:
        return
    folder = model.parent
    check_output(out, *(folder / name for name in sorted(external)))
    if not os.path.samefile(folder, Path(os.path.realpath(out)).parent):
        raise UsageError(
            f"{model.name} keeps its weights in {len(external)} files beside it, which a "
            "copy in another folder would not find",
            place=str(out),
            remedy=f"write the annotated model into {folder}",
        )


def _annotate(node: onnx.NodeProto, finding: Finding) -> None:
    verdict = VERDICTS[finding.verdict]
    _set(node, {"verdict": verdict, "reason": finding.reason, "remedy": finding.remedy})
    if not node.doc_string or node.doc_string.startswith(_OURS):
        remedy = f"; what to do: {finding.remedy}" if finding.remedy else ""
        node.doc_string = f"{_OURS}{verdict}: {finding.reason}{remedy}"


def _set(holder: Any, entries: Mapping[str, str]) -> None:
    """Our metadata of a node or model exchanged for these; empty ones are left out."""
    others = [(e.key, e.value) for e in holder.metadata_props if not e.key.startswith(_KEY)]
    del holder.metadata_props[:]
    ours = [(f"{_KEY}{key}", value) for key, value in entries.items() if value]
    for key, value in others + ours:
        holder.metadata_props.add(key=key, value=value)


def _about_model(report: Report, options: Mapping[str, str]) -> dict[str, str]:
    summary = report.summary
    counts = [f"{count} {VERDICTS[verdict]}" for verdict, count in summary.verdicts.items()]
    refusals = [
        f"{f.node} ({f.op_type}): {f.reason}" if f.node else f.reason for f in report.refused
    ]
    if len(refusals) > _SHOWN:
        refusals[_SHOWN:] = [f"... and {len(refusals) - _SHOWN} more"]
    numbers = {
        "parameters": summary.file_parameters,
        "layers": summary.layers,
        "neurons": summary.neurons,
        "relays": summary.relays,
    }
    return {
        "version": __version__,
        **options,
        "compiles": "yes" if report.ok else "no",
        "fits": "" if report.fits is None else "yes" if report.fits else "no",
        "output": summary.output or "",
        "nodes": ", ".join(counts),
        "coverage": "" if summary.coverage is None else f"{100 * summary.coverage:.1f} %",
        **{key: str(number) for key, number in numbers.items() if number is not None},
        "refused": "\n".join(refusals),
        "not_covered": summary.not_covered,
    }
