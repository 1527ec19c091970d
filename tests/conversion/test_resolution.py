"""Channels of one layer many decades apart: scaled to one size, or told by name."""

from itertools import pairwise

import numpy as np
import pytest

import neurodeploy as nd
from neurodeploy.network import Activation, Dense, Input, Network, Output
from neurodeploy.network.onnx_export import to_onnx

SMALL = 4


def network(decades, maximum, undone=True, head=1.0):
    """The first four channels are that much smaller, and weighed up again by what reads them."""
    rng = np.random.default_rng(0)
    factor = np.ones(16)
    factor[:SMALL] = 10.0**-decades
    first, second = (rng.standard_normal((16, n)) / 4 for n in (20, 16))
    bias = rng.standard_normal(16) / 10
    last = rng.standard_normal((6, 16)) / 4
    last[0] *= head

    def dense(name, weight, bias):
        return Dense(name, weight.astype(np.float32), bias.astype(np.float32))

    nodes = [
        Input("x", (20,)),
        dense("first", first * factor[:, None], bias * factor),
        Activation("a", maximum=maximum),
        dense("second", second / factor if undone else second, np.zeros(16)),
        Activation("b"),
        dense("last", last, np.zeros(6)),
        Output("output"),
    ]
    names = [node.name for node in nodes]
    return Network(nodes, {b: (a,) for a, b in pairwise(names)})


X = np.random.default_rng(1).uniform(0, 1, (128, 20)).astype(np.float32)


def said(net, scheme, x=X):
    lines = []
    program = nd.compile(to_onnx(net), x, scheme=scheme, try_samples=0, warn=lines.append)
    return program, [line for line in lines if "decades" in line]


@pytest.mark.parametrize("scheme", ["rate", "ttfs"])
def test_a_clip_holds_the_channels_where_they_are(scheme):
    program, (line,) = said(network(16, 6.0), scheme)
    assert program.populations[0].name in line
    assert "over 16 decades" in line
    assert "of 16 channels keep none of theirs" in line
    assert int(line.split(" of 16 channels")[0].split()[-1]) <= SMALL


@pytest.mark.parametrize("decades", [4, 8, 16])
def test_without_a_clip_they_are_scaled_and_nothing_is_lost(decades):
    ordinary, none = said(network(0, None), "ttfs")
    assert not none
    program, none = said(network(decades, None), "ttfs")
    assert not none
    ratio = nd.simulate(program, X).outputs / nd.simulate(ordinary, X).outputs.std()
    same = nd.simulate(ordinary, X).outputs / nd.simulate(ordinary, X).outputs.std()
    assert np.sqrt(((ratio - same) ** 2).mean()) < 0.1


@pytest.mark.parametrize("scheme", ["rate", "ttfs"])
def test_what_hardly_counts_is_not_spoken_of(scheme):
    assert not said(network(16, 6.0, undone=False), scheme)[1]  # nothing weighs them up
    assert not said(network(1, 6.0), scheme)[1]


def test_an_output_far_smaller_than_the_others():
    _, (line,) = said(network(0, None, head=1e-6), "ttfs")
    assert line.startswith("output: ")
    assert "1 of 6 outputs" in line


def test_python_warns():
    with pytest.warns(nd.CompileWarning, match="decades"):
        nd.compile(to_onnx(network(16, 6.0)), X, try_samples=0)
    _, (without_samples,) = said(network(16, 6.0), "rate", None)
    assert "16 decades" in without_samples


@pytest.mark.parametrize("scheme", ["rate", "ttfs", "graded"])
def test_outputs_of_several_sizes_are_told(scheme):
    """A regression's outputs in units of their own: the small ones are left few integers."""
    for head, told in ((1.0, False), (3.0, False), (100.0, True)):
        lines: list[str] = []
        model = to_onnx(network(0, None, head=head))
        program = nd.compile(model, X, scheme=scheme, try_samples=0, warn=lines.append)
        found = [line for line in lines if "of 6 outputs are off" in line]
        assert bool(found) == told
        if told:
            (wrong,) = (c.synapses.weights for c in program.incoming("output"))
            assert np.abs(wrong[1:].astype(int)).max() < 10
