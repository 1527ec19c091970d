"""Counts equal what the reference simulator's trace says, message by message."""

from __future__ import annotations

from math import prod

import numpy as np
import pytest
from costed import events, lif, pairs, part, samples, small_mapping, small_program
from hypothesis import given, settings
from hypothesis import strategies as st

from neurodeploy.cost.counts import count, counts_of
from neurodeploy.cost.fan_out import fan_out_into
from neurodeploy.cost.firing import firing
from neurodeploy.errors import DataError, ProgramError, UsageError
from neurodeploy.mapping.mapping import Mapping
from neurodeploy.program import (
    INPUT,
    Connection,
    Decoder,
    Dense,
    Encoder,
    Lif,
    Population,
    Program,
)
from neurodeploy.simulating import simulate
from neurodeploy.testing.programs import random_program, random_ttfs_program

ENCODINGS = ["deterministic", "poisson", "current"]
SEEDS = st.integers(0, 2**32 - 1)
SOME = settings(max_examples=60, deadline=None, derandomize=True)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_by_hand(encoding):
    """Spikes, synaptic operations and updates against a slow count over the definition."""
    program = small_program(encoding=encoding)
    x = samples(program)
    found, happened = count(program, x), events(program, x)
    assert found.samples == 3
    assert found.steps == 8
    assert found.spikes == {p.name: len(happened[p.name]) for p in program.populations}
    assert sum(found.spikes.values()) > 100
    assert found.input_messages == len(happened[INPUT])
    for c in program.connections:
        fan_out = np.bincount([j for j, _ in pairs(program, c)], minlength=100)
        expected = sum(int(fan_out[i]) for _, _, i in happened[c.source])
        assert found.synaptic_operations[c.name] == expected
    assert found.updates == {p.name: p.size * 8 * 3 for p in program.populations}
    assert found.traffic is None


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_what_a_run_left_behind_says_the_same(encoding):
    program = small_program(encoding=encoding, bias=1)
    x = samples(program)
    counted, left = count(program, x), counts_of(program, simulate(program, x))
    assert left.input_messages is None
    assert left.spikes == counted.spikes
    assert left.synaptic_operations == counted.synaptic_operations
    assert left.updates == counted.updates
    assert left.surely_active == counted.surely_active


@SOME
@given(SEEDS)
def test_random_rate_programs(seed):
    program, _ = random_program(np.random.default_rng(seed), aligned=True, timed=False)
    rng = np.random.default_rng(seed)
    e = program.encoder
    x = rng.integers(e.low, e.high + 1, (5, *e.shape)).astype(np.float64)
    x = (x * e.unit).astype(np.float32)
    counted, left = count(program, x, threads=2), counts_of(program, simulate(program, x))
    assert counted.spikes == left.spikes
    assert counted.synaptic_operations == left.synaptic_operations


@SOME
@given(SEEDS)
def test_random_ttfs_programs(seed):
    program, level = random_ttfs_program(np.random.default_rng(seed))
    x = level.reshape(len(level), *program.encoder.shape).astype(np.float32)
    counted, left = count(program, x), counts_of(program, simulate(program, x))
    assert counted.spikes == left.spikes
    assert counted.synaptic_operations == left.synaptic_operations
    assert counted.input_messages == np.count_nonzero(level)
    assert set(counted.surely_active.values()) == set(counted.spikes.values())


def test_a_bias_makes_an_update_active():
    size = small_program().population("conv").size
    bias = np.zeros(size, np.int16)
    bias[:7] = -3
    program = small_program(bias=bias)
    found = count(program, samples(program))
    assert found.surely_active["conv"] == max(7 * 8 * 3, found.spikes["conv"])
    everywhere = small_program(bias=-3)
    found = count(everywhere, samples(everywhere))
    assert found.surely_active["conv"] == found.updates["conv"]


def test_threads_and_batches_change_nothing():
    program = small_program(encoding="poisson")
    x = samples(program, 70)
    told = []
    one = firing(program, x, threads=1, progress=told.append)
    many = firing(program, x, threads=3)
    assert sum(told) == 70
    assert one.samples == many.samples == 70
    for name, sent in one.sent.items():
        np.testing.assert_array_equal(sent, many.sent[name])


def test_silence():
    program = small_program()
    found = count(program, samples(program) * 0, small_mapping())
    assert set(found.spikes.values()) == {0}
    assert set(found.synaptic_operations.values()) == {0}
    assert found.updates["conv"] == 40 * 8 * 3
    assert found.traffic.messages == found.traffic.hops_east_west == 0


@SOME
@given(SEEDS)
def test_blocks_of_a_target_share_the_fan_out(seed):
    """Over any cut of the target the synapses add up; each block's are counted one by one."""
    rng = np.random.default_rng(seed)
    program, _ = random_program(rng, max_depth=3)
    for c in program.connections:
        shape, target = program.shape_of(c.source), program.shape_of(c.target)
        axis = int(rng.integers(len(target)))
        cut = int(rng.integers(1, target[axis])) if target[axis] > 1 else target[axis]
        total = np.zeros(prod(shape), np.int64)
        number = np.arange(prod(target)).reshape(target)
        for ends in ((0, cut), (cut, target[axis])):
            box = [(0, n) for n in target]
            box[axis] = ends
            inside = set(number[tuple(slice(*e) for e in box)].reshape(-1).tolist())
            found = fan_out_into(c.synapses, shape, target, box)
            expected = np.zeros(prod(shape), np.int64)
            for j, i in pairs(program, c):
                expected[j] += i in inside
            np.testing.assert_array_equal(found, expected)
            total += found
        np.testing.assert_array_equal(total, c.synapses.fan_out(shape))


