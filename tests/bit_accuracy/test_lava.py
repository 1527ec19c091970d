"""Reference = Lava: every spike and every membrane at every step.

By our models of its processes, and in fewer cases by its own: `tests/lava/test_models.py` compares
the two sets of models more widely.
"""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from neurodeploy.lava.run import run
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
    Synapses,
)
from neurodeploy.simulator import reference
from neurodeploy.simulator.encoding import encode
from neurodeploy.testing import random_program, random_ttfs_program
from neurodeploy.testing.coded_programs import CODES, Code, random_coded_program

pytestmark = [
    pytest.mark.lava,
    pytest.mark.skipif(importlib.util.find_spec("lava") is None, reason="Lava is not installed"),
]

RNG = np.random.default_rng(7)


def int8(*shape: int) -> np.ndarray:
    return RNG.integers(-128, 128, shape).astype(np.int8)


def lif(size: int, threshold: int = 300, **more: object) -> Lif:
    bias = RNG.integers(-50, 51, size).astype(np.int16)
    return Lif(bias, threshold, **more)  # type: ignore[arg-type]


def stream_of(program: Program, level: np.ndarray) -> np.ndarray:
    """Samples one after the other, and silence until the last window ends."""
    sent = [encode(program.encoder, row, program.period, k) for k, row in enumerate(level)]
    drain = max(p.fire_phase(program.period) for p in program.populations)
    return np.concatenate([*sent, np.zeros((drain, level.shape[1]), np.int32)])


def assert_equal_on_lava(program: Program, messages: np.ndarray, models: str) -> None:
    names = [p.name for p in program.populations]
    expected = reference.run(program, messages)
    stock = models == "lava"
    found = run(program, messages, membranes=names, timeout=60, stock=stock)
    assert found.models == models or importlib.util.find_spec("numba") is None
    for name in names:
        np.testing.assert_array_equal(found.spikes[name], expected.spikes[name], name)
        np.testing.assert_array_equal(found.membrane[name], expected.membrane[name], name)
    np.testing.assert_equal(found.messages, expected.messages)


def some(ours: int, lavas: int) -> list[tuple[str, int]]:
    """Seeds for our models, and others for Lava's own."""
    return [("neurodeploy", k) for k in range(ours)] + [("lava", ours + k) for k in range(lavas)]


@pytest.mark.parametrize(("models", "seed"), some(16, 4))
def test_random_program(models: str, seed: int) -> None:
    assert_equal_on_lava(*random_program(np.random.default_rng(seed)), models)


@pytest.mark.parametrize(("models", "seed"), some(5, 1))
def test_random_ttfs_program(models: str, seed: int) -> None:
    """Four networks side by side in each."""
    rng = np.random.default_rng(seed)
    program, level = random_ttfs_program(rng, max_depth=2, networks=4)
    assert_equal_on_lava(program, stream_of(program, level), models)


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("seed", range(5))
def test_random_coded_program(code: Code, seed: int) -> None:
    """Four networks side by side in each: what a run costs is to start it."""
    rng = np.random.default_rng(100 + seed)
    program, level = random_coded_program(rng, code, max_depth=2, networks=4)
    assert_equal_on_lava(program, stream_of(program, level), "neurodeploy")


@pytest.mark.parametrize("models", ["neurodeploy", "lava"])
def test_program_of_stock_neurons(models: str) -> None:
    program, messages = random_program(np.random.default_rng(100), stock=True, max_depth=3)
    assert not program.needs_microcode
    assert_equal_on_lava(program, messages, models)


