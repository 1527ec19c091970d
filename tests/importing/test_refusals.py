"""Every operator of ONNX's own domain converts or is refused with a reason of its own."""

from collections import Counter

import onnx
import onnx_ir as ir
import pytest

import neurodeploy.importing.importer  # noqa: F401 - registers the handlers
from neurodeploy.errors import UnsupportedError
from neurodeploy.importing.building.operation import Operation
from neurodeploy.importing.registry import HANDLERS
from neurodeploy.importing.report.refusals import FAMILIES, REASONS, refuse

OWN = sorted({s.name for s in onnx.defs.get_all_schemas_with_history() if s.domain == ""})


@pytest.mark.parametrize("kind", OWN)
def test_converts_or_is_refused_with_a_reason(kind):
    assert (kind in HANDLERS) != (kind in REASONS)
    if kind in REASONS:
        node = ir.Node("", kind, [], name="here")
        with pytest.raises(UnsupportedError, match=f"^.*{kind} ") as caught:
            refuse(Operation(node, 17, {}, lambda value: True), kind)
        reason, remedy = REASONS[kind]
        assert caught.value.message == f"{kind} {reason}"
        assert (caught.value.place, caught.value.remedy) == ("here", remedy)


def test_no_operator_has_two_reasons():
    every = Counter(kind for family in FAMILIES for kind in family.operators.split())
    assert [kind for kind, times in every.items() if times > 1] == []
    own = {kind for kind in every if "::" not in kind}
    assert own <= set(OWN)
    assert all(family.reason and family.remedy for family in FAMILIES)


def test_unknown_operator(model, refuses):
    report = refuses(model([("Frobnicate", "x", "y")], (4,)), "n-y", match="not among")
    assert report.refused[0].remedy
