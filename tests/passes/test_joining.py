"""JoinLate and FireBeforeMaxPooling: the same function, other populations."""

from __future__ import annotations

import numpy as np
import pytest

from neurodeploy.network import Activation, Add, Concat, Conv, Input, Network, Output, Permute, Pool
from neurodeploy.network.evaluate import Evaluator
from neurodeploy.network.stages import stages
from neurodeploy.passes import FireBeforeMaxPooling, JoinLate

RNG = np.random.default_rng(11)


class Maker:
    """A network under construction; every method returns the name of the node it adds."""

    def __init__(self) -> None:
        self.nodes = [Input("x", (2, 6, 6))]
        self.inputs: dict[str, tuple[str, ...]] = {}

    def add(self, node, *sources):
        self.nodes.append(node)
        self.inputs[node.name] = sources
        return node.name

    def conv(self, name, source, reads, writes):
        weight = RNG.standard_normal((writes, reads, 3, 3)).astype(np.float32)
        bias = RNG.standard_normal(writes).astype(np.float32)
        return self.add(Conv(name, weight, bias, padding=(1,) * 4), source)

    def norm(self, name, source, channels):
        weight = RNG.standard_normal((channels, 1, 1, 1)).astype(np.float32)
        bias = RNG.standard_normal(channels).astype(np.float32)
        return self.add(Conv(name, weight, bias, groups=channels), source)

    def relu(self, name, source, maximum=None):
        return self.add(Activation(name, maximum=maximum), source)

    def done(self, last):
        self.add(Output("output"), last)
        return Network(self.nodes, self.inputs)


def dense_block():
    """Pre-activation: batch norm and ReLU of everything so far, again and again."""
    m = Maker()
    grown, channels = m.conv("c", "x", 2, 3), 3
    for i in range(3):
        fired = m.relu(f"r{i}", m.norm(f"n{i}", grown, channels))
        grown = m.add(Concat(f"j{i}"), grown, m.conv(f"c{i}", fired, channels, 2))
        channels += 2
    return m.done(m.relu("last", grown))


def fired_branches():
    """Branches that are ReLUs already, one with a lower clip, read by two."""
    m = Maker()
    a = m.relu("a", m.conv("ca", "x", 2, 2))
    b = m.relu("b", m.conv("cb", "x", 2, 2), 1.0)
    joined = m.add(Concat("j"), a, b, m.conv("cc", "x", 2, 2))
    again = m.relu("again", joined, 2.0)
    return m.done(m.add(Add("sum"), m.conv("d", again, 6, 3), m.conv("e", joined, 6, 3)))


def norm_read_by_others():
    m = Maker()
    joined = m.add(Concat("j"), m.conv("ca", "x", 2, 2), m.conv("cb", "x", 2, 2))
    norm = m.norm("n", joined, 4)
    return m.done(m.add(Add("sum"), m.relu("r", norm), norm))


@pytest.mark.parametrize("make", [dense_block, fired_branches, norm_read_by_others])
def test_the_same_function(make):
    network = make()
    joined = JoinLate().apply(network)
    x = RNG.standard_normal((4, 2, 6, 6)).astype(np.float32)
    before, after = (Evaluator(n).run(x)["output"] for n in (network, joined))
    np.testing.assert_allclose(after, before, rtol=1e-4, atol=1e-4)


def test_every_layer_of_a_dense_block_stays_a_convolution():
    cut = stages(JoinLate().apply(dense_block()))
    hidden = [path for stage in cut[:-1] for path in stage.paths]
    assert hidden
    assert all(isinstance(path.operator, Conv) for path in hidden)


def test_a_relu_of_relus_is_none():
    network = JoinLate().apply(fired_branches())
    # a becomes clipped at 2, b is below it already, the convolution gets a ReLU of its own
    assert sorted(n.name for n in network if isinstance(n, Activation)) == [
        "a",
        "again.0",
        "again.2",
        "b",
    ]


def pooled(make):
    m = Maker()
    a, b = (m.relu(f"r{k}", m.conv(f"c{k}", "x", 2, 3)) for k in "ab")
    return m.done(m.add(Pool("max", "max"), make(m, a, b)))


NEVER_NEGATIVE = {
    "sum": lambda m, a, b: m.add(Add("s"), a, b),
    "average": lambda m, a, b: m.add(Pool("p", "average"), a),
    "padded": lambda m, a, b: m.add(
        Permute("p", (3, 6, 6), np.where(np.arange(108) % 2, -1, np.arange(108))), a
    ),
}


@pytest.mark.parametrize("way", NEVER_NEGATIVE)
def test_what_is_never_negative_fires_before_its_maximum(way):
    network = pooled(NEVER_NEGATIVE[way])
    fired = FireBeforeMaxPooling().apply(network)
    assert isinstance(fired[fired.inputs_of("max")[0]], Activation)
    x = RNG.standard_normal((4, 2, 6, 6)).astype(np.float32)
    before, after = (Evaluator(n).run(x)["output"] for n in (network, fired))
    np.testing.assert_array_equal(before, after)


def test_nothing_is_added_where_a_population_is_or_signs_are_open():
    alone = pooled(lambda m, a, b: a)
    assert len(FireBeforeMaxPooling().apply(alone)) == len(alone)
    signed = pooled(lambda m, a, b: m.norm("n", a, 3))
    assert len(FireBeforeMaxPooling().apply(signed)) == len(signed)
