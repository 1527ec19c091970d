"""`--scheme auto`: the target's abilities, then agreement, then latency."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

import neurodeploy as nd
from neurodeploy.conversion import AUTO, RateScheme, candidates, register_scheme
from neurodeploy.errors import UsageError
from neurodeploy.ledger.choosing import choose
from neurodeploy.targets import load_target


@pytest.fixture(scope="module")
def model():
    rng = np.random.default_rng(14)
    weights = {
        "w1": rng.normal(size=(12, 8)).astype(np.float32),
        "w2": rng.normal(size=(4, 12)).astype(np.float32),
    }
    nodes = [
        helper.make_node("Gemm", ["x", "w1"], ["h"], name="hidden", transB=1),
        helper.make_node("Relu", ["h"], ["a"], name="relu"),
        helper.make_node("Gemm", ["a", "w2"], ["y"], name="last", transB=1),
    ]
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 8])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 4])],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])


@pytest.fixture(scope="module")
def samples():
    return np.random.default_rng(3).random((64, 8), np.float32)


def test_the_targets_abilities_come_first():
    loihi1, loihi2 = load_target("loihi1"), load_target("loihi2")
    taken, left_out = candidates({}, loihi1)
    assert "rate" in taken
    assert all("microcode" in left_out[name] for name in ("graded", "online", "radix", "ttfs"))
    taken, left_out = candidates({}, replace(loihi2, graded_bits=0))
    assert {"radix", "ttfs"} <= set(taken)
    assert "8 bits" in left_out["graded"]
    assert "8 bits" in left_out["online"]
    taken, _ = candidates({}, loihi2)
    assert {"graded", "online", "radix", "rate", "ttfs"} <= set(taken)


def test_stated_options_are_kept():
    target = load_target("loihi2")
    taken, left_out = candidates({"bits": 6, "delay": None}, target)
    assert set(taken) == {"graded", "online", "radix"}
    assert all(scheme.options()["bits"] == 6 for scheme in taken.values())
    assert "--bits" in left_out["rate"]
    with pytest.raises(UsageError, match="no scheme is left"):
        candidates({"delay": 3, "digit": 1}, target)


def test_the_choice_is_told_and_recorded(model, samples):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        program = nd.compile(model, samples, scheme=AUTO)
    choice = program.provenance["choice"]
    assert program.scheme == choice["chosen"] != AUTO
    assert program.scheme in choice["from"]
    assert len(choice["from"]) > 1
    lines = [str(each.message) for each in caught if "shortest latency" in str(each.message)]
    assert len(lines) == 1
    assert lines[0].startswith(f"scheme {program.scheme} ")
    best = max(row["agreement"] for row in choice["from"].values())
    good = [row for row in choice["from"].values() if row["agreement"] >= best - 1]
    assert program.latency == min(row["latency"] for row in good)
    again = nd.compile(model, samples, scheme=AUTO, warn=lambda _: None)
    assert again.provenance["choice"] == choice


def test_nearness_goes_before_latency(model, samples):
    from neurodeploy.importing import load_network

    quiet = {"warn": lambda _: None, "try_samples": 0}
    programs = {
        "coarse": nd.compile(model, samples, scheme="radix", bits=1, **quiet),
        "fine": nd.compile(model, samples, scheme="radix", bits=8, **quiet),
    }
    found = choose(programs, load_network(model).network, samples)
    assert programs["coarse"].latency < programs["fine"].latency
    assert found.name == "fine"


def test_without_samples_nothing_can_be_compared(model):
    with pytest.raises(UsageError, match="calibration") as error:
        nd.compile(model, scheme=AUTO)
    assert "radix" in error.value.remedy


def test_on_loihi1_the_rate_code_is_all_there_is(model, samples):
    program = nd.compile(model, samples, scheme=AUTO, target="loihi1", warn=lambda _: None)
    assert program.scheme == "rate"
    assert "microcode" in program.provenance["choice"]["left_out"]["ttfs"]


def test_check_says_that_samples_decide(model):
    report = nd.check(model, AUTO)
    assert report.ok
    assert "samples decide" in report.summary.not_covered


def test_auto_is_no_name_for_a_scheme():
    with pytest.raises(UsageError, match="choice"):
        register_scheme(type("Auto", (RateScheme,), {"name": AUTO, "title": "x"}))
