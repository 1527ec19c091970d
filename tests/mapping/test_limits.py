"""Loihi 1: each limit has a network that just fits and one that just does not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from built import chain, dense, parts_of, weights

from neurodeploy.mapping import map_program
from neurodeploy.mapping.rules import RULES
from neurodeploy.program import (
    INPUT,
    Connection,
    Convolution,
    Decoder,
    Encoder,
    Lif,
    Population,
    Program,
)
from neurodeploy.targets import Core, Mesh, load_target

LOIHI1 = load_target("loihi1")


def one_core(target, layer_cores):
    """The target with the input's cores and so many more."""
    return replace(target, mesh=Mesh(layer_cores, layer_cores, 1, chips=1))


def broken(mapping):
    return [str(finding) for finding in mapping.findings if not finding.ok]


def test_neurons():
    fits, over = (chain((8,), dense(8, n), target="loihi1") for n in (1024, 1025))
    assert len(parts_of(map_program(fits, LOIHI1), "p0")) == 1
    assert len(parts_of(map_program(over, LOIHI1), "p0")) == 2
    board = one_core(LOIHI1, 2)
    assert map_program(fits, board).ok
    mapping = map_program(over, board)
    assert not mapping.ok
    assert mapping.chips == 2
    assert "program: cores: 3, limit 2" in broken(mapping)[0]
    assert (
        "p0 takes the most (2), and its neurons fill them: make it narrower" in broken(mapping)[0]
    )


def test_input_axons():
    assert map_program(chain((4096,), dense(4096, 1), target="loihi1")).ok
    mapping = map_program(chain((4097,), dense(4097, 1), target="loihi1"))
    assert not mapping.ok
    assert broken(mapping) == [
        "p0: input axons a core: 4097, limit 4096; a single neuron reads more sources than a core "
        "has axons: give it fewer inputs (narrow or pool the layer before it, or use groups), or "
        "use a target with more axons"
    ]


def test_output_axons():
    # one neuron a core, so that a neuron may feed that many cores
    single = replace(LOIHI1, core=replace(LOIHI1.core, neurons=1))
    fits, over = (
        map_program(chain((1,), dense(1, n)), single, placement="layers") for n in (4096, 4097)
    )
    assert fits.ok
    assert parts_of(fits, INPUT)[0].output_axons == 4096
    assert broken(over) == [
        "input: output axons a core: 4097, limit 4096; a single neuron feeds more cores than a "
        "core has axons: make the layers that it feeds smaller, so that they take fewer cores, or "
        "use a target with more axons"
    ]


def test_output_axons_cut_the_source():
    # 100 neurons to 50 cores of four neurons each: 5000 axons
    small = replace(LOIHI1, core=Core(neurons=1024, output_axons=4096, synaptic_words=100))
    mapping = map_program(chain((4,), dense(4, 100), dense(100, 200)), small)
    assert mapping.ok
    assert len(parts_of(mapping, "p1")) == 50
    assert len(parts_of(mapping, "p0")) == 2
    assert sum(part.output_axons for part in parts_of(mapping, "p0")) == 5000


def test_synaptic_words_of_a_layer():
    # 64 synapses of 8 bit and a header: 9 words an axon
    fits, over = (chain((n,), dense(n, 64), target="loihi1") for n in (1820, 1821))
    assert [p.words for p in parts_of(map_program(fits), "p0")] == [16_380]
    assert len(parts_of(map_program(over), "p0")) == 2
    assert map_program(fits, one_core(LOIHI1, 3)).ok
    mapping = map_program(over, one_core(LOIHI1, 3))
    assert "its synaptic words fill them: make it narrower" in broken(mapping)[0]


def test_synaptic_words_of_a_neuron():
    def kernels(channels):
        made = Convolution(weights((1, channels, 4, 4)), padding=(3, 3, 0, 0))
        return chain((channels, 1, 1), made, target="loihi1")

    fits, over = map_program(kernels(1024)), map_program(kernels(1025))
    assert [p.words for p in parts_of(fits, "p0")] == [16_384]
    assert fits.ok
    assert broken(over) == [
        "p0: synaptic words a core: 16400, limit 16384; the synapses of a single neuron overfill a "
        "core: give it fewer inputs (fewer channels, a smaller kernel, groups) or smaller weights "
        "(fewer bits), or use a target with more memory"
    ]


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"threshold_bits": 4}, "threshold: 25, limit 15"),
        ({"weight_bits": 7}, "weight: 127, limit 63"),
        ({"delay_max": 1}, "delay: 2, limit 1"),
        ({"exponent_max": 0}, "weight exponent: 1, limit 0"),
        ({"bias_mantissa_bits": 3}, "bias mantissa: 9, limit 3"),
        ({"bias_exponent_max": 1}, "bias exponent: 2, limit 1"),
    ],
)
def test_registers(change, rule):
    neuron = Lif(np.array([-10, 4], np.int16), 25, bias_exponent=2)
    program = Program(
        (Population("p0", (2,), neuron, 1),),
        (Connection(INPUT, "p0", dense(3, 2), exponent=1, delay=2),),
        Encoder((3,), "deterministic", 2.0**-16, 0, 2**16),
        Decoder("p0", 1.0),
        4,
    )
    assert map_program(program, LOIHI1).ok
    mapping = map_program(program, replace(LOIHI1, **change))
    assert [rule in line for line in broken(mapping)] == [True]
    assert "compile for this target" in broken(mapping)[0] or "relay" in broken(mapping)[0]


def test_neurons_and_spikes_that_loihi_1_has_not():
    neuron = Lif(np.zeros(2, np.int16), 25, reset="subtract")
    program = Program(
        (Population("p0", (2,), neuron, 1),),
        (Connection(INPUT, "p0", dense(3, 2), graded=True),),
        Encoder((3,), "current", 1.0, 0, 200),
        Decoder("p0", 1.0),
        4,
    )
    assert map_program(program, "loihi2").ok
    found = broken(map_program(program, "loihi1"))
    assert found[0].startswith("p0: needs microcode: 1, limit 0; compile for this target")
    assert found[1].startswith("input->p0: payload bits: 8, limit 0; compile with spikes")


def test_every_rule_is_reported():
    rules = {finding.rule for finding in map_program(chain((4,), dense(4, 2))).findings}
    assert len(rules) == len(RULES)


def test_a_processor_has_no_limits():
    mapping = map_program(chain((5000,), dense(5000, 3000)), "cpu")
    assert mapping.ok
    assert len(mapping.cores) == 2
    assert mapping.flow is not None
    assert mapping.flow.hops == 0
