"""Programs with cycles and with integers as messages: reference = engine = `simulate` = Lava.

On random programs, whichever way cycles are stepped: every message, membrane and overflow count.
"""

from __future__ import annotations

import importlib.util
from collections import Counter
from unittest import mock

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neurodeploy.lava.run import run
from neurodeploy.program import (
    Connection,
    Decoder,
    Dense,
    Encoder,
    Lif,
    Population,
    Program,
    Sparse,
)
from neurodeploy.program.decoders import decodings
from neurodeploy.program.encoders import encodings
from neurodeploy.program.neurons import kinds
from neurodeploy.simulator import kernels, reference
from neurodeploy.simulator.engine import Engine
from neurodeploy.testing import random_program, random_recurrent_program
from neurodeploy.testing.codecs import draw_levels
from neurodeploy.testing.comparing import (
    CYCLES,
    compare_samples,
    compare_simulate,
    compare_stream,
    stepped,
)
from neurodeploy.testing.neurons import EVERY_KIND, OUR_KINDS
from neurodeploy.testing.odd_programs import odd_samples

SEEDS = st.integers(0, 2**32 - 1)
MANY = settings(
    max_examples=500, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
SOME = settings(MANY, max_examples=100)


@MANY
@given(SEEDS)
def test_streams_and_samples(seed):
    """A stream, and where windows do not mix its samples each on its own."""
    rng = np.random.default_rng(seed)
    program, messages = random_recurrent_program(rng, max_steps=32)
    level = draw_levels(rng, program.encoder, 2)
    for cycles in CYCLES:
        with stepped(cycles):
            compare_stream(program, messages, ["any" if seed % 2 else "gather"])
            if program.is_aligned:
                compare_samples(program, level, int(rng.integers(100)), 2, ["any"])


@SOME
@given(SEEDS)
def test_simulate(seed):
    """Every encoding and decoding, aligned or as one stream."""
    rng = np.random.default_rng(seed)
    if seed % 3:
        program, _ = random_recurrent_program(rng)
    else:
        program, _ = random_program(rng, among=EVERY_KIND)
    compare_simulate(program, odd_samples(rng, program), threads=1 + seed % 2)


@SOME
@given(SEEDS)
def test_messages_that_are_integers(seed):
    """Without cycles: through every kernel that takes payloads."""
    compare_stream(*random_program(np.random.default_rng(seed), among=EVERY_KIND, max_steps=24))


def test_the_programs_are_worth_comparing():
    """Whatever may go wrong occurs among them."""
    seen: Counter[str] = Counter()
    for seed in range(400):
        program, messages = random_recurrent_program(np.random.default_rng(seed))
        inside = [c for c in program.connections if c.name in program.recurrent]
        cycle = next(c for c in program.components if any(p.name == inside[0].target for p in c))
        assert inside
        trace = reference.run(program, messages)
        seen["aligned"] += program.is_aligned
        seen["late within a window"] += program.is_aligned and any(map(program.lead, inside))
        seen["not aligned"] += not program.is_aligned
        seen["self loop"] += any(c.source == c.target for c in inside)
        seen["several populations"] += len(cycle) > 1
        seen["kinds mixed"] += len({type(p.neuron) for p in cycle}) > 1
        seen["lag on a cycle"] += any(p.neuron.lag for p in cycle)
        seen["integers on a cycle"] += any(c.graded and c.source != "input" for c in inside)
        seen["negative messages"] += any(m.min(initial=0) < 0 for m in trace.messages.values())
        seen["delay 62"] += any(c.delay == 62 for c in inside)
        seen["delay beyond the window"] += any(c.delay > program.period for c in inside)
        seen["same ends twice"] += len({c.name for c in inside}) < len(inside)
        seen["on both sides"] += len(program.components) > 2
        seen["active late"] += any(trace.spikes[p.name][24:].any() for p in cycle)
        seen["wrapped"] += any(trace.wrapped.values())
        seen["clipped"] += any(trace.clipped.values())
        seen[f"encoding {program.encoder.encoding}"] += 1
        seen[f"decoding {program.decoder.decoding}"] += 1
        seen.update({f"kind {p.neuron.kind}" for p in program.populations})
    ours = {k.kind for k in EVERY_KIND}
    wanted = {f"encoding {name}" for name in encodings()}
    wanted |= {f"decoding {name}" for name in decodings()} | {f"kind {name}" for name in ours}
    assert wanted <= set(seen)
    assert not {what: count for what, count in seen.items() if count < 6}
    assert {k.kind for k in OUR_KINDS} <= set(kinds())


def _loop(neuron: Lif, weights: np.ndarray, period: int) -> Program:
    size = len(weights)
    return Program(
        (Population("loop", (size,), neuron, 2),),
        (
            Connection("input", "loop", Dense(np.eye(size, dtype=np.int8))),
            Connection("loop", "loop", Dense(weights.astype(np.int8)), exponent=7),
        ),
        Encoder((size,), "events", 1.0, 0, 1, sample_shape=(period, size)),
        Decoder("loop", 1.0, "every_step"),
        period,
    )


def test_both_ways_are_taken():
    """`lif` alone runs in the kernel, beside another kind it is stepped kind by kind."""
    fused = _loop(Lif(np.zeros(3, np.int16), 5, shift=0), np.ones((3, 3)), 4)
    messages = np.ones((9, 3), np.int32)
    with mock.patch.object(kernels, "step_recurrent", wraps=kernels.step_recurrent) as kernel:
        Engine(fused).run_stream(messages)
        assert kernel.call_count == 1
        with stepped("step by step"):
            Engine(fused).run_stream(messages)
        assert kernel.call_count == 1


@pytest.mark.parametrize("cycles", CYCLES)
def test_sums_that_leave_16_and_32_bit(cycles):
    """Weights beyond int16 (synapses that repeat), currents that wrap, membranes that clip."""
    twice = Sparse(
        np.full(9, 127, np.int8), np.zeros(9, np.int32), np.array([0, 9, 9], np.int64), 2
    )
    neuron = Lif(np.array([4095, 1], np.int16), 0, bias_exponent=7, du=0, shift=6)
    program = Program(
        (Population("loop", (2,), neuron, 2),),
        (Connection("loop", "loop", twice, exponent=7),),
        Encoder((1,), "current", 1.0, 0, 1),
        Decoder("loop", 1.0),
        40,
    )
    with stepped(cycles):
        trace = compare_stream(program, np.zeros((60, 1), np.int32), ["any"])
    assert trace.wrapped["loop"]
    assert trace.clipped["loop"]


def test_a_quiet_neuron_keeps_a_spike_from_the_next_sample():
    """By hand: a spike goes round at every step, until the quiet one at the window's end."""
    neuron = Lif(np.zeros(1, np.int16), 0, shift=0)
    shown = np.zeros((2, 6, 1), np.float32)
    shown[0, 0] = 1
    free = _loop(neuron, np.ones((1, 1)), 6)
    assert not free.is_aligned
    spikes = compare_simulate(free, shown).spikes["loop"][:, 0]
    assert spikes[1:].all()  # from step 2 on, for ever
    still = _loop(Lif(np.zeros(1, np.int16), 0, shift=0, quiet=1), np.ones((1, 1)), 6)
    assert still.is_aligned
    spikes = compare_simulate(still, shown).spikes["loop"][:, 0]
    assert spikes[1:6].all()
    assert spikes.sum() == 5  # the last step is quiet, the second sample is silent


lava = [
    pytest.mark.lava,
    pytest.mark.skipif(importlib.util.find_spec("lava") is None, reason="Lava is not installed"),
]


@pytest.mark.parametrize(
    ("stock", "seed"),
    [pytest.param(k >= 14, k, marks=lava) for k in range(20)],
)
def test_lava(stock, seed):
    """Twenty small programs, six by Lava's own models; more with `tools/compare_lava.py`."""
    program, messages = random_recurrent_program(
        np.random.default_rng(seed), max_cycle=2, max_neurons=6, max_steps=16, max_period=12
    )
    names = [p.name for p in program.populations]
    expected = reference.run(program, messages)
    found = run(program, messages, membranes=names, stock=stock, timeout=60)
    for name in names:
        np.testing.assert_array_equal(found.spikes[name], expected.spikes[name], name)
        np.testing.assert_array_equal(found.membrane[name], expected.membrane[name], name)
    for name, sent in expected.messages.items():
        np.testing.assert_array_equal(found.messages[name], sent, name)
