"""A lower percentile is taken where the trial shows that it helps, and only there."""

from __future__ import annotations

import warnings

import neurodeploy as nd
from neurodeploy.importing import load_network
from neurodeploy.ledger.program_trial import compare_outputs


def compiled(made, **options):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        program = nd.compile(made.path, made.x, **options)
    said = [str(w.message) for w in caught if "is taken: with the default" in str(w.message)]
    return program, said


def test_a_poor_program_gets_lower_thresholds(made):
    plain = {"steps": 6, "signed": False, "bias_correction": False, "step": "layer"}
    kept, nothing = compiled(made, **plain, balance="mmse")
    taken, said = compiled(made, **plain)
    assert kept.recorded("options")["balance"] == "mmse"
    assert nothing == []
    ann = load_network(made.path).network
    before = compare_outputs(kept, ann, made.x)
    assert before.poor
    assert taken.recorded("options")["percentile"] in (98, 99, 99.9)
    assert len(said) == 1
    assert compare_outputs(taken, ann, made.x).found.error < before.found.error


def test_a_good_program_stays_as_it_is(made):
    program, said = compiled(made, steps=512)
    assert program.recorded("options")["balance"] == "mmse"
    assert said == []
