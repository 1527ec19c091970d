"""`tune`: the goal decides, samples are held out, and what was tried is said."""

from __future__ import annotations

import numpy as np
import pytest

import neurodeploy as nd
from neurodeploy.errors import DataError, UsageError
from neurodeploy.tuning.splitting import split


def quiet(_):
    pass


@pytest.fixture(scope="module")
def x():
    return np.random.default_rng(3).random((200, 6)).astype(np.float32)


@pytest.fixture(scope="module")
def fastest(folder, x):
    return nd.tune(folder / "m.onnx", x, agreement=90, only=("graded", "radix", "rate"), warn=quiet)


def test_the_fastest_that_agrees(fastest, x):
    assert fastest.reached
    assert fastest.best.held_out >= 90
    whole = [c for c in fastest.candidates if c.samples == fastest.choosing and c.agreement >= 90]
    assert fastest.best.latency == min(c.latency for c in whole)
    assert fastest.program.latency == fastest.best.latency
    assert fastest.program.recorded("tuning")["candidates"] == len(fastest.candidates)


def test_the_figure_of_the_held_out_samples_is_that_of_the_program(fastest, folder, x):
    """Recomputed from the file and from scratch: nothing of the choice's own bookkeeping."""
    from neurodeploy.importing import load_network
    from neurodeploy.network.evaluate import Evaluator

    held = split(x).held_out
    network = load_network(folder / "m.onnx").network
    ann = Evaluator(network).run(held)[network.output.name].reshape(len(held), -1).argmax(1)
    ours = nd.simulate(fastest.program, held).predictions
    assert fastest.best.held_out == pytest.approx(100 * (ours == ann).mean())


def test_no_sample_is_in_two_parts(x):
    parts = split(x)
    rows = [tuple(row) for part in (parts.fitting, parts.choosing, parts.held_out) for row in part]
    assert len(set(rows)) == len(rows) == len(x)
    assert (len(parts.fitting), len(parts.choosing), len(parts.held_out)) == (100, 50, 50)
    again = split(x)
    np.testing.assert_array_equal(again.held_out, parts.held_out)


def test_the_nearest_within_a_limit(folder, x):
    found = nd.tune(folder / "m.onnx", x, latency=12, only=("radix", "rate"), warn=quiet)
    tried = [c for c in found.candidates if c.samples == found.choosing]
    assert all(c.latency <= 12 for c in tried)
    assert found.best.agreement == max(c.agreement for c in tried)
    assert any("are allowed" in c.note for c in found.candidates if c.latency > 12)
    with pytest.raises(UsageError, match="within 2 steps; the fastest needs"):
        nd.tune(folder / "m.onnx", x, latency=2, only=("radix",), warn=quiet)


def test_the_least_energy(folder, x):
    lines = []
    found = nd.tune(folder / "m.onnx", x, 60, energy=True, target="loihi1", warn=lines.append)
    priced = [c for c in found.candidates if c.energy is not None]
    assert found.best.energy == min(c.energy for c in priced)
    plain = nd.tune(folder / "m.onnx", x, 60, energy=True, only=("radix",), warn=lines.append)
    assert plain.best.energy is None
    assert any("no energies are published" in line for line in lines)


def test_a_goal_out_of_reach_is_said(folder, x):
    found = nd.tune(folder / "m.onnx", x, 100, only=("radix",), bits=1, warn=quiet)
    assert not found.reached
    assert {c.options["bits"] for c in found.candidates} == {1}  # what is stated stays
    assert "not reached" in found.sentence


def test_a_search_cut_short_is_said(folder, x):
    found = nd.tune(folder / "m.onnx", x, 99.99, seconds=0, only=("radix",), warn=quiet)
    assert sum(c.samples > 0 for c in found.candidates) == 1
    assert any("cut short" in note for note in found.notes)


def test_what_cannot_be_tuned(folder, x):
    for arguments, word in (
        ({"agreement": 0}, "outside"),
        ({"latency": 4, "energy": True}, "not both"),
        ({"only": ("nothing",)}, "is not a scheme"),
        ({"target": "loihi1", "only": ("graded",)}, "no scheme is left"),
    ):
        with pytest.raises(UsageError, match=word):
            nd.tune(folder / "m.onnx", x, warn=quiet, **arguments)
    with pytest.raises(DataError, match="three parts"):
        nd.tune(folder / "m.onnx", x[:5], warn=quiet)


def test_table_and_plot(fastest, tmp_path):
    front = fastest.pareto
    assert [c.latency for c in front] == sorted({c.latency for c in front})
    assert [c.agreement for c in front] == sorted(c.agreement for c in front)
    assert fastest.to_dict()["best"]["scheme"] == fastest.best.scheme
    assert repr(fastest).startswith("Tuning(best=")
    assert fastest.best.name in fastest._repr_html_()
    pytest.importorskip("matplotlib", reason="matplotlib is not installed").use("Agg")
    axes = nd.plot.pareto(fastest)
    assert fastest.best.name in " ".join(t.get_text() for t in axes.get_legend().get_texts())