SPARSE = Sparse(
    # a repeated pair whose sum leaves 8 bit, an empty row, and -128
    np.array([127, 127, -128, -128, 5], np.int8),
    np.array([2, 2, 0, 3, 1], np.int32),
    np.array([0, 3, 3, 5], np.int64),
    4,
)
CONNECTIONS: dict[str, tuple[Synapses, tuple[int, ...], dict[str, int]]] = {
    "asymmetric padding": (Convolution(int8(3, 2, 3, 2), padding=(0, 2, 1, 0)), (2, 5, 6), {}),
    "padding of each axis": (Convolution(int8(3, 2, 3, 2), padding=(0, 2, 0, 2)), (2, 5, 6), {}),
    "groups": (Convolution(int8(6, 2, 3, 3), groups=3, padding=(1, 1, 1, 1)), (6, 4, 5), {}),
    "depthwise, strides": (Convolution(int8(4, 1, 2, 3), groups=4, stride=(2, 3)), (4, 6, 9), {}),
    "dilation": (Convolution(int8(2, 2, 3, 2), dilation=(2, 3)), (2, 7, 8), {}),
    "conv exponent": (Convolution(int8(2, 2, 3, 3)), (2, 5, 4), {"exponent": 3}),
    "many channels": (Convolution(int8(32, 32, 3, 3), padding=(1, 1, 1, 1)), (32, 3, 2), {}),
    "dense exponent": (Dense(int8(5, 24)), (2, 3, 4), {"exponent": 5}),
    "weights -128": (Dense(np.full((4, 6), -128, np.int8)), (6,), {}),
    "sparse": (SPARSE, (4,), {"exponent": 1}),
    "no synapses": (Sparse(int8(0), np.zeros(0, np.int32), np.zeros(4, np.int64), 4), (4,), {}),
    "delay 2": (Dense(int8(5, 6)), (6,), {"delay": 2}),
    "delay 62": (Convolution(int8(2, 2, 3, 3)), (2, 5, 4), {"delay": 62}),
}


#: Through Lava's own models, too: where something has to be undone on the way to them.
BY_LAVA = ("conv exponent", "groups", "many channels", "weights -128", "sparse")


@pytest.mark.parametrize(
    ("models", "name"),
    [("neurodeploy", name) for name in CONNECTIONS] + [("lava", name) for name in BY_LAVA],
)
def test_connection(models: str, name: str) -> None:
    """Signed graded input into stock neurons, whose spikes go on into others."""
    synapses, shape, more = CONNECTIONS[name]
    delay = more.get("delay", 1)
    if isinstance(synapses, Convolution):
        target: tuple[int, ...] = synapses.output_shape(shape)
    else:
        target = (synapses.output_size(shape),)
    size = int(np.prod(target))
    program = Program(
        (
            Population("a", target, lif(size), 1 + delay),
            Population("b", (3,), lif(3, reset="subtract", shift=4, v_initial=900), 2 + delay),
        ),
        (
            Connection("input", "a", synapses, graded=True, **more),
            Connection("a", "b", Dense(int8(3, size))),
        ),
        Encoder(shape, "current", 1.0, -9, 9),
        Decoder("b", 1.0),
        8,
    )
    levels = RNG.integers(-9, 10, (3, int(np.prod(shape))))
    messages = np.repeat(levels, 8, axis=0)
    if delay > 8:
        messages = np.concatenate([messages, np.zeros((delay, messages.shape[1]), int)])
    assert_equal_on_lava(program, messages, models)


@pytest.mark.parametrize(
    ("models", "neuron"),
    [("neurodeploy", n) for n in ("stock", "subtract", "none")] + [("lava", "stock")],
)
def test_overflow(models: str, neuron: str) -> None:
    """Currents that wrap and membranes that clip, the same on both sides."""
    more = {} if neuron == "stock" else {"reset": neuron, "shift": 6}
    one = Population("a", (6,), lif(6, 131071, du=0, bias_exponent=7, **more), 2)
    program = Program(
        (one,),
        (Connection("input", "a", Dense(int8(6, 10)), exponent=7, graded=True),),
        Encoder((10,), "current", 1.0, -1, 1),
        Decoder("a", 1.0),
        16,
    )
    messages = RNG.integers(-1, 2, (48, 10))
    trace = reference.run(program, messages)
    assert trace.wrapped["a"]
    assert trace.clipped["a"]
    assert_equal_on_lava(program, messages, models)


def test_branches_of_unequal_delay_and_a_population_without_input() -> None:
    program = Program(
        (
            Population("a", (4,), lif(4, 40), 2),
            Population("lone", (2, 2, 1), lif(4, 30, bias_exponent=2), 1),
            Population("sum", (3,), lif(3, 20, reset="subtract"), 4),
        ),
        (
            Connection("input", "a", Dense(int8(4, 5))),
            Connection("a", "sum", Dense(int8(3, 4)), delay=2),
            Connection("input", "sum", Dense(int8(3, 5)), delay=3),
            Connection("lone", "sum", Dense(int8(3, 4)), delay=3),
            Connection("a", "sum", Dense(int8(3, 4)), delay=2, graded=True),
        ),
        Encoder((5,), "deterministic", 2.0**-16, 0, 2**16),
        Decoder("sum", 1.0),
        6,
    )
    assert_equal_on_lava(program, RNG.integers(0, 2, (30, 5)), "neurodeploy")
