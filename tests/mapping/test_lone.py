"""What a single neuron takes of a core, in one pass over all, against a core for each."""

from __future__ import annotations

from dataclasses import replace
from math import prod

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from neurodeploy.mapping import map_program
from neurodeploy.mapping.block_grid import Grid, even
from neurodeploy.mapping.resources import fan_in, lone
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
from neurodeploy.targets import Memory, load_target
from neurodeploy.testing.programs import random_program

BASE = load_target("loihi2")


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**32))
def test_as_a_core_for_each_neuron_counts_it(seed):
    rng = np.random.default_rng(seed)
    program, _ = random_program(rng)
    memory = Memory(64, *(int(n) for n in rng.integers(1, 13, 5)), row_synapses=3)
    for c in program.connections:
        source, target = program.shape_of(c.source), program.shape_of(c.target)
        each = Grid(tuple(even(size, 1) for size in target))
        alone = fan_in(c.synapses, source, each, memory)
        axons, words = lone(c.synapses, source, target, memory)
        assert axons.tolist() == alone.axons().tolist()
        assert words.tolist() == alone.words().tolist()


def test_a_layer_wider_than_a_core_is_named():
    rng = np.random.default_rng(0)
    sources, targets = 20_000, 30
    weights = rng.integers(-127, 128, (targets, sources)).astype(np.int8)
    program = Program(
        (Population("wide", (targets,), Lif(np.zeros(targets, np.int16), 100), 1),),
        (Connection(INPUT, "wide", Dense(weights)),),
        Encoder((sources,), "deterministic", 2.0**-16, 0, 2**16),
        Decoder("wide", 1.0),
        8,
    )
    mapping = map_program(program)
    (broken,) = (finding for finding in mapping.findings if not finding.ok)
    assert broken.layer == "wide"
    assert "synaptic words" in broken.rule
    assert broken.value == sources  # of one neuron: a word each
    assert "fewer inputs" in broken.remedy
    wider = replace(BASE, core=replace(BASE.core, synaptic_words=sources * targets))
    assert map_program(program, wider).ok
    assert prod(program.shape_of(INPUT)) == sources
