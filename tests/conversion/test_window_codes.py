"""Window codes: one conversion, four kinds of messages, the same integers."""

from __future__ import annotations

import numpy as np
import pytest
from networks import random_network

from neurodeploy.calibration import collect
from neurodeploy.conversion import GradedScheme, OnlineScheme, RadixScheme, TtfsScheme
from neurodeploy.errors import UsageError
from neurodeploy.network import Activation, Add, Conv, Dense, Input, Network, Output
from neurodeploy.network.evaluate import Evaluator
from neurodeploy.network.stages import stages
from neurodeploy.passes import prepare
from neurodeploy.program import Preprocessing
from neurodeploy.program.bounds import bounds
from neurodeploy.program.one_to_one import one_to_one_weights
from neurodeploy.simulator.simulation import simulate
from neurodeploy.targets import load_target

PIXELS = Preprocessing(1 / 255, (0.4, 0.5), (0.2, 0.3))


def residual(rng) -> Network:
    """Three convolutions with an identity skip around the last two, and a head."""

    def conv(name, outputs, inputs):
        weight = rng.normal(0, 0.4, (outputs, inputs, 3, 3)).astype(np.float32)
        return Conv(name, weight, np.zeros(outputs, np.float32), (1, 1), (1,) * 4)

    nodes = [
        Input("x", (2, 6, 6)), conv("a", 4, 2), Activation("ra"), conv("b", 4, 4),
        Activation("rb"), conv("c", 4, 4), Add("s"), Activation("rs"),
        Dense("d", rng.normal(0, 0.2, (3, 144)).astype(np.float32), np.zeros(3, np.float32)),
        Output("y"),
    ]  # fmt: skip
    inputs = {
        "a": ("x",), "ra": ("a",), "b": ("ra",), "rb": ("b",), "c": ("rb",),
        "s": ("c", "ra"), "rs": ("s",), "d": ("rs",),
        "y": ("d",),
    }  # fmt: skip
    return Network(nodes, inputs)


def convert(scheme, network, raw, preprocessing=PIXELS):
    pooling = scheme.max_pooling
    network = prepare(network, max_pooling=pooling)
    known = collect(network, raw, preprocessing.apply)
    parts = stages(network, max_pooling=pooling)
    shape = network.shapes[network.input.name]
    return scheme.convert(parts, shape, known, load_target("loihi2"), preprocessing, 0, {})


@pytest.fixture
def pixels():
    rng = np.random.default_rng(5)
    return rng.integers(0, 256, (40, 2, 6, 6), dtype=np.uint8)


@pytest.mark.parametrize("digit", [1, 2, 3, 6])
def test_digits_of_any_width_say_the_same(pixels, digit):
    network = residual(np.random.default_rng(1))
    one = convert(RadixScheme(bits=6), network, pixels)
    other = convert(RadixScheme(bits=6, digit=digit), network, pixels)
    assert other.period == 6 // digit
    outputs = [simulate(p, pixels[:8])[0].outputs for p in (one, other)]
    np.testing.assert_array_equal(*outputs)


def test_online_says_what_radix_says_and_sooner(pixels):
    network = residual(np.random.default_rng(1))
    radix = convert(RadixScheme(bits=5), network, pixels)
    online = convert(OnlineScheme(bits=5, delay=4), network, pixels)
    assert online.latency < radix.latency
    outputs = [simulate(p, pixels[:8])[0].outputs for p in (radix, online)]
    np.testing.assert_array_equal(*outputs)


@pytest.mark.parametrize(
    "scheme", [RadixScheme(bits=8), GradedScheme(), TtfsScheme(steps=255), OnlineScheme(bits=8)]
)
def test_eight_bits_are_the_network(pixels, scheme):
    network = residual(np.random.default_rng(2))
    program = convert(scheme, network, pixels)
    assert program.is_aligned
    assert program.encoder.high == 255
    assert len(program.encoder.channel_units) == 2  # the std of each channel
    exact = Evaluator(network).run(PIXELS.apply(pixels))["y"]
    found = simulate(program, pixels)[0].outputs
    assert np.abs(found - exact).max() < 0.05 * np.abs(exact).max()


def test_pixels_are_exact_and_skips_are_synapses(pixels):
    program = convert(RadixScheme(), residual(np.random.default_rng(3)), pixels)
    e = program.encoder
    level = np.rint((PIXELS.apply(pixels).reshape(40, -1) - e.offsets) / e.units)
    np.testing.assert_array_equal(level, pixels.reshape(40, -1))
    assert [p.name for p in program.populations] == ["a", "b", "s", "output"]
    (skip,) = (c for c in program.connections if (c.source, c.target) == ("a", "s"))
    each = one_to_one_weights(skip.synapses, program.shape_of("a"), program.shape_of("s"))
    assert skip.delay == 1 + program.period + 1
    # whole: what the skip brings is the source's activation, not a rounding of it
    source, target = program.population("a"), program.population("s")
    unit = source.spike_values / 31
    weight = each * 2.0**skip.exponent * target.membrane_units
    np.testing.assert_allclose(weight, unit, rtol=1e-6)


def test_bounds_hold(pixels):
    for scheme in (RadixScheme(), GradedScheme(), TtfsScheme(steps=31)):
        program = convert(scheme, residual(np.random.default_rng(4)), pixels)
        assert all(b.cannot_clip for b in bounds(program).values())


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("scheme", [RadixScheme(bits=8), GradedScheme(), TtfsScheme(steps=255)])
def test_random_networks(seed, scheme):
    rng = np.random.default_rng(seed)
    network = random_network(rng)
    x = rng.standard_normal((24, *network.shapes["x"])).astype(np.float32)
    program = convert(scheme, network, x, Preprocessing(1.0))
    exact = Evaluator(network).run(x)["output"]
    found = simulate(program, x)[0].outputs
    assert np.abs(found - exact).max() < 0.1 * np.abs(exact).max()


def test_refusals():
    with pytest.raises(UsageError, match="do not make 5 bits"):
        RadixScheme(bits=5, digit=2)
