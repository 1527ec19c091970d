"""A fresh program tried on calibration samples: what is said, and that it harms nothing."""

from __future__ import annotations

import json

import numpy as np
import pytest

import neurodeploy as nd
from neurodeploy.errors import UsageError
from neurodeploy.ledger import program_trial, timed_outputs
from neurodeploy.ledger.agreement import agreement, interval
from neurodeploy.network import Activation, Add, Conv, Dense, Input, Network, Output
from neurodeploy.network.evaluate import Evaluator


def compiled(made, x=None, **options):
    """Program, trials and warnings; the scale is stated, so that none is of it."""
    trials, said = [], []
    options = {"scale": 1.0, "tried": trials.append, "warn": said.append, **options}
    program = nd.compile(made.path, made.x if x is None else x, **options)
    return program, trials, said


def residual(blocks=3, seed=0):
    """A residual network whose shortcuts add unevenly coming spikes."""
    rng = np.random.default_rng(seed)

    def conv(name, channels):
        weight = rng.standard_normal((8, channels, 3, 3)) * np.sqrt(2 / (9 * channels))
        return Conv(name, weight.astype(np.float32), np.zeros(8, np.float32), (1, 1), (1,) * 4)

    nodes, inputs, last = [Input("x", (2, 8, 8)), conv("c", 2), Activation("r")], {}, "r"
    inputs |= {"c": ("x",), "r": ("c",)}
    for i in range(blocks):
        nodes += [conv(f"c{i}", 8), Activation(f"a{i}"), conv(f"d{i}", 8), Add(f"s{i}")]
        nodes += [Activation(f"r{i}")]
        inputs |= {f"c{i}": (last,), f"a{i}": (f"c{i}",), f"d{i}": (f"a{i}",)}
        inputs |= {f"s{i}": (f"d{i}", last), f"r{i}": (f"s{i}",)}
        last = f"r{i}"
    head = (rng.standard_normal((5, 8 * 64)) / 22).astype(np.float32)
    nodes += [Dense("head", head, np.zeros(5, np.float32)), Output("output")]
    return Network(nodes, inputs | {"head": (last,), "output": ("head",)})


def test_agreement_is_counted_on_the_very_samples(made):
    program, (found,), _ = compiled(made, steps=8)
    result = nd.simulate(program, made.x)
    exact = Evaluator(made.network).run(made.x)["output"]
    same = 100 * np.mean(result.predictions == exact.argmax(1))
    error = np.linalg.norm(result.outputs - exact) / np.linalg.norm(exact)
    assert found.found.samples == len(made.x) == 24
    assert found.found.share == pytest.approx(same)
    assert found.found.error == pytest.approx(error, rel=1e-5)
    json.dumps(found.as_dict(), allow_nan=False)


def test_a_good_program_gets_no_warning(made):
    _, (found,), said = compiled(made, scheme="ttfs", steps=256)
    assert found.found.share == 100
    assert (found.cause, found.warning, said) == ("", "", [])
    assert found.as_dict()["enough"] is True


@pytest.mark.parametrize(
    "options", [{"steps": 4}, {"steps": 64, "percentile": 20}, {"target": "loihi1", "steps": 2}]
)
def test_a_poor_program_is_announced_with_its_cause(make, options):
    made = make(residual())
    program, (found,), said = compiled(made, **options)
    assert found.found.share < 95
    (line,) = [line for line in said if "keep the ANN's class" in line]
    assert f"only {found.found.share:.1f} % of 24 calibration samples" in line
    blame = nd.explain(program, made.x, model=made.path).blame
    assert (found.layer, found.cause) == (blame.layer, blame.cause)
    assert f"first cause: {blame.layer}, {blame.cause}: " in line
    assert found.as_dict()["enough"] is False


def test_the_program_does_not_depend_on_it(made, tmp_path):
    for count in (0, 3, 128):
        compiled(made, steps=8, try_samples=count)[0].save(tmp_path / f"{count}.ndp")
    assert len({path.read_bytes() for path in tmp_path.glob("*.ndp")}) == 1


def test_how_many(made):
    assert compiled(made, try_samples=0)[1] == []
    (few,) = compiled(made, try_samples=5)[1]
    assert few.found.samples == 5
    for bad in (-1, 1.5, "x"):
        with pytest.raises(UsageError, match="--try"):
            compiled(made, try_samples=bad)
    trials = []
    nd.compile(made.path, tried=trials.append)  # no samples, no trial
    assert trials == []


def test_no_time_is_said(made, monkeypatch):
    monkeypatch.setattr(program_trial, "SECONDS", 0.0)
    _, (found,), _ = compiled(made)
    assert found.found.samples == 2
    assert "2 calibration samples (of 24: more would take over 0 s)" in found.sentence


def test_a_large_network_is_not_waited_for(made, monkeypatch):
    monkeypatch.setattr(timed_outputs, "_MOST_WORK", 1000)
    _, (found,), said = compiled(made)
    assert found.found is None
    assert said == [found.warning]
    assert "not tried on calibration samples: one sample of so large a network" in said[0]
    assert found.as_dict()["samples"] == 0


def test_a_trial_that_fails_stops_nothing(made, monkeypatch):
    def broken(*_, **__):
        raise MemoryError

    monkeypatch.setattr(program_trial, "run_for", broken)
    program, (found,), said = compiled(made)
    assert program.neurons
    assert said == ["not tried on calibration samples: MemoryError"]
    assert found.found is None
    monkeypatch.undo()
    monkeypatch.setattr(program_trial, "explain_against", broken)
    _, (found,), (line,) = compiled(made, steps=2, balance="percentile")
    assert found.cause == ""
    assert "keep the ANN's class" in line


def test_numbers_instead_of_classes(make):
    """One output: its error against the spread counts, and an offset does not hide it."""
    rng = np.random.default_rng(0)
    weights = [rng.standard_normal(s).astype(np.float32) / 3 for s in ((16, 6), (1, 16))]
    offset = np.full(1, 1000, np.float32)
    network = Network(
        [
            Input("x", (6,)),
            Dense("a", weights[0], np.zeros(16, np.float32)),
            Activation("r"),
            Dense("b", weights[1], offset),
            Output("output"),
        ],
        {"a": ("x",), "r": ("a",), "b": ("r",), "output": ("b",)},
    )
    _, (found,), (line,) = compiled(make(network, samples=40), steps=4, balance="percentile")
    assert found.found.share is None
    assert found.found.error < 0.01 < 0.1 < found.found.residual
    assert "of their spread" in line
    assert "class" not in found.sentence


def test_interval():
    # the published example of Newcombe (1998), 81 of 263
    assert interval(81, 263) == pytest.approx((25.5, 36.6), abs=0.06)
    assert interval(0, 10)[0] == 0
    assert interval(10, 10)[1] == pytest.approx(100)
    exact = np.eye(4)
    found = agreement(exact[[0, 1, 2, 2]], exact)
    assert (found.samples, found.share) == (4, 75)
    constant = agreement(np.full((3, 1), 2.0), np.ones((3, 1)))
    assert (constant.error, constant.residual) == (1, 1)
