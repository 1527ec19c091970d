"""Neuron kind `levels`: its step, its kernel, its bounds, and K stock populations in its place."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurodeploy.errors import ProgramError
from neurodeploy.program import (
    Connection,
    Decoder,
    Dense,
    Encoder,
    Levels,
    Lif,
    Population,
    Program,
)
from neurodeploy.program.expansion import expand_levels, level_name
from neurodeploy.program.neurons import Drive, State, Stepped
from neurodeploy.program.neurons.levels import membrane_extremes
from neurodeploy.program.storage import load
from neurodeploy.simulator import reference
from neurodeploy.simulator.neurons import Block, Setup, stepper
from neurodeploy.testing.comparing import compare_stream
from neurodeploy.testing.level_programs import random_levels
from neurodeploy.testing.neurons import neuron_of

SEEDS = st.integers(0, 2**32 - 1)


@dataclass(frozen=True, eq=False)
class Watched(Levels):
    """Keeps the membranes of all levels, step by step."""

    log: ClassVar[dict[int, list[np.ndarray]]] = {}

    def step(self, state: State, a: np.ndarray, tau: int, period: int) -> Stepped:
        stepped = super().step(state, a, tau, period)
        self.log.setdefault(id(self), []).append(np.vstack([state["v"], state["higher"]]))
        return stepped


def compare_expansion(program: Program, messages: np.ndarray) -> int:
    """Messages and membranes of all levels against the stock populations; how many were sent."""
    watched = replace(
        program,
        populations=tuple(
            replace(p, neuron=Watched(**vars(p.neuron))) if isinstance(p.neuron, Levels) else p
            for p in program.populations
        ),
    )
    Watched.log.clear()
    found = reference.run(watched, messages)
    expanded = expand_levels(program)
    expected = reference.run(expanded, messages)
    sent = 0
    for p in watched.populations:
        if not isinstance(p.neuron, Watched):
            np.testing.assert_array_equal(found.membrane[p.name], expected.membrane[p.name])
            continue
        names = [level_name(p.name, k + 1) for k in range(len(p.neuron.thresholds))]
        total = sum(expected.spikes[name].astype(int) for name in names)
        own = found.messages.get(p.name, found.spikes[p.name])
        np.testing.assert_array_equal(own, total)
        membranes = np.stack(Watched.log[id(p.neuron)], axis=1)
        for name, membrane in zip(names, membranes, strict=True):
            np.testing.assert_array_equal(expected.membrane[name], membrane)
        sent += int(total.sum())
    Watched.log.clear()
    return sent


@settings(max_examples=40, deadline=None)
@given(SEEDS)
def test_equals_stock_populations(seed):
    compare_expansion(*random_levels(seed))


def test_random_programs_send_counts_and_have_no_dull_corner():
    sent = [compare_expansion(*random_levels(seed)) for seed in range(60)]
    assert sum(n > 0 for n in sent) > 20


@settings(max_examples=25, deadline=None)
@given(SEEDS)
def test_engine_equals_reference(seed):
    program, messages = random_levels(seed)
    compare_stream(program, messages)
    compare_stream(expand_levels(program), messages)


@settings(max_examples=60, deadline=None)
@given(SEEDS, st.integers(1, 9))
def test_kernel_keeps_the_membranes_of_all_levels(seed, period):
    rng = np.random.default_rng(seed)
    size = int(rng.integers(1, 150))
    neuron = neuron_of(rng, Levels, size, period, extreme=seed % 3 == 0)
    limit = int(rng.choice([30, 3000, 2**20]))
    steps = 3 * period
    a = rng.integers(-limit // 4, limit + 1, (steps, size))
    words = -(-size // 64)
    setup = Setup(
        np.arange(size),
        neuron.bias,
        period,
        neuron.bounds(Drive(np.array([-limit]), np.array([limit])), period),
        np.int64,
        True,
        np.zeros(words * 64, np.int32),
    )
    made = stepper(neuron, setup)
    state, wrapped, clipped = neuron.start(size), 0, 0
    graded = neuron.is_graded
    for t in range(steps):
        block = Block(
            a[t : t + 1],
            np.zeros(1, np.int64),
            np.array([t % period]),
            np.zeros((1, words), np.uint64),
            np.zeros((1, words * 64), np.int32),
            np.zeros(1, np.int64),
            np.zeros((int(graded), size), np.int32),
        )
        made.step(block)
        done = neuron.step(state, a[t], t % period, period)
        wrapped, clipped = wrapped + done.wrapped, clipped + done.clipped
        np.testing.assert_array_equal(made._v, np.vstack([state["v"], state["higher"]]))
        fired = np.unpackbits(block.fired.view(np.uint8), bitorder="little")[:size]
        np.testing.assert_array_equal(fired, done.messages != 0)
        if graded:
            np.testing.assert_array_equal(block.messages[0], done.messages)
    np.testing.assert_array_equal(made.overflow, [wrapped, clipped])


@settings(max_examples=60, deadline=None)
@given(SEEDS)
def test_bounds_hold(seed):
    """No membrane leaves what is proved for it, and some come near."""
    rng = np.random.default_rng(seed)
    period, size = int(rng.integers(1, 30)), 5
    neuron = neuron_of(rng, Levels, size, period)
    low, high = -int(rng.integers(0, 900)), int(rng.integers(0, 900))
    proof = neuron.bounds(Drive(np.full(size, low), np.full(size, high)), period)
    assert proof.membrane is not None
    state = neuron.start(size)
    for tau in range(period):
        a = rng.choice([low, high, 0], size, p=[0.3, 0.6, 0.1])
        u = (a << neuron.shift) + neuron.bias
        before = np.vstack([state["v"], state["higher"]])
        if tau == 0:
            before = np.zeros_like(before)
        decayed = np.sign(before) * ((np.abs(before) * (4096 - neuron.dv)) >> 12)
        assert proof.membrane[0] <= (decayed + u).min()
        assert (decayed + u).max() <= proof.membrane[1]
        neuron.step(state, a, tau, period)


def test_the_range_of_a_leaky_membrane():
    assert membrane_extremes(-10, 20, 0, 1000, 5) == (-50, 100)
    assert membrane_extremes(-10, 20, 0, 30, 5) == (-50, 50)
    assert membrane_extremes(-1000, 1000, 2048, 10**6, 100) == (-1999, 1999)
    assert membrane_extremes(0, 0, 3072, 0, 3) == (0, 0)


def test_nested_at_the_papers_leak_only():
    """With a leak of .75 lost a step the message is a level; with less, only a count."""
    rng = np.random.default_rng(0)

    def violations(dv: int) -> int:
        neuron = Levels(np.zeros(500, np.int16), (60, 160, 260), dv=dv)
        state, found = neuron.start(500), 0
        for tau in range(2000):
            before = np.vstack([state["v"], state["higher"]])
            a = rng.integers(-300, 400, 500)
            v = np.sign(before) * ((np.abs(before) * (4096 - dv)) >> 12) + (a << 6)
            fires = v > np.array([[60], [160], [260]]) << 6
            found += int((fires[1:] & ~fires[:-1]).sum())
            neuron.step(state, a, tau + 1, 10**6)
        return found

    assert violations(3072) == 0
    assert violations(2048) > 0
    assert violations(1024) > 0


def test_saved_and_loaded(tmp_path):
    program, _ = random_levels(3)
    program.save(tmp_path / "p.ndp")
    back = load(tmp_path / "p.ndp")
    for before, after in zip(program.populations, back.populations, strict=True):
        assert vars(before.neuron).keys() == vars(after.neuron).keys()
        if isinstance(before.neuron, Levels):
            assert before.neuron.thresholds == after.neuron.thresholds


@pytest.mark.parametrize("thresholds", [(), (5, 5), (6, 5), (-1,), (2**17,), [5], (1.0,), (True,)])
def test_thresholds_rise_within_the_register(thresholds):
    with pytest.raises(ProgramError, match="thresholds"):
        Levels(np.zeros(1, np.int16), thresholds)


def test_a_population_that_is_read_is_not_split():
    program = Program(
        (Population("p", (1,), Levels(np.zeros(1, np.int16), (1, 2)), 2),),
        (Connection("input", "p", Dense(np.ones((1, 1), np.int8))),),
        Encoder((1,), "current", 1.0, 0, 1),
        Decoder("p", 1.0, "spike_count"),
        4,
    )
    with pytest.raises(ProgramError, match="several levels"):
        expand_levels(program)
    assert (
        expand_levels(
            replace(
                program,
                populations=(
                    replace(program.populations[0], neuron=Lif(np.zeros(1, np.int16), 1)),
                ),
            )
        )
        .populations[0]
        .name
        == "p"
    )
