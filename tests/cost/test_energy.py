"""Energy is the sum of count times constant; no figure where no constant is published."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from costed import core, events, mapped, pairs, part, samples, small_mapping, small_program

import neurodeploy as nd
from neurodeploy.cost import Counts, Traffic, count, counts_of, estimate
from neurodeploy.errors import NeuroDeployError, UsageError
from neurodeploy.program import INPUT
from neurodeploy.targets import COST_EVENTS, CostTable, load_target, target_names

DAVIES = load_target("loihi1").costs["davies2018"]
SANAFE = load_target("loihi1").costs["sanafe"]
COUNTS = Counts(
    samples=4,
    steps=8,
    spikes={"a": 300, "b": 100},
    input_messages=50,
    synaptic_operations={"input->a": 1000, "a->b": 3000},
    updates={"a": 640, "b": 160},
    surely_active={"a": 320, "b": 100},
    traffic=Traffic(600, 900, 500, 0, 0, (1000, 3000), (20, 5)),
    cores=2,
    chips=1,
)


def own(energy=None, time=None, **changes):
    """Loihi 1 with a cost table of somebody's own."""
    table = CostTable("mine", "My chip", "My report, 2030", energy or {}, time or {})
    return replace(
        load_target("loihi1"), name="own", title="My chip", costs={"mine": table}, **changes
    )


def program(**options):
    return small_program(**options)


def test_the_constants_are_the_published_ones():
    """Davies et al. 2018, table 2."""
    assert dict(DAVIES.energy_pj) == {
        "synaptic_operation": 23.6,
        "neuron_update_active": 81.0,
        "neuron_update_inactive": 52.0,
        "spike_within_tile": 1.7,
        "hop_east_west": 3.0,
        "hop_north_south": 4.0,
    }


def test_every_table_that_comes_along_prices_what_is_counted():
    for name in target_names():
        for table in load_target(name).costs.values():
            assert table.source
            assert set(table.energy_pj) | set(table.time_ns) <= set(COST_EVENTS)


def test_by_hand():
    found = estimate(program(), load_target("loihi1"), COUNTS)
    assert found.model == "loihi1-davies2018"
    assert "Davies" in found.source
    assert found.assumptions == ()
    expected = {
        "synaptic operations": (1000, 23.6),
        "neuron updates": (200, 81.0),
        "spikes": (100, None),
        "messages between cores": (150, 1.7),
        "hops east-west": (225, 3.0),
        "hops north-south": (125, 4.0),
    }
    assert [line.name for line in found.lines] == list(expected)
    total = 0.0
    for line in found.lines:
        each, constant = expected[line.name]
        assert (line.count, line.constant) == (each, constant)
        if constant is None:
            assert line.energy is line.least is None
        else:
            assert line.energy == pytest.approx(each * constant * 1e-12)
            total += line.energy
    assert found.energy == pytest.approx(total)
    # of 800 updates 420 are surely active
    least = found.line("neuron updates").least
    assert least == pytest.approx((420 * 81 + 380 * 52) / 4 * 1e-12)
    assert found.least == pytest.approx(total - found.line("neuron updates").energy + least)
    # core 0: 1000 operations and 20 neurons; core 1: 3000 and 5
    busiest = max(250 * 3.5 + 20 * 8 * 8.4, 750 * 3.5 + 5 * 8 * 8.4)
    assert found.seconds == pytest.approx((busiest + 8 * 465) * 1e-9)


def test_access_and_update():
    """The other way of pricing a neuron: every update is an access, an active one costs more."""
    found = estimate(program(), load_target("loihi1"), COUNTS, "sanafe")
    line = found.line("neuron updates")
    access, update = SANAFE.energy_pj["neuron_access"], SANAFE.energy_pj["neuron_update"]
    assert line.energy == pytest.approx(200 * (access + update) * 1e-12)
    assert line.least == pytest.approx((800 * access + 420 * update) / 4 * 1e-12)
    spikes = found.line("spikes")
    assert spikes.energy == pytest.approx(100 * SANAFE.energy_pj["spike_out"] * 1e-12)
    assert found.model == "loihi1-sanafe"
    assert "SANA-FE" in found.source
    assert any("messages" in text for text in found.left_out)


@pytest.mark.parametrize(
    ("energy", "each", "least"),
    [
        ({"neuron_update_active": 2.0}, 400.0, 400.0),
        ({"neuron_update_inactive": 2.0}, 400.0, 400.0),
        ({"neuron_access": 2.0}, 400.0, 400.0),
        ({"neuron_update": 2.0}, 400.0, 210.0),
        ({"neuron_update_active": 3.0, "neuron_update_inactive": 1.0}, 600.0, 410.0),
    ],
)
def test_tables_that_price_neurons_in_part(energy, each, least):
    line = estimate(program(), own(energy), COUNTS).line("neuron updates")
    assert line.energy == pytest.approx(each * 1e-12)
    assert line.least == pytest.approx(least * 1e-12)


def test_no_figure_for_loihi2():
    """Nothing is published: counts, no constant, no energy, no time."""
    found = estimate(program(target="loihi2"), load_target("loihi2"), COUNTS)
    assert found.model is None
    assert found.energy is found.least is found.seconds is None
    assert all(line.constant is line.energy is line.least is None for line in found.lines)
    assert found.line("synaptic operations").count == 1000
    assert found.left_out == ()


def test_a_chosen_model_is_an_assumption():
    two = load_target("loihi2")
    found = estimate(program(target="loihi2"), two, COUNTS, "loihi1-davies2018")
    assert found.energy == estimate(program(), load_target("loihi1"), COUNTS).energy
    assert found.target == two.title
    assert found.model == "loihi1-davies2018"
    text = "; ".join(found.assumptions)
    assert "constants of Intel Loihi stand for those of Intel Loihi 2" in text
    # another chip's model is taken by its full name only
    with pytest.raises(UsageError, match="davies2018"):
        estimate(program(), two, COUNTS, "davies2018")


