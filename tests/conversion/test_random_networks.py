"""Random ONNX networks the whole way, held against a plain evaluation derived from the network.

`tools/check_random_networks.py` tries thousands; here are some, and proof that the test can fail.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import neurodeploy as nd
from neurodeploy.importing import load_network
from neurodeploy.ledger.source_model import reference_network
from neurodeploy.network import Pool
from neurodeploy.network.evaluate import Evaluator
from neurodeploy.testing.networks import random_model
from neurodeploy.testing.numpy_network import maximum, run
from neurodeploy.testing.scheme_promises import hold
from neurodeploy.testing.whole_way import try_network

SETTINGS = settings(
    max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)


@pytest.mark.parametrize("scheme", ["ttfs", "rate"])
def test_programs_are_their_networks(scheme):
    @SETTINGS
    @given(st.integers(0, 2**32 - 1))
    def tried(seed):
        found = try_network(scheme, seed)
        assert not found.faults, (found.faults, found.description)

    tried()


def compiled(seed, scheme, tmp_path):
    made = random_model(np.random.default_rng(seed), max_pooling=scheme == "ttfs")
    onnx.save(made.model, tmp_path / "m.onnx")
    steps = {"ttfs": 64, "rate": 128}[scheme]
    options = {"bias_correction": False} if scheme == "rate" else {}
    program = nd.compile(
        tmp_path / "m.onnx", calibration=made.x, scheme=scheme, steps=steps, **options
    )
    network = reference_network(program, tmp_path / "m.onnx")
    return program, network, made.x, nd.simulate(program, made.x).outputs


@pytest.mark.parametrize("seed", [134, 217, 567, 577, 822, 985])
def test_silent_neurons_and_corrected_biases(seed):
    """Seeds with dead layers, dead borders and a readout's corrected bias of 0: all were found."""
    assert try_network("ttfs", seed).faults == ()


@pytest.mark.parametrize("scheme", ["ttfs", "rate"])
@pytest.mark.parametrize("seed", [0, 3, 8])
def test_another_network_is_told_apart(scheme, seed, tmp_path):
    """The program of one network is not held by one of other biases."""
    program, network, x, outputs = compiled(seed, scheme, tmp_path)
    assert not hold(program, network, x, outputs).faults
    shift = 0.25 * float(np.ptp(outputs))
    changed = [replace(n, bias=n.bias + np.float32(shift)) for n in network if hasattr(n, "bias")]
    other = network.replace(*changed[-1:])
    assert hold(program, other, x, outputs).faults


@pytest.mark.parametrize("seed", range(8))
def test_the_plain_evaluation_is_the_network(seed, tmp_path):
    """Node by node, against ONNX Runtime."""
    made = random_model(np.random.default_rng(seed))
    onnx.save(made.model, tmp_path / "m.onnx")
    network = load_network(str(tmp_path / "m.onnx")).network
    names = [node.name for node in network]
    found, exact = run(network, made.x), Evaluator(network, names).run(made.x)
    for name in names:
        np.testing.assert_allclose(found[name], exact[name], rtol=1e-4, atol=1e-4)


def test_padding_never_wins():
    pool = Pool("p", "max", (2,), (1,), (1, 0), (1,))
    found = maximum(pool, np.array([[[-3.0, -2.0, -5.0]]]))
    np.testing.assert_array_equal(found, [[[-3.0, -2.0, -2.0]]])
