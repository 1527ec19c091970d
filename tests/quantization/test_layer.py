"""Integers of a layer: inside the registers, faithful to the floats, never wrapping."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neurodeploy.errors import ConversionError
from neurodeploy.network import Dense
from neurodeploy.network.stages import Path, Stage
from neurodeploy.program.bounds import input_interval, neuron_bounds
from neurodeploy.quantization import Arrival, LayerPlan, quantize_layer
from neurodeploy.quantization.ttfs import quantize_ttfs
from neurodeploy.targets import load_target

SETTINGS = settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))


def layer(weight, bias, *, level, unit=1.0, low=0, high=1, plan=None, steps=32, target="loihi2"):
    operator = Dense("w", weight.astype(np.float32), bias.astype(np.float32))
    stage = Stage("w", "relu", "r", (len(bias),), (Path("input", operator),), bias, None, 1)
    arrival = Arrival("input", operator, unit, low, high, graded=high > 1, delay=1)
    plan = plan or LayerPlan(level, "subtract", 0.5, 0.0, tuple(range(6, -1, -1)))
    return quantize_layer(stage, (arrival,), plan, load_target(target), steps), arrival


@SETTINGS
@given(
    st.integers(0, 2**32 - 1),
    st.floats(1e-4, 1e4),
    st.floats(1e-3, 1e3),
    st.sampled_from([1, 255, 4095]),
    st.integers(1, 512),
)
def test_registers(seed, size, level, high, steps):
    rng = np.random.default_rng(seed)
    weight = rng.standard_normal((5, 12)) * size
    bias = rng.standard_normal(5) * size
    made, arrival = layer(weight, bias, level=level, high=high, steps=steps)
    neuron, (connection,) = made.neuron, made.connections
    proof = neuron_bounds(
        neuron, input_interval((5,), [(connection, (arrival.low, arrival.high))]), steps
    )
    assert proof.cannot_wrap
    assert np.abs(connection.synapses.weights.astype(int)).max() <= 127
    assert 1 <= neuron.threshold < 2**17
    # threshold and scale say the same thing, exactly
    assert made.scale * neuron.threshold == pytest.approx(made.level, rel=1e-12)
    assert made.level >= level
    assert made.membrane_unit == pytest.approx(made.scale / 2**neuron.shift)
    # every weight within half a step of its float
    unit = made.scale * 2**connection.exponent
    integers = connection.synapses.weights.astype(float)
    assert np.abs(integers - weight.astype(np.float32) / unit).max() <= 0.5 + 1e-4
    step = 2.0**neuron.bias_exponent
    np.testing.assert_allclose(
        neuron.bias / 2.0**neuron.shift * made.scale,
        bias,
        atol=(0.5 * step + 0.5) * made.scale / 2**neuron.shift + 1e-9 * size,
    )
    assert neuron.v_initial == (neuron.threshold << neuron.shift) // 2


def test_weights_use_all_their_bits():
    rng = np.random.default_rng(0)
    made, _ = layer(rng.standard_normal((20, 30)), np.zeros(20), level=10.0)
    assert np.abs(made.connections[0].synapses.weights.astype(int)).max() in (126, 127)


def test_the_largest_shift_that_cannot_overflow():
    weight = np.full((1, 100), 1.0)
    few, _ = layer(weight, np.zeros(1), level=10.0, steps=4)
    many, _ = layer(weight, np.zeros(1), level=10.0, steps=4000)
    assert few.neuron.shift > many.neuron.shift


def test_stock_neuron_gives_up_resolution_rather_than_wrap():
    weight = np.ones((1, 4000))
    plan = LayerPlan(10.0, "zero", 0.0, 0.0, (6,))
    made, _arrival = layer(weight, np.zeros(1), level=10.0, plan=plan)
    weights = made.connections[0].synapses.weights.astype(int)
    assert made.neuron.is_stock
    assert weights.sum() << 6 <= 2**23
    assert 0 < weights.max() < 127


def test_all_zero_weights():
    """The bit optimisers of other tools fail here (lava#501)."""
    made, _ = layer(np.zeros((3, 4)), np.array([1.0, 0.0, -1.0]), level=2.0)
    assert not made.connections[0].synapses.weights.any()
    np.testing.assert_allclose(made.neuron.bias * made.membrane_unit, [1, 0, -1], atol=1e-3)


def test_a_level_far_below_the_weights_is_raised():
    """Otherwise no integer threshold could hold it, and the weights would have to saturate."""
    made, _ = layer(np.array([[1e5, 1.0]]), np.zeros(1), level=1.0)
    assert made.neuron.threshold == 1
    assert made.level == pytest.approx(1e5 / 127 / 128)
    assert made.connections[0].synapses.weights[0, 0] == 127
    assert made.connections[0].exponent == 7


def test_a_clip_that_cannot_be_kept_is_refused():
    operator = Dense("w", np.array([[1e5]], np.float32), np.zeros(1, np.float32))
    stage = Stage("w", "relu", "r", (1,), (Path("input", operator),), np.zeros(1), 1.0, 1)
    arrival = Arrival("input", operator, 1.0, 0, 1, False, 1)
    plan = LayerPlan(1.0, "subtract", 0.5, 0.0, (0,))
    with pytest.raises(ConversionError, match="clip at 1"):
        quantize_layer(stage, (arrival,), plan, load_target("loihi2"), 32)
    with pytest.raises(ConversionError, match="clip at 1"):
        quantize_ttfs(stage, np.zeros(1), (arrival,), 1 / 32, load_target("loihi2"), 32)


def test_small_thresholds_are_made_finer_by_exponents():
    made, _ = layer(np.array([[10.0, -3.0]]), np.zeros(1), level=1.0)
    assert made.neuron.threshold >= 64
    assert made.connections[0].exponent > 0
    assert np.abs(made.connections[0].synapses.weights.astype(int)).max() >= 120
    assert made.level == 1.0


@pytest.mark.parametrize("steps", [32, 1024, 8192])
def test_a_readout_never_clips(steps):
    """Its scale gives way to the number of steps, not its outputs to the register."""
    operator = Dense("w", np.full((3, 200), 1.0, np.float32), np.zeros(3, np.float32))
    paths = (Path("input", operator),)
    stage = Stage("output", "readout", "", (3,), paths, np.full(3, 5.0), None, 1)
    arrival = Arrival("input", operator, 1.0, 0, 1, False, 1)
    plan = LayerPlan(0.0, "none", 0.0, 0.0, tuple(range(6, -1, -1)))
    made = quantize_layer(stage, (arrival,), plan, load_target("loihi2"), steps)
    interval = input_interval((3,), [(made.connections[0], (0, 1))])
    proof = neuron_bounds(made.neuron, interval, steps)
    weights = np.abs(made.connections[0].synapses.weights.astype(int))
    assert proof.cannot_clip or weights.max() <= 16
    assert weights.max() >= 14


def test_a_readout_that_would_lose_its_weights_is_refused():
    operator = Dense("w", np.full((3, 20), 1.0, np.float32), np.zeros(3, np.float32))
    paths = (Path("input", operator),)
    stage = Stage("output", "readout", "", (3,), paths, np.zeros(3), None, 1)
    arrival = Arrival("input", operator, 1 / 255, 0, 255, True, 1)
    plan = LayerPlan(0.0, "zero", 0.0, 0.0, (6,), reach=2 * 1024 * 20.0)
    with pytest.raises(ConversionError, match="levels"):
        quantize_layer(stage, (arrival,), plan, load_target("loihi2"), 1024)


def test_operators_of_unequal_size_each_use_their_bits():
    """A skip beside a layer: without exponents one of the two would round to nothing."""
    rng = np.random.default_rng(0)
    large, small = (
        Dense("w", (rng.standard_normal((4, 6)) * size).astype(np.float32), np.zeros(4, np.float32))
        for size in (50.0, 1.0)
    )
    paths = (Path("a", large), Path("b", small))
    stage = Stage("w", "relu", "r", (4,), paths, np.zeros(4), None, 1)
    arrivals = tuple(Arrival(p.source, p.operator, 1.0, 0, 1, False, 1) for p in paths)
    plan = LayerPlan(100.0, "subtract", 0.5, 0.0, tuple(range(6, -1, -1)))
    made = quantize_layer(stage, arrivals, plan, load_target("loihi2"), 16)
    for operator, c in zip((large, small), made.connections, strict=True):
        integers = c.synapses.weights.astype(float)
        assert np.abs(integers).max() > 60
        real = integers * 2**c.exponent * made.scale
        np.testing.assert_allclose(
            real, operator.weight, atol=made.scale * 2**c.exponent / 2 * 1.01
        )
    assert made.connections[0].exponent > made.connections[1].exponent == 0
