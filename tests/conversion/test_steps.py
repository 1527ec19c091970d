"""Steps between levels: little error, and few messages where that costs little."""

import numpy as np
import pytest

from neurodeploy.conversion.window.integers import float_activation
from neurodeploy.conversion.window.message_prices import SLACK, sparing
from neurodeploy.conversion.window.messages import Digits, SignedDigits, Times
from neurodeploy.conversion.window.output_gains import output_gains
from neurodeploy.conversion.window.running import Side
from neurodeploy.conversion.window.steps import Sparing, least_squares_steps, step_curves
from neurodeploy.network.batched import float_map, transposed_map
from neurodeploy.network.nodes import Conv, Dense
from neurodeploy.network.stages import Path, Stage, operator_matrix
from neurodeploy.program import INPUT

NUMBER = Digits(5, 31, bits=5, digit=1).number


def error_and_messages(values, step, top, number):
    steps = step.reshape(1, -1, 1)
    x = np.clip(np.floor(values / steps + 0.5), 0, top).astype(int)
    return ((x * steps - values) ** 2).mean((0, 2)), number[x].sum((0, 2))


def activations(rng):
    values = np.maximum(rng.normal(size=(40, 6, 64)) * np.linspace(1, 3, 6)[:, None], 0)
    return values, values.reshape(40, -1).astype(np.float32)


def test_the_higher_the_price_the_fewer_messages():
    values, flat = activations(np.random.default_rng(0))
    found = [
        error_and_messages(
            values,
            least_squares_steps(
                flat, (6, 8, 8), 31, by_channel=True, sparing=Sparing(NUMBER, np.ones(6), price)
            ),
            31,
            NUMBER,
        )
        for price in (0.0, 1e-3, 1e-2, 1e-1)
    ]
    errors, sent = [e.sum() for e, _ in found], [m.sum() for _, m in found]
    assert errors == sorted(errors)
    assert sent == sorted(sent, reverse=True)
    assert sent[-1] < 0.9 * sent[0]
    nearest = least_squares_steps(flat, (6, 8, 8), 31, by_channel=True)
    assert errors[0] < 1.02 * error_and_messages(values, nearest, 31, NUMBER)[0].sum()


def test_a_channel_that_matters_little_is_coarse():
    _, flat = activations(np.random.default_rng(1))
    gain = np.array([1, 1, 1, 1e-3, 1, 1])
    both = [
        least_squares_steps(flat, (6, 8, 8), 31, by_channel=True, sparing=Sparing(NUMBER, g, 1e-3))
        for g in (np.ones(6), gain)
    ]
    coarser = both[1] > 1.2 * both[0]
    np.testing.assert_array_equal(coarser, gain < 1)


@pytest.mark.parametrize("by_channel", [True, False])
def test_curves_tell_what_steps_do(by_channel):
    values, flat = activations(np.random.default_rng(2))
    gain = np.linspace(0.5, 2, 6)
    curves = step_curves(flat, (6, 8, 8), 31, by_channel, Sparing(NUMBER, gain))
    steps, told = curves.at(1e-3)
    error, _ = error_and_messages(values, steps, 31, NUMBER)
    weights = gain if by_channel else gain.mean()
    assert told == pytest.approx(float((error * 64 * weights).sum()), rel=0.05)


def convolution(*shape, **about):
    return Conv("c", np.zeros(shape, np.float32), np.zeros(shape[0], np.float32), **about)


OPERATORS = [
    (convolution(6, 2, 3, 3, stride=(2, 1), padding=(1, 0, 1, 2), groups=2), (4, 8, 7)),
    (convolution(3, 4, 2, 3, stride=(1, 2), padding=(0, 1, 0, 1), dilation=(2, 1)), (4, 6, 6)),
    (Dense("d", np.zeros((5, 24), np.float32), np.zeros(5, np.float32)), (4, 3, 2)),
]


@pytest.mark.parametrize(("operator", "shape"), OPERATORS)
@pytest.mark.parametrize("listed", [False, True])
def test_transposed_map(operator, shape, listed):
    rng = np.random.default_rng(3)
    operator.weight[...] = rng.normal(size=operator.weight.shape)
    matrix = operator_matrix(operator, shape)
    targets = operator.output_shape([shape])
    g = rng.normal(size=(3, matrix.shape[0])).astype(np.float32)
    back = transposed_map(matrix if listed else operator, shape, targets)(g)
    np.testing.assert_allclose(back, g @ matrix.toarray(), rtol=1e-4, atol=1e-4)
    x = rng.normal(size=(3, matrix.shape[1])).astype(np.float32)
    forth = float_map(operator, shape)(x)
    np.testing.assert_allclose(forth, x @ matrix.toarray().T, rtol=1e-4, atol=1e-4)


