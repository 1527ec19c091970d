"""Does the importer say the truth of a file? Refused cleanly, or equal to ONNX Runtime."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto

from importer_fuzz.mutations import KNOWN
from importer_fuzz.quantised import is_quantised, real_valued, without_rounding
from neurodeploy.errors import NeuroDeployError
from neurodeploy.importing import Imported, Report, check, load_network
from neurodeploy.network.evaluate import Evaluator

__all__ = ["FAILURES", "OUTCOMES", "judge"]

#: What a file can come to; those of `FAILURES` are errors of the importer.
OUTCOMES = (
    "refused",  # by an error with a reason, `check` says the same, every node has a verdict
    "equal",  # the Network computes what ONNX Runtime computes
    "saturates",  # equal where quantisers do not saturate, which the Network does not model
    "rounding",  # differs by what float32 loses at its largest inner value
    "non-finite",  # ONNX Runtime itself computes infinities or NaN
    "not-compared",  # the decoder that was dropped lies inside a function or a branch
    "ort-refuses",  # imports, but ONNX Runtime does not take it: nothing to compare with
    "traceback",
    "wrong",
    "shape",
    "check-disagrees",
    "hang",
    "memory",
    "crash",
)
FAILURES = OUTCOMES[7:]

_DTYPES = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(double)": np.float64,
    "tensor(int8)": np.int8,
    "tensor(uint8)": np.uint8,
    "tensor(int16)": np.int16,
    "tensor(uint16)": np.uint16,
    "tensor(int32)": np.int32,
    "tensor(uint32)": np.uint32,
    "tensor(int64)": np.int64,
    "tensor(uint64)": np.uint64,
    "tensor(bool)": np.bool_,
}
#: Relative to the largest result; float16 models compute with ten bits of fraction.
TOLERANCE, HALF_TOLERANCE = 1e-3, 3e-2
#: Relative to the largest inner value: rounding errors of float32 that later layers enlarge.
ROUNDING = 2.0**-16
#: What findings on quantisers say of values beyond the grid.
_NOT_MODELLED = ("are not cut off", "samples are taken as they are")
#: Outcome and what explains it.
Verdict = tuple[str, str]


class OrtRefusesError(Exception):
    """ONNX Runtime cannot load or run the file."""


def _session(model: onnx.ModelProto | Path) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    source = str(model) if isinstance(model, Path) else model.SerializeToString()
    try:
        return ort.InferenceSession(source, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise OrtRefusesError(str(error)) from error


def _run(session: ort.InferenceSession, names: list[str], name: str, x: np.ndarray) -> list[Any]:
    try:
        return session.run(names, {name: x})
    except Exception as error:
        raise OrtRefusesError(str(error)) from error


def _verdicts(model: onnx.ModelProto | None, report: Report) -> str:
    """What is wrong with the findings, if anything: each node of the file has exactly one."""
    findings = report.findings
    names = [finding.node for finding in findings]
    if any(f.verdict == "refused" and not f.reason for f in findings):
        return "a refusal without a reason"
    if names == [""]:
        return "" if not report.ok else "a file without findings is fine"
    if model is None:
        return "findings on nodes of a file that does not parse"
    nodes = model.graph.node
    if len(set(names)) != len(names):
        return "two findings on one node"
    if len(names) < len(nodes):
        return f"{len(names)} findings for {len(nodes)} nodes"
    for node, finding in zip(nodes, findings, strict=False):
        if not finding.op_type.endswith(node.op_type):
            return f"finding on {node.op_type} speaks of {finding.op_type}"
        if node.name and finding.node != node.name and not finding.node.startswith(node.name):
            return f"finding on {node.name[:40]!r} is called {finding.node[:40]!r}"
    return ""


def _end(model: onnx.ModelProto, imported: Imported) -> str:
    """The ONNX value that the Network ends with: before the decoder, if there is one."""
    decoders = {
        name: node.input[0]
        for node, finding in zip(model.graph.node, imported.findings, strict=False)
        if finding.verdict == "decoder"
        for name in node.output
    }
    end = imported.output_name
    seen: set[str] = set()
    passed = dict(decoders)
    if decoders:
        # Between decoding nodes others may lie that only hand on.
        for node, finding in zip(model.graph.node, imported.findings, strict=False):
            if finding.verdict == "folds" and len(node.output) and len(node.input):
                passed.setdefault(node.output[0], node.input[0])
    last = end
    while end in passed and end not in seen:
        seen.add(end)
        if end in decoders:
            last = decoders[end]
        end = passed[end]
    return last


def _with_outputs(model: onnx.ModelProto, names: list[str]) -> onnx.ModelProto:
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    del copy.graph.output[:]
    del copy.graph.value_info[:]  # false claims count for nothing with the importer either
    inputs = {value.name: value for value in copy.graph.input}
    for name in names:
        copy.graph.output.add().CopyFrom(inputs.get(name, onnx.ValueInfoProto(name=name)))
    return copy


def _samples(entry: Any, shape: tuple[int, ...]) -> Iterator[np.ndarray]:
    """Batches of random samples, small and large, in the file's own batch size and type."""
    batch = entry.shape[0] if entry.shape and isinstance(entry.shape[0], int) else 1
    kind = _DTYPES.get(entry.type)
    if kind is None:
        raise OrtRefusesError(f"no samples of {entry.type}")
    rng = np.random.default_rng(5)
    for scale in (1.0, 1.0, 1.0, 4.0, 4.0):  # several: a neuron may be silent for one
        values = scale * rng.standard_normal((batch, *shape))
        if np.dtype(kind).kind == "f":
            yield values.astype(kind)
        elif np.dtype(kind).kind == "u":
            yield (16 * np.abs(values)).astype(kind)
        else:
            yield (values * (1 if kind == np.bool_ else 16)).astype(kind)


