"""Which processes a program needs and who ships them: kinds that Intel ships, and others."""

from __future__ import annotations

import numpy as np
import pytest

from neurodeploy.program import (
    Connection,
    Decoder,
    Dense,
    Encoder,
    GradedRelu,
    Lif,
    Population,
    Program,
    Radix,
    TwoCompartments,
)
from neurodeploy.reporting.inspection import describe, fidelity
from neurodeploy.reporting.page.sections import processes
from neurodeploy.reporting.processes import needed, needs

ZEROS = np.zeros(2, np.int32)


def program_of(neuron, weights=((2, 0), (0, 2)), **more) -> Program:
    return Program(
        (Population("out", (2,), neuron, 2),),
        (Connection("input", "out", Dense(np.array(weights, np.int8)), **more),),
        Encoder((2,), "current", 1.0, 0, 9),
        Decoder("out", 1.0),
        4,
    )


STOCK = {
    "LIFReset of Lava": Lif(ZEROS.astype(np.int16), 10, reset="zero"),
    "two compartments of NxSDK": TwoCompartments(ZEROS.astype(np.int16), 10),
    "lava.proc.graded.GradedReluVec": GradedRelu(ZEROS, 1),
    "lava.proc.graded.GradedVec": GradedRelu(ZEROS, 1, signed=True),
}


@pytest.mark.parametrize("name", STOCK)
def test_what_intel_ships(name):
    program = program_of(STOCK[name])
    assert needs(program) == f"stock ({name}): nothing, Intel ships all of it"
    assert needs(program) in fidelity(program)
    assert needed(program)[0].process == name
    assert all(row.by.startswith("Intel") for row in needed(program))
    assert describe(program)["populations"][0]["runs_as"] == name


def test_what_nobody_ships():
    program = program_of(Radix(ZEROS, ZEROS + 3, 4))
    assert needs(program).startswith("custom microcode (radix): you need")
    assert needed(program)[0].by.startswith("nobody")
    assert describe(program)["populations"][0]["runs_as"] == "custom microcode"
    shown = processes.show(processes.gather(program))
    assert "nobody" in shown[1].rows[0][3]


def test_two_shifted_connections_are_no_stock():
    """Lava would round each down; one sum of both is a process of ours."""
    one = program_of(GradedRelu(ZEROS, 1), ((1, 0), (0, 1)))
    assert not one.needs_microcode
    two = Program(
        one.populations, (*one.connections, *one.connections), one.encoder, one.decoder, 4
    )
    assert two.needs_microcode
    assert needs(two).startswith("custom microcode (graded_relu)")


def test_biases_and_waits_are_named():
    program = program_of(GradedRelu(ZEROS + 5, 1), delay=1)
    assert [row.use for row in needed(program)] == ["neurons", "biases", "connections"]
    late = program_of(GradedRelu(ZEROS, 0), delay=3)
    assert needed(late)[-1].process == "lava.proc.sparse.DelaySparse"