def small_network(rng, outputs):
    """A convolution, one that is added to it, and outputs."""
    conv = [Conv("c", rng.normal(size=s).astype(np.float32) / 3, padding=(1, 1, 1, 1))
            for s in ((4, 2, 3, 3), (4, 4, 3, 3))]  # fmt: skip
    dense = Dense("d", rng.normal(size=(outputs, 144)).astype(np.float32) / 12)
    identity = Conv("i", np.eye(4, dtype=np.float32)[:, :, None, None])
    shape, zero = (4, 6, 6), np.zeros(144)

    def stage(name, kind, shape, paths, bias, depth):
        return Stage(name, kind, name, shape, paths, bias, None, depth)

    return (
        stage("a", "relu", shape, (Path(INPUT, conv[0]),), zero, 1),
        stage("b", "relu", shape, (Path("a", conv[1]), Path("a", identity)), zero, 2),
        stage("output", "readout", (outputs,), (Path("b", dense),), np.zeros(outputs), 3),
    )


@pytest.mark.parametrize(("outputs", "draws"), [(5, 16), (40, 2000)])
def test_gains_are_what_small_errors_do(outputs, draws):
    rng = np.random.default_rng(4)
    stages = small_network(rng, outputs)
    x = rng.normal(size=(2, 2, 6, 6)).astype(np.float32)
    gains, values = output_gains(stages, (2, 6, 6), x, float_activation, draws)
    for stage in stages[:2]:
        for channel in range(4):
            squares = []
            for neuron in range(36):
                side = Side.of(stages, (2, 6, 6), x)
                side.values = dict(values)
                moved = values[stage.name].copy()
                moved[:, 36 * channel + neuron] += 1e-3
                side.values[stage.name] = moved
                for later in stages[stages.index(stage) + 1 :]:
                    z = side.floats(later)
                    side.values[later.name] = z if later.is_readout else float_activation(later, z)
                change = (side.values["output"] - values["output"]) / 1e-3
                squares.append(np.square(change).sum(1).mean())
            assert gains[stage.name][channel] == pytest.approx(np.mean(squares), rel=0.12)


def test_the_error_given_is_the_slack():
    """Of the outputs, with all layers rounded at once."""
    rng = np.random.default_rng(5)
    stages = small_network(rng, 5)
    x = rng.normal(size=(64, 2, 6, 6)).astype(np.float32)
    found = sparing(stages, (2, 6, 6), x, 31, NUMBER, float_activation, lambda stage: True)
    assert set(found) == {"a", "b"}
    errors, messages = [], []
    for weighed in (False, True):
        side, sent = Side.of(stages, (2, 6, 6), x), 0
        for stage in stages:
            z = side.floats(stage)
            if stage.is_readout:
                side.values[stage.name] = z
                continue
            values = float_activation(stage, z)
            one = found[stage.name]
            steps = least_squares_steps(
                values, stage.shape, 31, by_channel=True, sparing=one if weighed else None
            )
            steps = np.repeat(steps, 36).astype(np.float32)
            integers = np.clip(np.floor(values / steps + 0.5), 0, 31)
            sent += int(NUMBER[integers.astype(int)].sum())
            side.values[stage.name] = integers * steps
        exact = output_gains(stages, (2, 6, 6), x, float_activation, 16)[1]
        errors.append(float(np.square(side.values["output"] - exact["output"]).mean()))
        messages.append(sent)
    assert messages[1] < messages[0]
    assert errors[1] < SLACK * 1.1 * errors[0]


def test_messages_of_an_integer():
    """Codes of as many levels say the same integers."""
    for messages in (
        Digits(3, 7, bits=3, digit=1),
        Digits(1, 7, bits=3, digit=3),
        SignedDigits(6, 7, bits=3),
    ):
        assert messages.number.tolist() == [0, 1, 1, 2, 1, 2, 2, 3]
    assert Times(3, 3).number is None


def test_layers_that_the_outputs_do_not_need():
    """A network whose last weights are zero compiles: no price can be had there."""
    rng = np.random.default_rng(6)
    stages = small_network(rng, 3)
    stages[2].paths[0].operator.weight[...] = 0
    x = rng.normal(size=(8, 2, 6, 6)).astype(np.float32)
    assert sparing(stages, (2, 6, 6), x, 31, NUMBER, float_activation, lambda stage: True) == {}


def test_gains_do_not_depend_on_how_many_gradients_fit(monkeypatch):
    rng = np.random.default_rng(7)
    stages = small_network(rng, 5)
    x = rng.normal(size=(3, 2, 6, 6)).astype(np.float32)
    whole, _ = output_gains(stages, (2, 6, 6), x, float_activation, 16)
    monkeypatch.setattr("neurodeploy.conversion.window.output_gains._FLOATS", 1)
    parts, _ = output_gains(stages, (2, 6, 6), x, float_activation, 16)
    for name, gain in whole.items():
        np.testing.assert_allclose(parts[name], gain, rtol=1e-6)
