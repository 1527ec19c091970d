"""Networks that spike, built in Python: recurrence, delays, sequences, read-outs."""

from __future__ import annotations

import numpy as np
import pytest

import neurodeploy as nd
from neurodeploy.errors import ConversionError, ModelError, UnsupportedError, UsageError
from neurodeploy.network import Add, Delay, Dense, Input, Network, Output, Spiking
from neurodeploy.network.stages import stages
from neurodeploy.network.stepping import step_through
from neurodeploy.testing.comparing import compare_simulate

STEPS = 30


def grid(shape, seed, largest=100, step=1 / 64):
    values = np.random.default_rng(seed).integers(-largest, largest + 1, shape)
    return values.astype(np.float32) * np.float32(step)


def raster(n=3, steps=STEPS, inputs=5, density=0.5, seed=1):
    return (np.random.default_rng(seed).random((n, steps, inputs)) < density).astype(np.uint8)


def compiled(network, **options):
    return nd.compile(network, scheme="direct", warn=lambda _: None, **options)


def counts(network, x, name):
    cut = stages(network)
    return step_through(cut, x.shape[2:], x)[name].spikes.sum(1)


@pytest.mark.parametrize("reset", ["zero", "subtract"])
@pytest.mark.parametrize("delay", [1, 3])
def test_a_recurrent_layer_on_a_grid_gives_every_spike(reset, delay):
    network = nd.spiking_network(
        5,
        [
            nd.SpikingLayer(
                grid((8, 5), 0), recurrent=grid((8, 8), 2, 30), reset=reset, recurrent_delay=delay
            ),
            nd.SpikingLayer(np.abs(grid((4, 8), 3)), reset=reset),
        ],
    )
    x = raster()
    program = compiled(network, steps=STEPS)
    assert program.recurrent
    assert program.is_aligned
    assert (program.period, program.decoder.tail) == (STEPS + delay, delay)
    expected = counts(network, x, "layer2")
    assert expected.sum() > 20
    np.testing.assert_array_equal(nd.simulate(program, x).outputs, expected)
    compare_simulate(program, x)


def test_a_convolution_of_frames_with_an_integrator_read_at_every_step():
    kernel = grid((2, 1, 3, 3), 4)
    network = nd.spiking_network(
        (1, 4, 4),
        [
            nd.SpikingLayer(kernel, threshold=40.0, padding=1),
            nd.SpikingLayer(grid((3, 32), 5), reset="none", membrane_leak=1 / 8),
        ],
    )
    x = np.random.default_rng(0).integers(0, 9, (2, 12, 1, 4, 4)).astype(np.float32)
    program = compiled(network, calibration=x, encoding="frames", decoder="every_step")
    assert program.period == 12
    assert program.encoder.unit == 1.0
    outputs = nd.simulate(program, x).outputs
    expected = step_through(stages(network), (1, 4, 4), x)["layer2"].membranes
    assert np.ptp(expected) > 1
    np.testing.assert_allclose(outputs, expected, atol=0.02)


def test_real_numbers_as_input_are_cut_into_255():
    network = nd.spiking_network(4, [nd.SpikingLayer(grid((6, 4), 6), threshold=2.0)])
    x = np.random.default_rng(3).random((4, 20, 4)).astype(np.float32)
    program = compiled(network, calibration=x, encoding="frames")
    assert program.encoder.high == 255
    assert program.encoder.unit == pytest.approx(x.max() / 255)
    expected = counts(network, x, "layer1")
    assert np.abs(nd.simulate(program, x).outputs - expected).sum() <= 0.03 * expected.sum()


@pytest.mark.parametrize("target", ["loihi1", "loihi2"])
@pytest.mark.parametrize("inputs", [5, 60])
def test_threshold_units_forget_everything_and_are_exact(target, inputs):
    """``s = [W x + V s' > theta]`` with any thresholds, on stock neurons where the sums allow."""
    rng = np.random.default_rng(7)
    step = 1 / 8 if inputs == 5 else 1.0
    network = nd.spiking_network(
        inputs,
        [
            nd.SpikingLayer(
                rng.integers(-12, 13, (9, inputs)) * step,
                recurrent=rng.integers(-12, 13, (9, 9)) * step if target == "loihi2" else None,
                membrane_leak=1.0,
                threshold=rng.integers(-20, 21, 9) * step,
            ),
        ],
    )
    program = compiled(network, steps=STEPS, target=target)
    x = raster(3, inputs=inputs, density=0.5)
    expected = counts(network, x, "layer1")
    assert 0 < expected.sum() < expected.size * STEPS
    np.testing.assert_array_equal(nd.simulate(program, x).outputs, expected)
    assert program.is_aligned
    neuron = program.populations[0].neuron
    assert (neuron.dv, neuron.quiet) == (4095, int(target == "loihi2"))
    assert neuron.is_stock == (target == "loihi1")


