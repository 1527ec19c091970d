"""Relu, Clip and their likes."""

import numpy as np
import pytest

from neurodeploy.network import Activation

ZERO, SIX = np.float32(0), np.float32(6)
WIDE = np.linspace(-10, 10, 30).reshape(3, 10)


def only(imported):
    return [node for node in imported.network if isinstance(node, Activation)]


@pytest.mark.parametrize(
    ("nodes", "opset", "constants", "maximum"),
    [
        ([("Relu", "x", "y")], 17, {}, None),
        ([("Clip", "x l h", "y")], 17, {"l": ZERO, "h": SIX}, 6.0),
        ([("Clip", "x l", "y")], 13, {"l": ZERO}, None),
        ([("Clip", "x l h", "y")], 11, {"l": ZERO, "h": np.float32(3e38)}, 3e38),
        ([("Clip", "x l h", "y")], 12, {"l": ZERO, "h": np.float32(np.inf)}, None),
        ([("Clip", "x", "y", {"min": 0.0, "max": 6.0})], 10, {}, 6.0),
        ([("Clip", "x", "y", {"min": 0.0})], 8, {}, None),
        ([("Max", "x l", "y")], 13, {"l": ZERO}, None),
        ([("Max", "l x", "y")], 13, {"l": np.zeros((1, 1), np.float32)}, None),
        ([("LeakyRelu", "x", "y", {"alpha": 0.0})], 16, {}, None),
    ],
)
def test_is_a_relu(model, agree, nodes, opset, constants, maximum):
    imported = agree(model(nodes, (10,), opset=opset, **constants), samples=WIDE)
    (node,) = only(imported)
    assert node.name == "n-y"
    assert node.maximum == (None if maximum is None else pytest.approx(maximum))


def test_clip_without_limits(model, agree):
    imported = agree(model([("Clip", "x", "c"), ("Relu", "c", "y")], (10,), opset=13))
    assert [finding.verdict for finding in imported.findings] == ["folds", "converts"]
