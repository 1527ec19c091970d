"""Advice is tried before it is given, and only what helped is given."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

import neurodeploy as nd
from neurodeploy.errors import UsageError
from neurodeploy.explaining import recompile
from neurodeploy.ledger import report
from neurodeploy.ledger.remedies import remedies


def test_what_helped_is_said_with_what_it_brought(made):
    x = np.tile(made.x, (2, 1, 1, 1))
    stated = {"steps": 4, "balance": "percentile"}  # else the compiler tries percentiles itself
    program = nd.compile(made.path, made.x, **stated, try_samples=0)
    blame = nd.explain(program, x, model=made.path).blame
    helped = [a for a in blame.tried if a.helped]
    assert helped
    best = min(helped, key=lambda a: a.error)
    assert blame.advice.startswith(best.sentence)
    assert all(a.sentence not in blame.advice for a in blame.tried if not a.helped)
    assert best.samples == 24
    assert best.error < best.error_before
    # what it says is what a user gets who does it
    options = stated | best.options
    half = nd.compile(made.path, x[:24], input_range=(0, float(made.x.max())), **options)
    again = nd.explain(half, x[24:], model=made.path, try_seconds=0)
    assert again.summary[-1].error == pytest.approx(best.error, rel=1e-3)
    assert again.summary[-1].agreement == pytest.approx(best.agreement)


def test_l4_is_not_advised_where_it_does_nothing(make, with_outlier, schemes):
    """The pass evens L4 norms out, within bounds; it may leave this outlier as it is."""
    made = make(with_outlier(200.0))
    program = nd.compile(made.path, made.x, "ttfs", 1024, balance="max", try_samples=0)
    blame = nd.explain(program, made.x, model=made.path).blame
    assert blame.cause == "weights"
    (l4,) = [a for a in blame.tried if a.options == {"l4": True}]
    assert l4.helped == ("--l4" in blame.advice.split("none of what was tried")[0])
    measured = nd.explain(
        nd.compile(made.path, made.x[:12], "ttfs", 1024, balance="max", l4=True),
        made.x[12:],
        model=made.path,
        try_seconds=0,
    )
    assert measured.summary[-1].error == pytest.approx(l4.error, rel=0.05)


def test_where_nothing_helps_that_is_said(made, monkeypatch):
    monkeypatch.setattr("neurodeploy.ledger.remedy_trials._LESS", 0.0)
    monkeypatch.setattr("neurodeploy.ledger.remedy_trials._MORE", 101.0)
    program = nd.compile(made.path, made.x, steps=8, try_samples=0)
    blame = nd.explain(program, made.x, model=made.path).blame
    assert blame.tried
    assert blame.advice.startswith("none of what was tried on 12 samples helps: ")


def test_the_time_ends(made, monkeypatch):
    clock = iter(range(0, 1000, 5))  # five seconds between any two looks
    ticking = SimpleNamespace(perf_counter=lambda: next(clock))
    monkeypatch.setattr("neurodeploy.ledger.remedy_trials.time", ticking)
    program = nd.compile(made.path, made.x, steps=8, balance="percentile", try_samples=0)
    blame = nd.explain(program, made.x, model=made.path, try_seconds=30).blame
    assert len(blame.tried) == 2
    assert "the time was over before 3 others" in blame.advice


def test_advice_that_was_not_tried_says_so(made):
    program = nd.compile(made.path, made.x, steps=8, try_samples=0)
    blame = nd.explain(program, made.x, model=made.path, try_seconds=0).blame
    assert blame.tried == ()
    assert "(not tried: `neurodeploy explain` tries it)" in blame.advice
    silent = replace(program, provenance={})
    blame = nd.explain(silent, made.x, model=made.path).blame
    assert "(not tried: the program does not say how it was compiled)" in blame.advice
    elsewhere = replace(program, target="ours")
    blame = nd.explain(elsewhere, made.x, model=made.path).blame
    assert "not tried: target 'ours' is a file that is not at hand" in blame.advice
    with pytest.raises(UsageError, match="--try-seconds"):
        nd.explain(program, made.x, model=made.path, try_seconds=-1)


@pytest.mark.parametrize(
    "options",
    [
        {"steps": 16, "percentile": 97.0},
        {"scheme": "ttfs", "steps": 16},
        {"encoding": "poisson", "seed": 3, "steps": 8},
        {"target": "loihi1", "balance": "max", "input_range": (0.0, 2.0)},
        {"l4": True, "reset": "zero"},
    ],
)
def test_compiled_again_without_a_change_it_is_the_same_program(made, tmp_path, options):
    program = nd.compile(made.path, made.x, scale=1, try_samples=0, **options)
    program.save(tmp_path / "a.ndp")
    recompile(program, made.path, {}, made.x).save(tmp_path / "b.ndp")
    assert (tmp_path / "a.ndp").read_bytes() == (tmp_path / "b.ndp").read_bytes()
    other = "ttfs" if options.get("scheme") != "ttfs" else "rate"
    if options.get("target") != "loihi1":
        changed = recompile(program, made.path, {"scheme": other}, made.x)
        assert (changed.scheme, changed.period) == (other, program.period)


def test_remedies_fit_the_program(made):
    """No option that it has already, none twice."""
    for cause in ("clipping", "steps", "silence", "weights", "timing", "overflow", "threshold"):
        for at_input in (False, True):
            for balance in ("percentile", "max", "mmse"):
                known = {"steps": 32, "balance": balance, "percentile": 99.9, "l4": True}
                found = remedies(
                    cause, at_input=at_input, scheme="rate", options=known, input_range=(0, 1)
                )
                assert 0 < len(found) <= 6
                assert len({r.text for r in found}) == len(found)
                for remedy in found:
                    assert all(known.get(key) != value for key, value in remedy.options.items())


def summary(agreement, error, accuracy):
    first = report.Summary("ANN", 90.0, 100.0, 0.0)
    return first, report.Summary("spikes", accuracy, agreement, error)


@pytest.mark.parametrize(
    ("agreement", "error", "accuracy", "praised"),
    [
        (80.0, 0.3, 95.0, False),  # right by luck
        (80.0, 0.3, 90.0, False),
        (99.8, 0.6, 90.0, False),  # the same classes, but nearly by chance
        (99.8, 0.1, 85.0, True),
        (None, 0.3, None, False),
        (None, 0.001, None, True),
    ],
)
def test_the_verdict_rests_on_agreement_and_error(agreement, error, accuracy, praised):
    blame = report.Blame("a", "steps", 0.1, {}, 1, "", "")
    found = report.Explanation(
        100, "rate", 32, "m.onnx", summary(agreement, error, accuracy), (), blame
    )
    assert ("next to nothing is lost" in found.verdict) == praised


def test_json(made):
    program = nd.compile(made.path, made.x, steps=8, try_samples=0)
    found = nd.explain(program, made.x, model=made.path).to_dict()
    tried = json.loads(json.dumps(found, allow_nan=False))["blame"]["tried"]
    assert {"text", "options", "agreement", "error_before", "helped"} < set(tried[0])
