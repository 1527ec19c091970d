"""Proved bounds hold for everything a random program does."""

from __future__ import annotations

import numpy as np
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from neurodeploy.program import (
    Connection,
    Decoder,
    Dense,
    Encoder,
    Lif,
    Population,
    Program,
)
from neurodeploy.program.bounds import bounds
from neurodeploy.simulator import reference
from neurodeploy.testing.programs import random_program


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 2**32 - 1))
@example(5693)
@example(32307)
def test_what_is_proved_never_happens(seed):
    program, messages = random_program(np.random.default_rng(seed))
    # seed 5693: a positive initial potential, hard reset to zero below it
    # seed 32307: the same behind quiet steps
    if not program.is_aligned:  # the proof is about windows that begin with a reset
        return
    trace = reference.run(program, messages)
    for name, proof in bounds(program).items():
        phase = program.population(name).phase
        if proof.cannot_wrap:
            assert trace.wrapped[name] == 0
        if proof.cannot_wrap and proof.membrane is not None:
            inside = trace.membrane[name][phase - 1 :]
            low, high = proof.membrane
            if proof.cannot_clip:
                assert low <= inside.min(initial=low)
                assert inside.max(initial=high) <= high


def test_the_bound_is_reached():
    """A neuron driven by all its inputs meets its bound exactly: the proof is not slack."""
    weights = np.array([[100, 27, -50]], np.int8)
    neuron = Lif(np.array([3], np.int16), 0, reset="none", shift=2)
    program = Program(
        (Population("n", (1,), neuron, phase=2),),
        (Connection("input", "n", Dense(weights)),),
        Encoder((3,), "deterministic", 1.0, 0, 65536),
        Decoder("n", 1.0),
        period=10,
    )
    proof = bounds(program)["n"]
    for pattern, index in (((1, 1, 0), 1), ((0, 0, 1), 0)):
        messages = np.zeros((11, 3), np.int32)
        messages[:10] = pattern
        trace = reference.run(program, messages)
        assert trace.membrane["n"][10, 0] == proof.membrane[index]
