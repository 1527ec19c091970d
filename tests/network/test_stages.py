"""Cutting a network into stages: shared inputs, sums of sums, long chains."""

from __future__ import annotations

import numpy as np
import pytest

from neurodeploy.errors import UnsupportedError
from neurodeploy.network import Activation, Add, Dense, Input, Network, Output
from neurodeploy.network.stages import operator_matrix, stages


def doubled(times, readers=0):
    """x, a ReLU, then `times` sums of an activation with itself; more readers on the way."""
    nodes = [Input("x", (2,)), Activation("r")]
    inputs = {"r": ("x",)}
    last = "r"
    for i in range(times):
        nodes.append(Add(f"a{i}"))
        inputs[f"a{i}"] = (last, last)
        last = f"a{i}"
    for i in range(readers):
        nodes.append(Dense(f"d{i}", np.eye(2, dtype=np.float32), np.ones(2, np.float32)))
        inputs[f"d{i}"] = ("a0",)
        nodes.append(Add(f"s{i}"))
        inputs[f"s{i}"] = (last, f"d{i}")
        last = f"s{i}"
    nodes.append(Output("y"))
    return Network(nodes, {**inputs, "y": (last,)})


def total(stage, shape=(2,)):
    return sum(operator_matrix(path.operator, shape).toarray() for path in stage.paths)


def test_an_activation_added_to_itself():
    *_, readout = stages(doubled(3))
    np.testing.assert_array_equal(total(readout), 8 * np.eye(2))


def test_readers_on_the_way():
    *_, readout = stages(doubled(2, readers=3))
    np.testing.assert_array_equal(total(readout), (4 + 3 * 2) * np.eye(2))
    np.testing.assert_array_equal(readout.bias, [3, 3])


def test_doubling_without_end_is_refused_at_once():
    with pytest.raises(UnsupportedError, match="ways"):
        stages(doubled(60))


def test_a_long_chain_of_layers():
    nodes, inputs, last = [Input("x", (2,))], {}, "x"
    for i in range(3000):
        nodes.append(Dense(f"d{i}", np.eye(2, dtype=np.float32), np.zeros(2, np.float32)))
        inputs[f"d{i}"] = (last,)
        last = f"d{i}"
    network = Network([*nodes, Output("y")], {**inputs, "y": (last,)})
    (readout,) = stages(network)
    np.testing.assert_array_equal(total(readout), np.eye(2))