def test_what_does_not_belong_together_is_said():
    one = load_target("loihi1")
    graded = small_program(encoding="current", target="loihi2", reset="subtract")
    text = "; ".join(estimate(graded, one, COUNTS).assumptions)
    assert "compiled for loihi2, not for loihi1" in text
    assert "graded spike" in text
    assert "microcode" in text


def test_names_of_models():
    one = load_target("loihi1")
    for name in ("davies2018", "loihi1-davies2018", None):
        assert estimate(program(), one, COUNTS, name).model == "loihi1-davies2018"
    for name in ("", "nonsense", "loihi2-davies2018", "../loihi1"):
        with pytest.raises(UsageError, match="loihi1-sanafe"):
            estimate(program(), one, COUNTS, name)


def test_a_target_of_ones_own():
    target = own({"synaptic_operation": 2.0, "barrier": 7.0}, {"synaptic_operation": 1.0})
    found = estimate(program(target="own"), target, COUNTS)
    assert (found.model, found.title, found.source) == ("own-mine", "My chip", "My report, 2030")
    assert found.energy == pytest.approx((1000 * 2 + 8 * 7) * 1e-12)
    assert found.line("neuron updates").energy is None
    assert any("neuron updates: no constant" in text for text in found.left_out)
    assert found.seconds is None  # no time of a neuron's update
    timed = own({}, {"synaptic_operation": 1.0, "neuron_access": 2.0, "barrier": 100.0})
    found = estimate(program(target="own"), timed, COUNTS)
    assert found.energy is found.least is None
    assert found.seconds == pytest.approx((750 + 5 * 8 * 2 + 8 * 100) * 1e-9)


def test_what_is_left_out():
    def left(counts):
        return "; ".join(estimate(program(), load_target("loihi1"), counts).left_out)

    always = ("static power", "host", "synchronising", "outside the chip")
    assert all(word in left(COUNTS) for word in always)
    assert "no mapping" in left(replace(COUNTS, traffic=None))
    away = replace(COUNTS.traffic, off_chip=40, from_outside=8)
    text = left(replace(COUNTS, traffic=away))
    assert "other chips (10 a sample)" in text
    assert "input's messages to their cores (2 a sample)" in text
    assert "other chips" not in left(COUNTS)


def test_a_result_is_enough_for_all_but_the_mesh():
    p = program()
    x = samples(p)
    one = load_target("loihi1")
    found = estimate(p, one, nd.simulate(p, x))
    assert found.energy == estimate(p, one, counts_of(p, nd.simulate(p, x))).energy
    assert found.energy == pytest.approx(estimate(p, one, count(p, x)).energy)
    assert found.counts.input_messages is None
    assert found.seconds is None
    assert "no mapping" in "; ".join(found.left_out)


def test_silence_costs_its_updates_only():
    p = program()
    found = nd.estimate_cost(p, samples(p) * 0, mapping=small_mapping())
    assert found.energy == pytest.approx(49 * 8 * 81e-12)
    assert found.least == pytest.approx(49 * 8 * 52e-12)
    assert found.operations_per_multiply == 0


def test_hops_of_a_known_distance():
    """One input neuron on one core, everything that listens to it on one other."""
    p = program(encoding="current")
    cores = [core(0, 1, 1), core(1, 4, 3)]
    everything = [part(q.population, q.box, 1) for q in small_mapping(with_input=False).parts]
    mapping = mapped("loihi1", [*everything, part(INPUT, ((0, 2), (0, 4), (0, 5)), 0)], cores)
    x = np.zeros((1, 2, 4, 5), np.float32)
    x[0, 1, 2, 2] = 1
    found = nd.estimate_cost(p, x, "loihi1", mapping=mapping)
    assert found.counts.input_messages == 8
    # a neuron without a synapse has nobody to tell
    heard = {c.source: set() for c in p.connections}
    for c in p.connections:
        heard[c.source] |= {j for j, _ in pairs(p, c)}
    fired = events(p, x)
    inside = sum(i in heard[n] for n in ("conv", "mix") for _, _, i in fired[n])
    assert 0 < inside < sum(found.counts.spikes.values())
    assert found.line("messages between cores").count == 8 + inside
    assert found.line("hops east-west").count == 8 * 3
    assert found.line("hops north-south").count == 8 * 2
    assert found.line("hops east-west").energy == pytest.approx(8 * 3 * 3.0e-12)


def test_json():
    p = program()
    found = nd.estimate_cost(p, samples(p), mapping=small_mapping())
    data = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert data["energy"] == found.energy
    assert data["model"] == "loihi1-davies2018"
    assert data["lines"][0]["name"] == "synaptic operations"
    assert data["counts"]["spikes"] == found.counts.spikes
    assert data["counts"]["traffic"]["messages"] == found.counts.traffic.messages
    assert data["ann"]["basis"] == "program"
    assert data["operations_per_multiply"] == pytest.approx(
        found.synaptic_operations / data["ann"]["multiply_accumulates"]
    )


def test_refused_before_the_work():
    p = program()
    for options in (
        {"energy_model": "nonsense"},
        {"target": "loihi3"},
        {"model": "nowhere.onnx"},
        {"threads": 0},
    ):
        with pytest.raises(NeuroDeployError):
            nd.estimate_cost(p, "these are no samples", **options)
    stranger = program(target="somebody.toml")
    with pytest.raises(UsageError, match="--target"):
        nd.estimate_cost(stranger, samples(stranger))
    assert nd.estimate_cost(stranger, samples(stranger), "loihi1").energy > 0
