"""ONNX's own node tests for the covered operators: equal results, or a refusal by name."""

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from neurodeploy.errors import ModelError
from neurodeploy.importing import check, load_network
from neurodeploy.importing.registry import HANDLERS
from neurodeploy.network.evaluate import Evaluator

#: Cases of covered operators; fewer than this that import means that the importer lost something.
AT_LEAST = 95


def _cases():
    from onnx.backend.test.loader import load_model_tests

    for case in load_model_tests(kind="node"):
        nodes = case.model.graph.node if case.model else []
        if nodes and {node.op_type for node in nodes} <= set(HANDLERS):
            yield case


def _constants_frozen(case, inputs):
    """The case with every input but the first as an initialiser, as trained networks have them."""
    model = onnx.ModelProto()
    model.CopyFrom(case.model)
    for value, array in list(zip(model.graph.input, inputs, strict=True))[1:]:
        model.graph.initializer.append(numpy_helper.from_array(np.asarray(array), value.name))
    del model.graph.input[1:]
    return model


def _agrees(case, save):
    inputs, outputs = case.data_sets[0]
    if not inputs or len(outputs) != 1 or np.asarray(inputs[0]).dtype != np.float32:
        return None
    path = save(_constants_frozen(case, inputs))
    report = check(path)
    if not report.ok:
        with pytest.raises(ModelError):
            load_network(path)
        assert all(finding.reason for finding in report.refused)
        return False
    network = load_network(path).network
    found = Evaluator(network).run(np.asarray(inputs[0]))["output"]
    wanted = np.asarray(outputs[0])
    assert found.shape == wanted.shape, case.name
    scale = max(float(np.abs(wanted).max()), 1e-6)
    # Some cases are recorded to four digits; they say so themselves.
    assert np.abs(found - wanted).max() <= max(case.rtol, 1e-4) * scale, case.name
    return True


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of the cases' own arithmetic
def test_backend_cases(save):
    results = {case.name: _agrees(case, save) for case in _cases()}
    imported = [name for name, result in results.items() if result]
    assert len(imported) >= AT_LEAST, (len(imported), len(results))