def slow_traffic(program, mapping, x):
    """One spike at a time: which cores have a synapse of it, and how far they are."""
    home = {}
    for p in mapping.parts:
        shape = program.shape_of(p.population)
        for index in np.ndindex(*(end - begin for begin, end in p.box)):
            at = tuple(i + begin for i, (begin, _) in zip(index, p.box, strict=True))
            home[p.population, int(np.ravel_multi_index(at, shape))] = p.core
    where = {c.index: c for c in mapping.cores}
    total = dict.fromkeys(("messages", "x", "y", "off", "outside"), 0)
    load = dict.fromkeys(where, 0)
    synapses = {c.name: pairs(program, c) for c in program.connections}
    for name, fired in events(program, x).items():
        for _, _, neuron in fired:
            listening = [
                home[c.target, i]
                for c in program.connections
                if c.source == name
                for j, i in synapses[c.name]
                if j == neuron
            ]
            for index in listening:
                load[index] += 1
            for index in set(listening):
                if (name, neuron) not in home:
                    total["outside"] += 1
                    continue
                a, b = where[home[name, neuron]], where[index]
                if a.chip != b.chip:
                    total["off"] += 1
                    continue
                total["messages"] += 1
                total["x"] += abs(a.x - b.x)
                total["y"] += abs(a.y - b.y)
    return total, tuple(load.values())


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("last", [0, 1])
@pytest.mark.parametrize("with_input", [True, False])
def test_messages_and_hops(encoding, last, with_input):
    program = small_program(encoding=encoding)
    mapping = small_mapping(chip_of_last=last, with_input=with_input)
    x = samples(program)
    found = count(program, x, mapping)
    expected, load = slow_traffic(program, mapping, x)
    t = found.traffic
    assert (t.messages, t.hops_east_west, t.hops_north_south) == (
        expected["messages"],
        expected["x"],
        expected["y"],
    )
    assert (t.off_chip, t.from_outside) == (expected["off"], expected["outside"])
    assert t.operations == load
    assert sum(t.operations) == sum(found.synaptic_operations.values())
    assert (t.off_chip > 0, t.from_outside > 0) == (last == 1, not with_input)
    assert t.messages > 0
    assert t.hops_north_south > 0
    assert (found.cores, found.chips) == (5, 1 + last)


def with_parts(parts):
    mapping = small_mapping()
    return Mapping("loihi1", tuple(parts), mapping.cores, (), "by hand")


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda parts: parts[1:], "no core"),
        (lambda parts: [*parts, parts[0]], "several"),
        (lambda parts: [part("other", ((0, 1),), 0), *parts], "other"),
        (lambda parts: [part("mix", ((0, 9),), 0), *parts], "part"),
        (lambda parts: [part("mix", ((0, 1), (0, 1)), 0), *parts], "part"),
        (lambda parts: [part("mix", ((-1, 3),), 0), *parts], "part"),
        (lambda parts: [part("mix", ((0, 3),), 77), *parts], "77"),
        (lambda parts: parts[:-1], "input"),
    ],
)
def test_mappings_of_something_else(change, word):
    program = small_program()
    with pytest.raises(UsageError, match=word):
        count(program, samples(program), with_parts(change(small_mapping().parts)))


def test_what_cannot_be_counted():
    program = small_program()
    with pytest.raises(DataError):
        count(program, np.zeros((2, 3, 4, 5), np.float32))
    with pytest.raises(DataError):
        count(program, samples(program)[:0])
    neuron = Lif(np.zeros(2, np.int16), 5)
    mixed = Program(
        (Population("p", (2,), neuron, 1),),
        (Connection(INPUT, "p", Dense(np.ones((2, 2), np.int8)), delay=3),),
        Encoder((2,), "deterministic", 2.0**-16, 0, 2**16),
        Decoder("p", 1.0),
        4,
    )
    with pytest.raises(ProgramError, match="mix"):
        count(mixed, np.ones((1, 2), np.float32))


def test_parallel_connections_add_up():
    """Two connections between the same populations: one name, one message, twice the synapses."""
    weights = Dense(np.full((2, 2), 9, np.int8))
    program = Program(
        (Population("p", (2,), lif(2), 2),),
        (Connection(INPUT, "p", weights), Connection(INPUT, "p", weights)),
        Encoder((2,), "deterministic", 2.0**-16, 0, 2**16),
        Decoder("p", 1.0),
        4,
    )
    mapping = Mapping(
        "loihi1",
        (part("p", ((0, 2),), 1), part(INPUT, ((0, 2),), 0)),
        small_mapping().cores,
        (),
        "by hand",
    )
    found = count(program, np.ones((1, 2), np.float32), mapping)
    assert found.synaptic_operations == {"input->p": 2 * 4 * 2 * 2}
    assert found.traffic.messages == found.input_messages == 8
