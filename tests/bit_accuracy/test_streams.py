"""Reference = Lava for streams of frames, through Lava's own `SigmaDelta`, `Delta` and `Sigma`."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

import neurodeploy as nd
from neurodeploy.lava.deploy import stream
from neurodeploy.lava.run import run
from neurodeploy.simulator import reference
from neurodeploy.testing.stream_programs import random_stream

pytestmark = [
    pytest.mark.lava,
    pytest.mark.skipif(importlib.util.find_spec("lava") is None, reason="Lava is not installed"),
]

#: Of them some have populations that are no stock: several connections behind one shift.
SEEDS = [("neurodeploy", 0), ("neurodeploy", 1), ("neurodeploy", 2), ("lava", 3), ("lava", 4)]


@pytest.mark.parametrize(("models", "seed"), SEEDS)
def test_random_stream(models, seed):
    program, x = random_stream(np.random.default_rng(seed), frames=9)
    messages = stream(program, x)
    expected = reference.run(program, messages)
    names = [p.name for p in program.populations]
    found = run(program, messages, membranes=names, timeout=60, stock=models == "lava")
    for name in names:
        np.testing.assert_array_equal(found.messages[name], expected.messages[name], name)
        np.testing.assert_array_equal(found.membrane[name], expected.membrane[name], name)


def test_there_are_programs_of_both_kinds_among_them():
    made = [random_stream(np.random.default_rng(seed), frames=9)[0] for _, seed in SEEDS]
    assert {program.needs_microcode for program in made} == {False, True}
    assert len({program.refresh for program in made}) > 1


@pytest.mark.parametrize("refresh", [0, 4])
def test_deploy_streams_frames_and_compares_them(refresh):
    program, x = random_stream(np.random.default_rng(8), refresh=refresh, shifts=False, frames=10)
    found = nd.deploy(program, x, verify=True, stock=True)
    assert found.compared_spikes > 0
    assert found.mismatched_spikes == 0
    np.testing.assert_array_equal(found.outputs, nd.simulate(program, x).outputs)