def _inner_peak(model: onnx.ModelProto, name: str, x: np.ndarray) -> float:
    """Largest finite value anywhere in the graph, as far as ONNX Runtime shows it."""
    names = [name for node in model.graph.node for name in node.output if name]
    try:
        results = _run(_session(_with_outputs(model, names)), names, name, x)
    except OrtRefusesError:
        return 0.0
    peak = 0.0
    for values in results:
        if isinstance(values, np.ndarray) and values.dtype.kind == "f" and values.size:
            finite = np.abs(values[np.isfinite(values)].astype(np.float64))
            peak = max(peak, float(finite.max(initial=0.0)))
    return peak


def _compare(
    model: onnx.ModelProto, end: str, imported: Imported, session: ort.InferenceSession
) -> Verdict:
    """Network and file on the same samples."""
    entry = session.get_inputs()[0]
    evaluator = Evaluator(imported.network)
    half = any(t.data_type == TensorProto.FLOAT16 for t in model.graph.initializer)
    half |= entry.type == "tensor(float16)"
    tolerance = HALF_TOLERANCE if half else TOLERANCE
    worst: Verdict = ("equal", "")
    for x in _samples(entry, imported.network.input.shape):
        wanted = x if end == entry.name else _run(session, [end], entry.name, x)[0]
        found = evaluator.run(x.astype(np.float32))[imported.network.output.name]
        if not isinstance(wanted, np.ndarray) or wanted.dtype.kind not in "fiub":
            return "shape", f"ONNX Runtime gives {type(wanted).__name__}"
        if found.shape != wanted.shape:
            return "shape", f"{found.shape}, ONNX Runtime has {wanted.shape}"
        wanted = wanted.astype(np.float64)
        if not np.isfinite(wanted).all():
            worst = max(worst, ("non-finite", ""), key=lambda v: OUTCOMES.index(v[0]))
            continue
        with np.errstate(all="ignore"):
            error = float(np.abs(found - wanted).max(initial=0.0))
        scale = float(np.abs(wanted).max(initial=0.0))
        if error <= tolerance * max(scale, 1e-6):
            continue
        said = f"off by {error:.3g} of {scale:.3g}"
        if error <= ROUNDING * _inner_peak(model, entry.name, x):
            worst = max(worst, ("rounding", said), key=lambda v: OUTCOMES.index(v[0]))
            continue
        return "wrong", said
    return worst


