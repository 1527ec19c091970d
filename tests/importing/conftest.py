"""Small ONNX graphs, and the one question asked of them: does the Network equal ONNX Runtime?"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

from neurodeploy.errors import ModelError, UnsupportedError
from neurodeploy.importing import Imported, Report, check, load_network
from neurodeploy.network.evaluate import Evaluator

ort.set_default_logger_severity(4)
# helpers of this folder by name (Lava owns the package name `tests`)
sys.path.insert(0, str(Path(__file__).resolve().parent))

NodeSpec = tuple


def _model(
    nodes: Sequence[NodeSpec],
    shape: Sequence[int | str],
    opset: int = 17,
    batch: int | str = "batch",
    output: str = "y",
    dtype: int = TensorProto.FLOAT,
    **constants: np.ndarray,
) -> onnx.ModelProto:
    """`nodes` are (operator, inputs, outputs) or (operator, inputs, outputs, attributes).

    Inputs and outputs are words in one string, ``-`` for an omitted one. A node is named after its
    first output with a dash: result ``y`` comes from node ``n-y``.
    """
    made = []
    for spec in nodes:
        kind, reads, writes, *attributes = spec
        inputs = ["" if word == "-" else word for word in reads.split()]
        outputs = writes.split()
        extra = attributes[0] if attributes else {}
        made.append(helper.make_node(kind, inputs, outputs, f"n-{outputs[0]}", **extra))
    graph = helper.make_graph(
        made,
        "test",
        [helper.make_tensor_value_info("x", dtype, [batch, *shape])],
        [onnx.ValueInfoProto(name=name) for name in output.split()],
        [numpy_helper.from_array(np.asarray(v), k) for k, v in constants.items()],
    )
    for value in graph.output:
        value.type.tensor_type.elem_type = dtype
    return helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", opset)])


@pytest.fixture(scope="session")
def model() -> Callable[..., onnx.ModelProto]:
    return _model


@pytest.fixture(scope="session")
def save(tmp_path_factory: pytest.TempPathFactory) -> Callable[[onnx.ModelProto], Path]:
    folder, numbers = tmp_path_factory.mktemp("models"), count()

    def write(proto: onnx.ModelProto) -> Path:
        path = folder / f"{next(numbers)}.onnx"
        path.write_bytes(proto.SerializeToString())
        return path

    return write


def _compare(
    path: Path, tolerance: float, batch: int, samples: np.ndarray | None = None
) -> Imported:
    imported = load_network(path)
    assert check(path).ok
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    entry = session.get_inputs()[0]
    size = entry.shape[0] if isinstance(entry.shape[0], int) else batch
    kind = {"tensor(float16)": np.float16, "tensor(double)": np.float64}
    if samples is None:
        rng = np.random.default_rng(7)
        samples = rng.standard_normal((size, *imported.network.input.shape))
    x = samples.astype(kind.get(entry.type, np.float32))
    (wanted,) = session.run(None, {entry.name: x})
    found = Evaluator(imported.network).run(x.astype(np.float32))["output"]
    assert found.shape == wanted.shape
    error = np.abs(found - wanted.astype(np.float64)).max()
    assert error <= tolerance * max(np.abs(wanted).max(), 1e-6)
    return imported


@pytest.fixture(scope="session")
def agree(save: Callable[[onnx.ModelProto], Path]) -> Callable[..., Imported]:
    """Import, evaluate, compare with ONNX Runtime on the original; returns what was imported."""

    def compare(
        proto: onnx.ModelProto | Path,
        tolerance: float = 1e-4,
        batch: int = 3,
        samples: np.ndarray | None = None,
    ) -> Imported:
        path = proto if isinstance(proto, Path) else save(proto)
        return _compare(path, tolerance, batch, samples)

    return compare


@pytest.fixture(scope="session")
def refuses(save: Callable[[onnx.ModelProto], Path]) -> Callable[..., Report]:
    """The model is refused, and for the named nodes, with a remedy or at least a reason each."""

    def ask(proto: onnx.ModelProto, *nodes: str, match: str | None = None) -> Report:
        path = save(proto)
        with pytest.raises(UnsupportedError, match=match) as caught:
            load_network(path)
        report = check(path)
        assert not report.ok
        assert {finding.node for finding in report.refused} == set(nodes)
        for finding in report.refused:
            assert finding.reason
            assert repr(finding.node) in str(caught.value)
            assert finding.reason in str(caught.value)
        return report

    return ask


@pytest.fixture(scope="session")
def invalid(save: Callable[[onnx.ModelProto], Path]) -> Callable[..., ModelError]:
    """The file as a whole is refused: one finding without a node, the same words."""

    def ask(proto: onnx.ModelProto | Path, match: str | None = None) -> ModelError:
        path = proto if isinstance(proto, Path) else save(proto)
        with pytest.raises(ModelError, match=match) as caught:
            load_network(path)
        assert str(path) in caught.value.place
        report = check(path)
        assert not report.ok
        assert [finding.node for finding in report.findings] == [""]
        assert caught.value.message in report.findings[0].reason
        return caught.value

    return ask
