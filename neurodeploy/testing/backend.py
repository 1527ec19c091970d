"""ONNX's own backend tests, asked one question: does the Network reproduce the recorded output?

The onnx package generates a case or more for each operator (``node``), and ships models converted
from PyTorch and nine well-known architectures with constant weights (``light``). Each either
imports and gives the recorded numbers, or is refused with a reason.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from neurodeploy.errors import NeuroDeployError
from neurodeploy.importing import Imported, check, load_network
from neurodeploy.importing.constants.folding import FOLDABLE
from neurodeploy.importing.outputs.class_decoder import DECODERS
from neurodeploy.importing.registry import HANDLERS
from neurodeploy.network.evaluate import Evaluator

__all__ = ["KINDS", "Case", "Outcome", "cases", "covered", "examine"]

KINDS = ("node", "pytorch-converted", "pytorch-operator", "light")
#: Error in relation to the largest output; some cases are recorded to four digits.
TOLERANCE = 1e-4


@dataclass(frozen=True)
class Case:
    """One test: a model, its inputs and the outputs recorded for them."""

    name: str
    kind: str
    model: onnx.ModelProto
    inputs: tuple[np.ndarray, ...]
    outputs: tuple[np.ndarray, ...]
    tolerance: float

    @property
    def operators(self) -> tuple[str, ...]:
        """Operators of its graph, each once."""
        return tuple(dict.fromkeys(node.op_type for node in self.model.graph.node))


@dataclass(frozen=True)
class Outcome:
    """What became of a case.

    Attributes
    ----------
    verdict
        ``equal``, ``refused``, or a mistake: ``wrong`` (the numbers), ``crash`` (no
        `NeuroDeployError`), ``disagrees`` (`check` and `load_network`).
    reason
        Of a refusal or a mistake.
    """

    case: Case
    verdict: str
    reason: str = ""

    @property
    def is_mistake(self) -> bool:
        """Whether it must not happen."""
        return self.verdict not in ("equal", "refused")


def _numbers(arrays: Sequence[object]) -> tuple[np.ndarray, ...] | None:
    """The arrays, or None if one is no tensor of numbers (sequences, optionals, strings)."""
    found = [array for array in arrays if isinstance(array, np.ndarray | np.generic)]
    if len(found) < len(arrays) or any(a.dtype.kind not in "fiub" for a in found):
        return None
    return tuple(np.asarray(a) for a in found)


def _tensor(path: Path) -> np.ndarray:
    tensor = onnx.TensorProto()
    tensor.ParseFromString(path.read_bytes())
    return numpy_helper.to_array(tensor)


def cases(kind: str) -> Iterator[Case]:
    """All cases of one of `KINDS` whose inputs and outputs are tensors of numbers."""
    if kind == "node":
        from onnx.backend.test.loader import load_model_tests

        for test in load_model_tests(kind="node"):
            if test.model is None or not test.data_sets or not test.data_sets[0][0]:
                continue
            inputs, outputs = (_numbers(arrays) for arrays in test.data_sets[0])
            if inputs is not None and outputs is not None:
                tolerance = max(test.rtol, TOLERANCE)
                yield Case(test.name, kind, test.model, inputs, outputs, tolerance)
        return
    import onnx.backend.test

    folder = Path(onnx.backend.test.__file__).parent / "data" / kind
    if kind == "light":
        for path in sorted(folder.glob("*.onnx")):
            model = onnx.load(path)
            shape = [d.dim_value for d in _data_inputs(model)[0].type.tensor_type.shape.dim]
            size = int(np.prod(shape))
            x = (np.arange(size) / size).reshape(shape).astype(np.float32)  # as onnx's runner does
            output = _tensor(path.with_name(f"{path.stem}_output_0.pb"))
            yield Case(path.stem, kind, model, (x,), (output,), 1e-3)
        return
    for place in sorted(folder.iterdir()):
        data = place / "test_data_set_0"
        inputs, outputs = (
            _numbers([_tensor(path) for path in sorted(data.glob(f"{which}_*.pb"))])
            for which in ("input", "output")
        )
        if inputs and outputs:
            case = Case(place.name, kind, onnx.load(place / "model.onnx"), inputs, outputs, 1e-3)
            yield case if _in_range(inputs) else _redrawn(case)


def covered(case: Case) -> bool:
    """Whether a case says something of this importer: no ``node`` case of a refused operator."""
    own = {*HANDLERS, *DECODERS}
    operators = set(case.operators)
    return case.kind != "node" or (bool(operators & own) and operators <= own | FOLDABLE)


def _in_range(arrays: Sequence[np.ndarray]) -> bool:
    """Whether float32, in which Networks compute, holds the numbers."""
    with np.errstate(over="ignore"):
        return all(
            np.isfinite(a.astype(np.float32)).all() and np.abs(a).max() > 1e-30 for a in arrays
        )


def _redrawn(case: Case) -> Case:
    """The case with other inputs; four were recorded from memory that nobody had written to."""
    rng = np.random.default_rng(0)
    inputs = tuple(rng.standard_normal(a.shape).astype(a.dtype) for a in case.inputs)
    names = [value.name for value in _data_inputs(case.model)]
    outputs = ReferenceEvaluator(case.model).run(None, dict(zip(names, inputs, strict=True)))
    return replace(case, inputs=inputs, outputs=tuple(np.asarray(y) for y in outputs))


def _data_inputs(model: onnx.ModelProto) -> list[onnx.ValueInfoProto]:
    constants = {tensor.name for tensor in model.graph.initializer}
    return [value for value in model.graph.input if value.name not in constants]


def _frozen(case: Case) -> tuple[onnx.ModelProto, np.ndarray]:
    """Every input but the first as an initialiser, as trained networks have them."""
    model = onnx.ModelProto()
    model.CopyFrom(case.model)
    values = _data_inputs(model)
    for value, array in list(zip(values, case.inputs, strict=False))[1:]:
        model.graph.initializer.append(numpy_helper.from_array(array, value.name))
        model.graph.input.remove(value)
    return model, case.inputs[0]


def _joined(case: Case) -> tuple[onnx.ModelProto, np.ndarray] | None:
    """Every input an activation: parts of one input row. None if they share no batch axis."""
    arrays = case.inputs
    if len(arrays) < 2 or any(
        a.dtype != np.float32 or a.ndim < 2 or a.shape[0] != arrays[0].shape[0] for a in arrays
    ):
        return None
    model = onnx.ModelProto()
    model.CopyFrom(case.model)
    opset = next(o.version for o in model.opset_import if o.domain in ("", "ai.onnx"))
    batch = arrays[0].shape[0]
    nodes, ends = [], np.cumsum([0] + [a.size // batch for a in arrays])
    for i, (value, array) in enumerate(zip(_data_inputs(model), arrays, strict=True)):
        bounds: dict[str, Any] = {"starts": [ends[i]], "ends": [ends[i + 1]], "axes": [1]}
        part, shape = f"join_part_{i}", f"join_shape_{i}"
        constants: dict[str, Sequence[int]] = {shape: array.shape}
        if opset < 10:
            nodes.append(helper.make_node("Slice", ["joined"], [part], **bounds))
        else:
            names = {f"join_{name}_{i}": numbers for name, numbers in bounds.items()}
            constants.update(names)
            nodes.append(helper.make_node("Slice", ["joined", *names], [part]))
        for name, numbers in constants.items():
            tensor = numpy_helper.from_array(np.array(numbers, np.int64), name)
            model.graph.initializer.append(tensor)
        nodes.append(helper.make_node("Reshape", [part, shape], [value.name]))
        model.graph.input.remove(value)
    row = [batch, int(ends[-1])]
    model.graph.input.append(helper.make_tensor_value_info("joined", TensorProto.FLOAT, row))
    own = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend([*nodes, *own])
    return model, np.concatenate([a.reshape(batch, -1) for a in arrays], axis=1)


def decode(model: onnx.ModelProto, imported: Imported, found: np.ndarray) -> np.ndarray:
    """Apply to a network's outputs the nodes that the importer moved to the decoder."""
    if not imported.decoder:
        return found
    makers = {name: node for node in model.graph.node for name in node.output}
    trail: list[onnx.NodeProto] = []
    value = imported.output_name
    for _ in imported.decoder:
        trail.insert(0, makers[value])
        value = makers[value].input[0]
    graph = helper.make_graph(
        trail,
        "decoder",
        [helper.make_tensor_value_info(value, TensorProto.FLOAT, list(found.shape))],
        [onnx.ValueInfoProto(name=imported.output_name)],
        list(model.graph.initializer),
    )
    tail = helper.make_model(graph, ir_version=8, opset_imports=list(model.opset_import))
    options = ort.SessionOptions()
    options.log_severity_level = 4
    session = ort.InferenceSession(
        tail.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return session.run(None, {value: found})[0]


#: Where operators that end in integers have their output's scale and zero point.
_OUTPUT_SCALE = {"QuantizeLinear": 1, "QLinearConv": 6, "QLinearMatMul": 6}


def _real(case: Case, found: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """A result and the first recorded output as real numbers, and the step of its quantiser.

    A quantiser at the very end rounds and saturates what the network computes; the step is 0 where
    there is none.
    """
    (*_, last), recorded = case.model.graph.node, case.outputs[0].astype(np.float64)
    if last.op_type not in _OUTPUT_SCALE:
        return found.astype(np.float64), recorded, 0.0
    at = _OUTPUT_SCALE[last.op_type]
    known = dict(zip([v.name for v in _data_inputs(case.model)], case.inputs, strict=False))
    scale, zero = (known.get(name, np.zeros(1)) for name in (*last.input[at : at + 2], "")[:2])
    scale, zero = np.asarray(scale, np.float64), zero.astype(np.float64)
    range_ = np.iinfo(case.outputs[0].dtype)
    low, high = ((end - zero) * scale for end in (range_.min, range_.max))
    return np.clip(found, low, high), (recorded - zero) * scale, float(scale.max())


def _verdict(case: Case, model: onnx.ModelProto, x: np.ndarray) -> Outcome:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "case.onnx"
        path.write_bytes(model.SerializeToString())
        report = check(path)
        try:
            imported = load_network(path)
        except NeuroDeployError as error:
            if report.ok or not report.refused:
                return Outcome(case, "disagrees", str(error))
            reasons = dict.fromkeys(
                f"{f.op_type}: {f.reason}" if f.op_type else f.reason for f in report.refused
            )
            return Outcome(case, "refused", "; ".join(reasons).replace(f"{path}: ", ""))
        if not report.ok:
            return Outcome(case, "disagrees", "; ".join(f.reason for f in report.refused))
        found = Evaluator(imported.network).run(x.astype(np.float32))["output"]
        found = decode(model, imported, found)
    found, wanted, step = _real(case, found)
    if found.shape != wanted.shape:
        return Outcome(case, "wrong", f"shape {found.shape}, not {wanted.shape}")
    scale = max(float(np.abs(wanted).max()), 1e-6)
    gap = float(np.abs(found - wanted).max()) / scale
    if not gap <= case.tolerance + 0.51 * step / scale:
        return Outcome(case, "wrong", f"relative error {gap:.2g}")
    return Outcome(case, "equal")


def examine(case: Case) -> Outcome:
    """Import a case and compare it.

    Its first input is the data and the others constants; where that is refused and all inputs
    are batches, all of them are data.
    """
    try:
        outcome = _verdict(case, *_frozen(case))
        joined = _joined(case) if outcome.verdict == "refused" else None
        if joined is not None:
            other = _verdict(case, *joined)
            outcome = other if other.verdict != "refused" else outcome
    except Exception as error:  # the very thing that is looked for
        return Outcome(case, "crash", f"{type(error).__name__}: {error}")
    return outcome