def _judge_numbers(path: Path, model: onnx.ModelProto, imported: Imported) -> Verdict:
    """Equal to ONNX Runtime, with its rounding to integers left out where it has any."""
    found = sum(f.verdict == "decoder" for f in imported.findings[: len(model.graph.node)])
    if found != len(imported.decoder):
        return "not-compared", f"{len(imported.decoder)} decoding nodes, {found} in the file"
    end = _end(model, imported)
    try:
        _session(path)
    except OrtRefusesError:
        model = _without_trifles(model)
    model, end = real_valued(model, end)
    cut = _with_outputs(model, [end])
    session = _session(_saved(cut, path) if _external(model) else cut)
    verdict = _compare(cut, end, imported, session)
    if verdict[0] != "wrong" or not is_quantised(model):
        return verdict
    # Rounding is not modelled, and where a finding says so, neither are the ends of a grid.
    open_ended = {
        name
        for node, finding in zip(model.graph.node, imported.findings, strict=False)
        if any(words in finding.reason for words in _NOT_MODELLED)
        for name in node.output
    }
    for unbounded, outcome in ((set(), "equal"), (open_ended, "saturates")):
        exact = without_rounding(cut, unbounded)
        if exact is None:
            return "not-compared", "a scale is no constant, or a function holds the quantiser"
        try:
            other = _compare(exact, end, imported, _session(exact))
        except OrtRefusesError:  # integers computed with between quantisers
            return "not-compared", "ONNX Runtime refuses it without the rounding"
        if other[0] not in FAILURES:
            return outcome if other[0] == "equal" else other[0], verdict[1]
    return verdict


def _without_trifles(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model without what ONNX Runtime refuses and no operator could mean.

    1. Names of nodes, which may repeat. 2. Attributes that no version of the operator has.
    """
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    for node in copy.graph.node:
        node.name = ""
        if node.op_type in KNOWN and node.domain in ("", "ai.onnx"):
            kept = [a for a in node.attribute if a.name in KNOWN[node.op_type]]
            del node.attribute[:]
            node.attribute.extend(kept)
    return copy


def _external(model: onnx.ModelProto) -> bool:
    return any(t.data_location == TensorProto.EXTERNAL for t in model.graph.initializer)


def _saved(model: onnx.ModelProto, path: Path) -> Path:
    """Beside the file, where its external data lies."""
    other = path.with_name("cut.onnx")
    other.write_bytes(model.SerializeToString())
    return other


def _parsed(path: Path) -> onnx.ModelProto | None:
    model = onnx.ModelProto()
    try:
        model.ParseFromString(path.read_bytes())
        model.SerializeToString()
        [name for node in model.graph.node for name in (node.op_type, node.name)]
    except Exception:
        return None
    return model


def judge(path: Path, phase: Callable[[str], None] = lambda name: None) -> dict[str, Any]:
    """Import a file, check it, and compare with ONNX Runtime.

    Parameters
    ----------
    path
        The file.
    phase
        Told what begins: ``import``, ``compare``; a crash belongs to it.

    Returns
    -------
    dict
        ``outcome`` and ``detail``; ``seconds`` of the import; ``reasons`` of a refusal.
    """
    phase("import")
    start = time.process_time()
    imported: Imported | None = None
    refused: NeuroDeployError | None = None
    try:
        report = check(path)
        try:
            imported = load_network(path)
        except NeuroDeployError as error:
            refused = error
    except BaseException:
        last = traceback.format_exc().strip().splitlines()
        return {"outcome": "traceback", "detail": "\n".join(last[-6:])}
    seconds = round(time.process_time() - start, 2)
    phase("compare")
    result: dict[str, Any] = {"seconds": seconds, "reasons": []}
    model = _parsed(path)
    wrong = _verdicts(model, report)
    if report.ok != (refused is None):
        wrong = f"check says {report.ok}, loading says {refused or 'fine'}"
    elif imported is not None and imported.findings != report.findings:
        wrong = "check and import have different findings"
    if wrong:
        return {**result, "outcome": "check-disagrees", "detail": wrong}
    if imported is None or model is None:
        result["reasons"] = [f"{f.op_type or 'file'}: {f.reason[-200:]}" for f in report.refused]
        return {**result, "outcome": "refused", "detail": str(refused)[:300]}
    try:
        outcome, detail = _judge_numbers(path, model, imported)
    except OrtRefusesError as error:
        outcome, detail = "ort-refuses", " ".join(str(error).split())[:300]
    except Exception:  # the Network's own evaluation, or this oracle
        last = traceback.format_exc().strip().splitlines()
        outcome, detail = "traceback", "\n".join(last[-6:])
    return {**result, "outcome": outcome, "detail": detail}
