"""The tiny programs of `models/`: as stored, as trained again, and for sequences of any length."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sklearn")

import neurodeploy as nd
from neurodeploy.errors import UsageError
from neurodeploy.samples import load_samples
from neurodeploy.testing.comparing import compare_simulate
from neurodeploy.training.reconstruction import ThresholdNetworkClassifier
from neurodeploy.training.reconstruction.automaton import transition_cover
from neurodeploy.training.reconstruction.sampling import gaussian_branches
from neurodeploy.training.reconstruction.tasks import first_last_xor, xor_split

MODELS = Path(__file__).parents[3] / "models"
NAMES = ["adder", "first_last_xor"]


def loaded(name):
    spec = importlib.util.spec_from_file_location(name, MODELS / name / "train.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", NAMES)
def test_the_stored_program_is_right_and_its_windows_are_apart(name):
    program = nd.load(MODELS / name / "program.ndp")
    held = load_samples(MODELS / name / "test.npz")
    assert program.is_aligned
    assert nd.simulate(program, held.x).accuracy(held.y) == 100
    compare_simulate(program, held.x[:100])
    record = json.loads((MODELS / name / "certificate.json").read_text(encoding="utf-8"))
    assert record["neurons"] == sum(p.size for p in program.populations) <= 14
    assert record["duality_gap"] <= 0.005
    assert record["violation"] <= 1.2


@pytest.mark.lava
@pytest.mark.skipif(importlib.util.find_spec("lava") is None, reason="Lava is not installed")
@pytest.mark.parametrize("name", NAMES)
def test_lava_computes_the_stored_program(name):
    program = nd.load(MODELS / name / "program.ndp")
    held = load_samples(MODELS / name / "test.npz").limit(2)
    result = nd.deploy(program, held.x, verify=True, membranes=True)
    assert result.mismatched_spikes == result.mismatched_membranes == 0
    assert result.compared_spikes > 20
    assert result.accuracy(held.y) == 100


@pytest.mark.parametrize("name", NAMES)
def test_trained_again_it_is_right_at_every_transition(name, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["train.py", "--out", str(tmp_path)])
    assert loaded(name).main() == 0
    record = json.loads(capsys.readouterr().out)
    assert record["transitions that are right"] == record["transitions"] >= 12
    shares = [value for key, value in record.items() if key[0] in "0123456789at" and " of " in key]
    assert shares == [1.0, 1.0]
    for file in ("program.ndp", "certificate.json", "test.npz"):
        assert (tmp_path / file).exists()


def test_a_cover_finds_what_even_lengths_hide():
    """Labels of the last of 8 bits alone leave open what odd lengths mean."""
    train, _ = xor_split(8, 128, np.random.default_rng(0))
    model = ThresholdNetworkClassifier(random_state=0).fit(*train)
    rng = np.random.default_rng(1)
    even, odd = (first_last_xor(rng.integers(0, 2, (300, n))) for n in (14, 9))
    assert model.score(*even) == 1.0
    cover = transition_cover(
        model.result_.branches, np.eye(2), None, loaded("first_last_xor").first_and_last
    )
    wrong = [
        symbols
        for symbols, label in zip(cover.sequences, cover.labels, strict=True)
        if model.predict(np.eye(2)[[symbols]])[0] != label
    ]
    assert (model.score(*odd) == 1.0) == (not wrong)
    assert wrong


def test_only_units_without_memory_are_an_automaton():
    branches = gaussian_branches(np.random.default_rng(0), 2, 2)
    with pytest.raises(UsageError, match="without memory"):
        transition_cover(branches, np.eye(2), 0, lambda state, symbol: (state, symbol))
