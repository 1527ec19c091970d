"""tools/bench_simulator.py: peers run the same integers; synthetic rates are what they say."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import neurodeploy as nd
from neurodeploy.program import (
    INPUT,
    Connection,
    Convolution,
    Decoder,
    Dense,
    Encoder,
    IntegrateFire,
    Lif,
    Population,
    Program,
    Sparse,
)

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

PERIOD = 12


def _weights(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.integers(-60, 90, shape, np.int8)


def _population(name: str, shape: tuple[int, ...], phase: int, bias: np.ndarray) -> Population:
    neuron = Lif(
        np.broadcast_to(bias, shape).reshape(-1).astype(np.int16),
        threshold=150 + 40 * phase,
        reset="subtract",
        shift=phase % 3,
        v_initial=70,
    )
    return Population(name, shape, neuron, phase)


def _as_the_compiler_makes_them(program: Program) -> Program:
    """The same with thresholds and initial membranes of each neuron."""
    rng = np.random.default_rng(7)

    def neuron(p: Population) -> IntegrateFire:
        threshold = rng.integers(120, 400, p.size).astype(np.int32)
        initial = rng.integers(-9, 200, p.size).astype(np.int32)
        if p.name == "b":  # all the same: the frameworks' other code
            threshold[:], initial[:] = 260, 130
        bias = p.neuron.bias.astype(np.int32)
        return IntegrateFire(bias, threshold, initial, signed=False, fires=p.neuron.fires)

    populations = tuple(replace(p, neuron=neuron(p)) for p in program.populations)
    return replace(program, populations=populations)


@pytest.fixture(scope="module", params=["lif", "integrate_fire"])
def program(request: pytest.FixtureRequest) -> Program:
    """One kind or the other that the peers run."""
    made = _every_synapse()
    return made if request.param == "lif" else _as_the_compiler_makes_them(made)


def _every_synapse() -> Program:
    """Groups, stride, dilation, uneven padding, both kinds of shortcut, a list of synapses."""
    rng = np.random.default_rng(5)
    channel_bias = rng.integers(-30, 30, (4, 1, 1))
    identity = np.arange(4 * 6 * 6)
    # every second row and column, channels 4 to 7 stay empty
    picked = identity.reshape(4, 6, 6)[:, ::2, ::2].reshape(-1)
    starts = np.concatenate([np.arange(37), np.full(36, 36)])
    listed = Sparse(
        _weights(rng, 60),
        rng.integers(0, 72, 60, np.int32),
        np.array([0, 10, 10, 35, 40, 60]),
        72,
    )
    readout = Lif(rng.integers(-9, 9, 5).astype(np.int16), 0, reset="none", v_initial=3)
    return Program(
        populations=(
            _population("a", (4, 6, 6), 2, channel_bias),
            _population("b", (4, 6, 6), 3, rng.integers(-30, 30, (4, 6, 6))),
            _population("c", (8, 3, 3), 4, np.zeros(1)),
            _population("d", (5,), 5, rng.integers(-30, 30, 5)),
            Population("out", (5,), readout, 6),
        ),
        connections=(
            Connection(
                INPUT,
                "a",
                Convolution(_weights(rng, 4, 2, 3, 3), (1, 1), (1, 1, 1, 1)),
                graded=True,
            ),
            Connection(
                "a",
                "b",
                Sparse(np.full(144, 7, np.int8), identity.astype(np.int32), np.arange(145), 144),
                exponent=2,
            ),
            Connection(
                "a", "b", Convolution(_weights(rng, 4, 2, 3, 3), (1, 1), (2, 2, 2, 2), (2, 2), 2)
            ),
            Connection("b", "c", Convolution(_weights(rng, 8, 4, 2, 3), (2, 2), (0, 1, 0, 1))),
            Connection(
                "a",
                "c",
                Sparse(np.full(36, 90, np.int8), picked.astype(np.int32), starts, 144),
                delay=2,
            ),
            Connection("c", "d", listed),
            Connection("d", "out", Dense(_weights(rng, 5, 5)), exponent=1),
        ),
        encoder=Encoder((2, 6, 6), "current", 1.0, -8, 8),
        decoder=Decoder("out", 1.0),
        period=PERIOD,
    )


@pytest.fixture(scope="module")
def samples() -> np.ndarray:
    return np.random.default_rng(6).integers(-8, 9, (5, 2, 6, 6)).astype(np.float32)


@pytest.mark.torch
@pytest.mark.parametrize("layered", [True, False])
@pytest.mark.parametrize("name", ["spikingjelly", "sinabs", "snntorch", "norse"])
def test_peers_compute_the_same_membranes(
    program: Program, samples: np.ndarray, name: str, layered: bool
) -> None:
    pytest.importorskip("torch")
    pytest.importorskip(name)
    from simulator_bench.contenders import Form, own, torch_peer

    expected = own(program, 1).run(samples)
    spikes = nd.simulate(program, samples, threads=1).spikes
    assert all(spikes[p].sum() > 0 for p in "abcd")
    for channels_last in (False, True):
        # three samples at a time: the last batch is smaller
        found = torch_peer(name, program, Form(layered, channels_last, 3)).run(samples)
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("rate", [0.02, 0.4])
def test_synthetic_rates(program: Program, samples: np.ndarray, rate: float) -> None:
    from simulator_bench.rates import hidden_rates, with_synthetic_rate

    changed = with_synthetic_rate(program, samples, rate)
    found = hidden_rates(changed, nd.simulate(changed, samples).spikes)
    assert set(found) == set("abcd")
    # few neurons, few steps: the rate moves in jumps
    for name in "abc":
        assert found[name] == pytest.approx(rate, rel=0.25), name
    for before, after in zip(program.connections, changed.connections, strict=True):
        assert before.synapses is after.synapses


def test_the_ceiling_is_measured_for_every_width() -> None:
    from simulator_bench.ceiling import WIDTHS, adds_per_second

    found = adds_per_second(repeat=1, seconds=0.001)
    assert tuple(found) == WIDTHS
    assert all(speed > 1e6 for speed in found.values())