@pytest.mark.parametrize("reset", ["zero", "subtract"])
@pytest.mark.parametrize("leak", [0.0, 0.25, 1.0])
def test_neurons_that_spike_at_their_threshold_too(reset, leak):
    """Weights and threshold on a coarse grid, so that equality is met again and again."""
    rng = np.random.default_rng(3)
    weights = rng.integers(-3, 5, (20, 6)) / 4
    found = []
    for inclusive in (False, True):
        layer = nd.SpikingLayer(weights, membrane_leak=leak, reset=reset, inclusive=inclusive)
        network = nd.spiking_network(6, [layer])
        x = raster(5, inputs=6, density=0.5)
        program = compiled(network, steps=STEPS)
        spikes = step_through(stages(network), (6,), x)["layer1"].spikes
        same = nd.record(program, x).spikes["layer1"] == spikes
        assert same.all() if leak in (0, 1) else same.mean() > 0.99
        found.append(spikes)
    assert (found[0] != found[1]).mean() > 0.005


def test_large_sums_of_threshold_units_need_microcode():
    rng = np.random.default_rng(7)
    weights = rng.integers(-127, 128, (9, 300))
    network = nd.spiking_network(
        300, [nd.SpikingLayer(weights, membrane_leak=1.0, threshold=rng.integers(-99, 99, 9))]
    )
    program = compiled(network, steps=STEPS)
    x = raster(2, inputs=300, density=0.5)
    np.testing.assert_array_equal(nd.simulate(program, x).outputs, counts(network, x, "layer1"))
    neuron = program.populations[0].neuron
    assert neuron.dv == 4096
    assert not neuron.is_stock


def test_delays_between_layers_shift_spikes():
    weights = grid((6, 5), 8)
    late = nd.spiking_network(
        5, [nd.SpikingLayer(weights, delay=4), nd.SpikingLayer(np.eye(6) * 2)]
    )
    x = raster()
    program = compiled(late, steps=STEPS)
    assert not program.is_aligned  # the input is late: samples run as one stream
    found = nd.simulate(program, x).outputs
    np.testing.assert_array_equal(found, counts(late, x, "layer2"))


@pytest.mark.parametrize("target", ["loihi1", "loihi2"])
def test_a_delay_between_layers_keeps_samples_apart(target):
    layers = [
        nd.SpikingLayer(grid((6, 5), 8) + np.float32(0.25)),
        nd.SpikingLayer(grid((7, 6), 9), delay=3),
        nd.SpikingLayer(grid((4, 7), 10), delay=1),
    ]
    late = nd.spiking_network(5, layers)
    program = compiled(late, steps=STEPS, target=target)
    assert program.is_aligned
    x = raster(20)
    expected = counts(late, x, "layer3")
    assert expected.sum() > 20
    np.testing.assert_array_equal(nd.simulate(program, x).outputs, expected)
    compare_simulate(program, x[:4])


def loop(delay):
    """Two layers, each driving the other."""
    nodes = [
        Input("x", shape=(3,)),
        Dense("in", grid((4, 3), 0), np.zeros(4, np.float32)),
        Add("sum"),
        Spiking("a"),
        Dense("w", grid((4, 4), 1), np.zeros(4, np.float32)),
        Spiking("b"),
        Delay("late", shape=(4,), steps=delay),
        Dense("back", grid((4, 4), 2), np.zeros(4, np.float32)),
        Output("y"),
    ]
    inputs = {
        "in": ("x",), "sum": ("in", "back"), "a": ("sum",), "w": ("a",), "b": ("w",),
        "late": ("b",), "back": ("late",), "y": ("b",),
    }  # fmt: skip
    return Network(nodes, inputs)


def test_a_loop_takes_a_step_for_each_layer():
    x = raster(3, inputs=3)
    network = loop(2)
    expected = counts(network, x, "w")
    assert expected.sum() > 0
    np.testing.assert_array_equal(nd.simulate(compiled(network, steps=STEPS), x).outputs, expected)
    with pytest.raises(UnsupportedError, match="fewer steps of delay than layers"):
        compiled(loop(1), steps=STEPS)


