"""ONNX's own backend tests: recorded output, or a refusal that docs/operators.md lists."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import onnx
import pytest

from neurodeploy.testing.backend import cases, covered, examine

DOCS = Path(__file__).resolve().parents[2] / "docs" / "operators.md"
#: Cases that import; fewer mean that the importer lost something. (Older onnx has fewer cases.)
AT_LEAST = {"node": 150, "pytorch-converted": 60, "pytorch-operator": 20, "light": 6}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of the cases' own arithmetic
@pytest.mark.parametrize("kind", AT_LEAST)
def test_backend_cases(kind):
    outcomes = [examine(case) for case in cases(kind) if covered(case)]
    mistakes = [(o.case.name, o.verdict, o.reason) for o in outcomes if o.is_mistake]
    assert not mistakes
    count = Counter(outcome.verdict for outcome in outcomes)
    assert count["equal"] >= AT_LEAST[kind], count
    page = DOCS.read_text()
    if f"onnx {onnx.__version__}," in page:  # another version has other cases
        listed = set(re.findall(r"\w+", page))
        refused = {outcome.case.name for outcome in outcomes if outcome.verdict == "refused"}
        assert refused <= listed, sorted(refused - listed)
