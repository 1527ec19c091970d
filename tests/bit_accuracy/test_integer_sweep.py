"""The closed form on products of bytes: what random programs seldom have."""

from __future__ import annotations

import numpy as np
import pytest

from neurodeploy.errors import ProgramError
from neurodeploy.program import (
    INPUT,
    Connection,
    Convolution,
    Decoder,
    Dense,
    Encoder,
    Population,
    Program,
    Radix,
)
from neurodeploy.program.neurons.closed_form import Quotient
from neurodeploy.simulator import faster_sweep
from neurodeploy.simulator.closed_form import EventSweep
from neurodeploy.simulator.dense_sweep import DenseSweep
from neurodeploy.simulator.division import divided
from neurodeploy.simulator.faster_sweep import FasterSweep
from neurodeploy.simulator.integer_sweep import IntegerSweep, integer_sweep
from neurodeploy.simulator.matrix_product import MatrixProduct

RNG = np.random.default_rng(5)


def int8(*shape: int) -> np.ndarray:
    return RNG.integers(-127, 128, shape).astype(np.int8)


def network(bits: int = 5, digit: int = 1, groups: int = 8) -> Program:
    """A convolution, one channel by channel (or in groups), one position by position, a readout."""

    def radix(size: int, *, fires: bool = True) -> Radix:
        bias = RNG.integers(-500, 500, size).astype(np.int32)
        slope = RNG.integers(40, 300, size).astype(np.int32)
        return Radix(bias, slope, bits, digit, fires=fires)

    n = bits // digit
    shapes = {"a": (8, 6, 5), "b": (8, 6, 5), "c": (16, 6, 5), "out": (7,)}
    pad = (1, 1, 1, 1)
    grouped = Convolution(int8(8, 8 // groups, 3, 3), padding=pad, groups=groups)
    populations = tuple(
        Population(name, shape, radix(int(np.prod(shape)), fires=name != "out"), 2 + k * (n + 1))
        for k, (name, shape) in enumerate(shapes.items())
    )
    return Program(
        populations,
        (
            Connection(INPUT, "a", Convolution(int8(8, 2, 3, 3), padding=pad)),
            Connection("a", "b", grouped),
            Connection("a", "b", Dense(int8(240, 240)), exponent=1),
            Connection("b", "c", Convolution(int8(16, 8, 1, 1)), exponent=2),
            Connection("c", "out", Dense(int8(7, 480))),
        ),
        Encoder((2, 6, 5), "graded", 1.0, 0, 255),
        Decoder("out", 1.0),
        n,
    )


def same(program: Program, sweep: IntegerSweep, samples: int = 9) -> None:
    level = RNG.integers(0, 256, (samples, 60)).astype(np.int32)
    expected, found = EventSweep(program).run(level, every=True), sweep.run(level, every=True)
    np.testing.assert_array_equal(found.membrane, expected.membrane)
    np.testing.assert_equal(found.fired, expected.fired)
    np.testing.assert_equal(found.spikes, expected.spikes)
    np.testing.assert_equal(found.operations, expected.operations)


@pytest.mark.parametrize(("bits", "digit"), [(5, 1), (6, 3), (8, 8)])
def test_layers(bits: int, digit: int) -> None:
    program = network(bits, digit)
    same(program, IntegerSweep(program))


def test_bytes_that_saturate_are_multiplied_in_halves(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on processors that add pairs of products in 16 bit."""
    tried = MatrixProduct._tried

    def small_ones(self: MatrixProduct, weights: np.ndarray, largest: int, zero: int) -> bool:
        return largest <= 127 and tried(self, weights, largest, zero)

    monkeypatch.setattr(MatrixProduct, "_tried", small_ones)
    program = network(8, 8)
    same(program, IntegerSweep(program))


def test_what_it_cannot_do() -> None:
    program = network(groups=2)
    assert integer_sweep(program) is None
    with pytest.raises(ProgramError, match="in groups"):
        IntegerSweep(program)


@pytest.mark.parametrize("top", [1, 31, 255])
def test_division(top: int) -> None:
    """Around every whole quotient, of small slopes and of those that float32 does not hold."""
    slopes = np.array([1, 2, 3, 7, 64, 1021, 65537, 2**23 - 1], np.int32)
    form = Quotient(np.zeros(8, np.int32), slopes, top, fires=True)
    division = divided(form, (8,))
    for slope_at in range(8):
        for whole in range(top + 2):
            for off in (-1, 0, 1):
                edge = int(slopes[slope_at]) * whole - int(slopes[slope_at] >> 1) + off
                if abs(edge) >= 2**31 - 2**24:
                    continue
                v = np.zeros(8, np.int32)
                v[slope_at] = edge
                out = np.empty(8, np.uint8)
                division.send(v, out)
                np.testing.assert_array_equal(out, form.send(v.astype(np.int64)))


def test_the_faster_way_is_taken_if_it_is_right(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faster_sweep, "_PATIENCE", 1)
    program = network()
    level = RNG.integers(0, 256, (9, 60)).astype(np.int32)
    expected = DenseSweep(program).run(level).membrane
    sweep = FasterSweep(program)
    for _ in range(3):
        np.testing.assert_array_equal(sweep.run(level).membrane, expected)
    times = {DenseSweep: 2.0, IntegerSweep: 1.0}
    monkeypatch.setattr(faster_sweep, "_seconds", lambda way, level: times[type(way)])
    sweep = FasterSweep(program)
    for _ in range(2):
        sweep.run(level)
    assert isinstance(sweep._best, IntegerSweep)
    monkeypatch.setattr(faster_sweep, "_alike", lambda one, other: False)
    sweep = FasterSweep(program)
    for _ in range(2):
        sweep.run(level)
    assert isinstance(sweep._best, DenseSweep)