def test_cycles_without_a_delay_or_a_neuron_are_refused():
    dense = Dense("d", np.eye(2, dtype=np.float32), np.zeros(2, np.float32))
    nodes = [Input("x", shape=(2,)), Add("s"), dense, Spiking("n"), Output("y")]
    edges = {"s": ("x", "d"), "d": ("s",), "n": ("s",), "y": ("n",)}
    with pytest.raises(ModelError, match="cycle"):
        Network(nodes, edges)
    nodes.append(Delay("late", shape=(2,)))
    edges |= {"late": ("d",), "s": ("x", "late")}
    with pytest.raises(UnsupportedError, match="without a neuron"):
        compiled(Network(nodes, edges), steps=3)


@pytest.mark.parametrize(
    ("wrong", "match"),
    [
        ({"recurrent": np.zeros((3, 3))}, r"recurrent \(3, 3\)"),
        ({"threshold": -1.0}, "not above 0"),
        ({"bias": np.zeros(7)}, "bias"),
        ({"membrane_leak": 1.5}, "outside 0..1"),
        ({"recurrent": np.zeros((4, 4)), "recurrent_delay": 0}, "delay of 0"),
        ({"weight": np.full((4, 5), np.nan)}, "not finite"),
    ],
)
def test_arrays_that_do_not_fit_are_told_with_the_layer(wrong, match):
    with pytest.raises(ModelError, match=match):
        nd.spiking_network(5, [nd.SpikingLayer(**{"weight": np.zeros((4, 5)), **wrong})])


def test_options_that_are_off_are_told():
    network = nd.spiking_network(5, [nd.SpikingLayer(np.eye(5))])
    with pytest.raises(UsageError, match="codes activations"):
        nd.compile(network, scheme="radix", steps=3)
    with pytest.raises(UsageError, match="steps"):
        compiled(network)
    late = nd.spiking_network(5, [nd.SpikingLayer(np.eye(5), delay=70)])
    with pytest.raises(ConversionError, match="62"):
        compiled(late, steps=3)


@pytest.mark.parametrize("delay", [1, 2])
def test_stock_neurons_are_kept_apart_by_others_that_inhibit_them(delay):
    """Recurrent on Loihi 1: many samples in a row, each as if it were alone."""
    layers = [
        nd.SpikingLayer(
            grid((12, 5), 0) + np.float32(0.25), recurrent=grid((12, 12), 2, 30),
            recurrent_delay=delay, bias=0.25,
        ),
        nd.SpikingLayer(grid((4, 12), 3)),
    ]  # fmt: skip
    network = nd.spiking_network(5, layers)
    program = compiled(network, steps=STEPS, target="loihi1")
    assert all(p.neuron.is_stock for p in program.populations)
    assert program.populations[0].name == "layer1.flush"
    assert program.is_aligned
    x = raster(40)
    expected = step_through(stages(network), (5,), x)
    found = nd.record(program, x, warn=lambda _: None)
    np.testing.assert_array_equal(found.spikes["layer1"][:, :STEPS], expected["layer1"].spikes)
    assert not found.spikes["layer1"][:, STEPS:].any()
    np.testing.assert_array_equal(nd.simulate(program, x).outputs, counts(network, x, "layer2"))
    assert nd.map(program).ok


def test_stock_neurons_that_nothing_keeps_apart_are_refused():
    back = grid((6, 6), 1)
    always = nd.spiking_network(5, [nd.SpikingLayer(grid((6, 5), 0), recurrent=back, bias=2.0)])
    with pytest.raises(ConversionError, match="before the first sample"):
        compiled(always, steps=STEPS, target="loihi1")
    usual = nd.spiking_network(5, [nd.SpikingLayer(grid((6, 5), 0), recurrent=back)])
    with pytest.raises(ConversionError, match="too long"):
        compiled(usual, steps=60_000, target="loihi1")


def test_check_takes_a_network_too():
    network = nd.spiking_network(5, [nd.SpikingLayer(grid((6, 5), 0), recurrent=grid((6, 6), 1))])
    report = nd.check(network, scheme="direct", steps=STEPS)
    assert report.ok
    assert report.fits
    assert report.summary.neurons == 6
    assert not nd.check(loop(1), scheme="direct", steps=STEPS).ok
