"""Neurons that read more than a core holds: divided where that is exact, else named as before."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import neurodeploy as nd
from neurodeploy.mapping import map_program
from neurodeploy.mapping.partial_sums import fit_sums
from neurodeploy.program import (
    INPUT,
    Connection,
    Convolution,
    Decoder,
    Dense,
    Encoder,
    Lif,
    Population,
    Program,
)
from neurodeploy.program.choices import choices_of
from neurodeploy.program.partial_sums import joined
from neurodeploy.targets import Core, load_target

LOIHI2 = load_target("loihi2")
#: Cores with a hundredth of the memory.
SMALL = replace(LOIHI2, core=Core(neurons=4095, synaptic_words=160))
SHARED = Path(__file__).resolve().parents[3] / "shared"
MNIST = SHARED / "models/exporters/zuramai_external_data/mnist.onnx"
DATA = SHARED / "data/mnist_test.npz"


def program(shape, *synapses, largest=1, period=8):
    """Readouts one behind the other, of inputs that are spikes or integers."""
    encoder = Encoder(shape, "deterministic", 2.0**-16, 0, 2**16)
    if largest > 1:
        encoder = Encoder(shape, "current", 1.0, 0, largest)
    populations, connections, source, here = [], [], INPUT, shape
    for k, made in enumerate(synapses):
        to = (made.output_size(here),)
        if isinstance(made, Convolution):
            to = made.output_shape(here)
        neuron = Lif(np.zeros(np.prod(to), np.int16), 100, reset="subtract", shift=0)
        populations.append(Population(f"p{k}", to, neuron, k + 2))
        connections.append(Connection(source, f"p{k}", made))
        source, here = f"p{k}", to
    return Program(tuple(populations), tuple(connections), encoder, Decoder(source, 1.0), period)


def weights(*shape):
    return np.random.default_rng(0).integers(-100, 101, shape).astype(np.int8)


CASES = {
    "a matrix behind maps": ((8, 8, 8), Dense(weights(6, 512))),
    "a matrix behind a flat population": ((500,), Dense(weights(6, 500))),
    "channels of maps": ((40, 5, 5), Convolution(weights(3, 40, 3, 3))),
    "channels in groups": ((80, 4, 4), Convolution(weights(4, 40, 3, 3), groups=2)),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_divided_fits(case):
    shape, synapses = CASES[case]
    whole = program(shape, synapses, Dense(weights(2, synapses.output_size(shape))))
    assert not map_program(whole, SMALL).ok
    found = fit_sums(whole, SMALL)
    (chosen,) = found.chosen
    assert chosen.layer == "p0"
    assert chosen.reads > chosen.limit == 160
    assert not found.refused
    assert map_program(found.program, SMALL).ok
    x = np.random.default_rng(1).random((3, *shape), np.float32)
    there, here = nd.simulate(whole, x), nd.simulate(found.program, x)
    np.testing.assert_array_equal(there.outputs, here.outputs)
    np.testing.assert_array_equal(there.spikes["p0"], here.spikes["p0"])


def test_what_fits_is_left_alone():
    whole = program((8, 8, 8), Dense(weights(6, 512)))
    assert fit_sums(whole, LOIHI2).program is whole


def test_messages_without_integers():
    """As before: it does not fit, and the finding says what to change."""
    whole = program((8, 8, 8), Dense(weights(6, 512)))
    target = replace(SMALL, graded_bits=0)
    found = fit_sums(whole, target)
    assert found.program is whole
    assert not found.refused
    (broken,) = (f for f in map_program(whole, target).findings if not f.ok)
    assert (broken.layer, broken.rule) == ("p0", "synaptic words a core")


def test_sums_that_may_be_larger_than_a_message():
    whole = program((8, 8, 8), Dense(np.full((6, 512), 127, np.int8)), largest=255)
    assert fit_sums(whole, SMALL).chosen
    narrow = replace(SMALL, graded_bits=12)
    found = fit_sums(whole, narrow)
    assert found.program is whole
    (line,) = found.refused
    assert line.startswith("p0: its sums are not divided: no division of input->p0")
    assert "12 bits" in line


def test_a_list_that_would_be_too_long():
    """100,000 inputs and 1,000 outputs, none of them maps: named, and at once."""
    whole = program((100_000,), Dense(np.ones((1000, 100_000), np.int8)))
    found = fit_sums(whole, LOIHI2)
    assert found.program is whole
    (line,) = found.refused
    assert "no maps" in line
    assert "100,000,000 synapses" in line


def test_cycles():
    lif = Lif(np.zeros(6, np.int16), 100, quiet=1)
    loop = Program(
        (Population("p", (6,), lif, 2),),
        (
            Connection(INPUT, "p", Dense(weights(6, 512))),
            Connection("p", "p", Dense(weights(6, 6))),
        ),
        Encoder((8, 8, 8), "deterministic", 2.0**-16, 0, 2**16),
        Decoder("p", 1.0),
        8,
    )
    found = fit_sums(loop, SMALL)
    assert found.program is loop
    assert found.refused == (
        "p: sums are not divided: its windows depend on one another: sums in parts would shift "
        "them",
    )


@pytest.fixture(scope="module")
def digits():
    if not (MNIST.exists() and DATA.exists()):
        pytest.skip("model and images are not beside this checkout (shared)")
    with np.load(DATA) as data:
        return data["x"][:300]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("scheme", ["ttfs", "radix", "rate"])
def test_a_published_network(digits, scheme):
    """Its last layer reads 21,632 sources; a core has 16,000 words."""
    made = nd.compile(
        MNIST, digits[:64], scheme, steps=None if scheme == "radix" else 16,
        mean=(0.5,), std=(0.5,), try_samples=0,
    )  # fmt: skip
    assert nd.map(made).ok
    (told,) = (c for c in choices_of(made.provenance) if c.layer == "output")
    assert told.because == "a neuron takes 21,632 synaptic words, a core has 16,000"
    whole = joined(made)
    assert whole.neurons == made.neurons - told.cost["neurons"]
    assert not nd.map(whole).ok
    np.testing.assert_array_equal(
        nd.simulate(made, digits).outputs, nd.simulate(whole, digits).outputs
    )
    loihi1 = nd.compile(MNIST, digits[:64], "rate", steps=8, target="loihi1", try_samples=0)
    assert not nd.map(loihi1).ok
    assert not choices_of(loihi1.provenance)
