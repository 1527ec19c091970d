"""Steps between levels: little error, and few messages where that costs little."""

import numpy as np

from neurodeploy.conversion.window.messages import Digits, SignedDigits, Times
from neurodeploy.conversion.window.steps import SLACK, least_squares_steps


def error_and_messages(values, step, top, number):
    steps = step.reshape(1, -1, 1)
    x = np.clip(np.floor(values / steps + 0.5), 0, top).astype(int)
    return float(((x * steps - values) ** 2).mean()), int(number[x].sum())


def test_fewer_messages_for_little_error():
    rng = np.random.default_rng(0)
    values = np.maximum(rng.normal(size=(40, 6, 64)) * np.linspace(1, 3, 6)[:, None], 0)
    flat, shape = values.reshape(40, -1).astype(np.float32), (6, 8, 8)
    number = Digits(5, 31, bits=5, digit=1).number
    nearest = least_squares_steps(flat, shape, 31, by_channel=True)
    chosen = least_squares_steps(flat, shape, 31, by_channel=True, messages=number)
    error, sent = error_and_messages(values, nearest, 31, number)
    other, fewer = error_and_messages(values, chosen, 31, number)
    assert fewer < sent
    # the layer's step is longer as well, and no channel's is far below it
    assert 0.99 * error < other < 1.1 * SLACK * error


def test_messages_of_an_integer():
    """Codes of as many levels say the same integers."""
    for messages in (
        Digits(3, 7, bits=3, digit=1),
        Digits(1, 7, bits=3, digit=3),
        SignedDigits(6, 7, bits=3),
    ):
        assert messages.number.tolist() == [0, 1, 1, 2, 1, 2, 2, 3]
    assert Times(3, 3).number is None
