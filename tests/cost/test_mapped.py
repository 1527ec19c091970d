"""Programs that the mapper places: counts and costs agree with its parts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from costed import lif, samples, small_mapping, small_program

import neurodeploy as nd
from neurodeploy.cost import count
from neurodeploy.errors import UsageError
from neurodeploy.mapping import map_program
from neurodeploy.program import INPUT, Connection, Decoder, Dense, Encoder, Population, Program
from neurodeploy.targets import Core, Mesh, load_target


def dense_program():
    """Everyone to everyone: 12 - 9 - 4."""
    rng = np.random.default_rng(3)
    weights = [rng.integers(-9, 30, shape).astype(np.int8) for shape in ((9, 12), (4, 9))]
    return Program(
        (Population("a", (9,), lif(9), 2), Population("b", (4,), lif(4), 3)),
        (Connection(INPUT, "a", Dense(weights[0])), Connection("a", "b", Dense(weights[1]))),
        Encoder((12,), "deterministic", 2.0**-16, 0, 2**16),
        Decoder("b", 1.0),
        8,
        target="loihi1",
    )


def tiny_chip(cores):
    """Cores of three neurons, two a tile."""
    return replace(
        load_target("loihi1"),
        core=Core(neurons=3),
        mesh=Mesh(cores=cores, columns=cores // 4, rows=2, cores_per_tile=2),
    )


@pytest.mark.parametrize("cores", [16, 4])
def test_as_the_mapper_has_it(cores):
    program, target = dense_program(), tiny_chip(cores)
    x = samples(program, 6)
    plain = count(program, x)
    spikes = {name: n / 6 for name, n in plain.spikes.items()}
    spikes[INPUT] = plain.input_messages / 6
    mapping = map_program(program, target, spikes)
    assert (mapping.chips > 1) == (cores == 4)
    found = count(program, x, mapping)
    t = found.traffic
    # each spike is heard on every core of the next layer
    a, b = (sum(p.population == name for p in mapping.parts) for name in "ab")
    assert a == 3
    assert b == 2
    heard = plain.input_messages * a + plain.spikes["a"] * b
    assert t.messages + t.off_chip == heard
    assert mapping.flow.messages == pytest.approx(heard / 6)
    assert t.from_outside == 0
    assert sum(t.operations) == sum(plain.synaptic_operations.values())
    assert sum(t.neurons) == program.neurons
    assert (found.cores, found.chips) == (len(mapping.cores), mapping.chips)
    assert (t.off_chip > 0) == (cores == 4)


def test_mapped_by_itself():
    program, target = dense_program(), tiny_chip(16)
    x = samples(program, 6)
    cost = nd.estimate_cost(program, x, target)
    assert cost.counts.traffic.messages > 0
    assert cost.seconds > 0
    assert cost.assumptions == ()
    without = nd.estimate_cost(program, x, target, mapping="none")
    assert without.counts.traffic is None
    assert without.seconds is None
    assert cost.energy > without.energy
    # without a mesh everything is in one place: messages, and no hops
    cpu = nd.estimate_cost(program, x, "cpu")
    assert cpu.counts.traffic.hops_east_west == cpu.counts.traffic.hops_north_south == 0
    assert cpu.energy is None


def test_a_mapping_of_another_target():
    program = small_program()
    x = samples(program)
    with pytest.raises(UsageError, match="loihi1"):
        nd.estimate_cost(program, x, "loihi2", mapping=small_mapping())
    with pytest.raises(UsageError, match="nowhere"):
        nd.estimate_cost(program, x, mapping="nowhere")


def test_a_program_that_does_not_fit():
    """It is costed all the same, and that is said."""
    program = dense_program()
    chip = replace(tiny_chip(16), core=Core(neurons=3, input_axons=2))
    cost = nd.estimate_cost(program, samples(program), chip)
    assert "does not fit" in cost.assumptions[-1]


def test_the_reference_network(fashion_program, fashion_test):
    """On Loihi 2's cores: every operation is some core's, and there is no figure."""
    x = fashion_test[0][:3]
    cost = nd.estimate_cost(fashion_program, x)
    assert cost.energy is None
    result = nd.simulate(fashion_program, x)
    assert cost.synaptic_operations == pytest.approx(result.synaptic_operations_per_sample)
    assert sum(cost.counts.traffic.operations) == sum(cost.counts.synaptic_operations.values())
    assert sum(cost.counts.traffic.neurons) == fashion_program.neurons
