"""Programs check themselves: ranges, shapes, graph."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from neurodeploy.errors import ProgramError
from neurodeploy.program import (
    Connection,
    Convolution,
    Decoder,
    Dense,
    Encoder,
    Lif,
    Population,
    Program,
    Sparse,
)
from neurodeploy.simulator import reference


def lif(n, **options):
    return Lif(np.zeros(n, np.int16), **{"threshold": 10} | options)


def program(**changes):
    parts = {
        "populations": (
            Population("a", (2, 4, 4), lif(32), phase=2),
            Population("b", (3,), lif(3), phase=3),
        ),
        "connections": (
            Connection("input", "a", Convolution(np.ones((2, 1, 3, 3), np.int8), padding=(1,) * 4)),
            Connection("a", "b", Dense(np.ones((3, 32), np.int8))),
        ),
        "encoder": Encoder((1, 4, 4), "poisson", 1.0, 0, 1),
        "decoder": Decoder("b", 1.0),
        "period": 8,
    }
    return Program(**parts | changes)


def test_a_good_one():
    p = program()
    assert p.is_aligned
    assert p.latency == 10
    assert p.neurons == 35
    assert not p.needs_microcode
    assert [q.name for q in p.order] == ["a", "b"]


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"threshold": 2**17}, "threshold"),
        ({"threshold": -1}, "threshold"),
        ({"threshold": 1.5}, "threshold"),
        ({"du": 4096}, "du"),
        ({"dv": -1}, "dv"),
        ({"bias_exponent": 8}, "bias_exponent"),
        ({"shift": 7}, "shift"),
        ({"v_initial": 2**23}, "v_initial"),
        ({"reset": "sideways"}, "reset"),
    ],
)
def test_neuron_ranges(options, word):
    with pytest.raises(ProgramError, match=word):
        lif(1, **options)


def test_bias_mantissa_is_13_bit():
    with pytest.raises(ProgramError, match="13 bit"):
        Lif(np.array([4096], np.int16), 1)
    with pytest.raises(ProgramError, match="int16"):
        Lif(np.array([1], np.int32), 1)


def test_programs_do_not_change_behind_ones_back():
    weights = np.ones((3, 32), np.int8)
    dense = Dense(weights)
    weights[:] = 7
    assert dense.weights.max() == 1
    with pytest.raises(ValueError, match="read-only"):
        dense.weights[0] = 2
    with pytest.raises(dataclasses.FrozenInstanceError):
        program().period = 3
    with pytest.raises(TypeError):
        program().provenance["seed"] = 1


@pytest.mark.parametrize(
    "changes",
    [
        {"connections": (Connection("a", "b", Dense(np.ones((3, 31), np.int8))),)},
        {"connections": (Connection("a", "b", Dense(np.ones((4, 32), np.int8))),)},
        {"connections": (Connection("a", "c", Dense(np.ones((3, 32), np.int8))),)},
        {"decoder": Decoder("c", 1.0)},
        {"period": 0},
    ],
)
def test_contradictions(changes):
    with pytest.raises(ProgramError):
        program(**changes)


def test_sparse_lists_are_checked():
    good = (np.ones(2, np.int8), np.array([0, 1], np.int32), np.array([0, 1, 2], np.int64), 2)
    Sparse(*good)
    for index, bad in (
        (1, np.array([0, 2], np.int32)),
        (2, np.array([0, 3, 2], np.int64)),
        (2, np.array([0, 1], np.int64)),
        (0, np.ones(3, np.int8)),
    ):
        parts = list(good)
        parts[index] = bad
        with pytest.raises(ProgramError):
            Sparse(*parts)


@pytest.mark.parametrize("seed", range(30))
def test_fan_out_counts_synapses(seed):
    """A single spike's targets, counted with all weights 1, are its fan-out."""
    rng = np.random.default_rng(seed)
    groups = int(rng.integers(1, 3))
    kernel, stride = rng.integers(1, 4, 2), tuple(int(n) for n in rng.integers(1, 4, 2))
    dilation = tuple(int(n) for n in rng.integers(1, 3, 2))
    padding = tuple(int(n) for n in rng.integers(0, 3, 4))
    synapses = Convolution(
        np.ones((2 * groups, 2, *kernel), np.int8), stride, padding, dilation, groups
    )
    shape = (2 * groups, 7, 6)
    fan_out = synapses.fan_out(shape)
    connection = Connection("a", "b", synapses)
    for source in rng.integers(0, fan_out.size, 5):
        spike = np.zeros(fan_out.size, np.int64)
        spike[source] = 1
        assert reference.synaptic_input(connection, shape, spike).sum() == fan_out[source]
