"""Index maps, synapse lists and the choice of Lava's processes; no run."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from neurodeploy.errors import DeploymentError
from neurodeploy.lava import limits
from neurodeploy.lava.layout import lava_order, lava_shape, row_bound, triplets, unique_layers
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
from neurodeploy.simulator.reference import synaptic_input

pytestmark = pytest.mark.lava


def program_of(synapses: Synapses, shape: tuple[int, ...], high: int = 1, **more: int) -> Program:
    """Input -> one population."""
    if isinstance(synapses, Convolution):
        target: tuple[int, ...] = synapses.output_shape(shape)
    else:
        target = (synapses.output_size(shape),)
    size = int(np.prod(target))
    return Program(
        (Population("out", target, Lif(np.zeros(size, np.int16), 10), 2),),
        (Connection("input", "out", synapses, graded=True, **more),),
        Encoder(shape, "current", 1.0, -high, high),
        Decoder("out", 1.0),
        4,
    )


def test_lava_order_is_width_height_channel() -> None:
    image = np.arange(24).reshape(2, 3, 4)
    assert lava_shape((2, 3, 4)) == (4, 3, 2)
    ordered = image.reshape(-1)[lava_order((2, 3, 4))].reshape(4, 3, 2)
    assert ordered[3, 1, 0] == image[0, 1, 3]
    assert lava_shape((7,)) == (7,)
    assert lava_shape((2, 3)) == (6,)
    np.testing.assert_array_equal(lava_order((2, 3)), np.arange(6))


SYNAPSES = [
    (
        Convolution(
            np.arange(-54, 54).reshape(4, 3, 3, 3).astype(np.int8),
            stride=(2, 1),
            padding=(2, 0, 1, 1),
            dilation=(1, 2),
            groups=2,
        ),
        (6, 5, 7),
    ),
    (Dense(np.arange(-10, 10).reshape(4, 5).astype(np.int8)), (5,)),
    (
        Sparse(
            np.array([127, 127, -128, 5], np.int8),
            np.array([2, 2, 0, 1], np.int32),
            np.array([0, 3, 3, 4], np.int64),
            3,
        ),
        (3,),
    ),
]


@pytest.mark.parametrize(("synapses", "shape"), SYNAPSES)
def test_triplets_are_the_synapses(synapses: Synapses, shape: tuple[int, ...]) -> None:
    connection = Connection("input", "out", synapses, graded=True)
    messages = np.random.default_rng(0).integers(-9, 10, int(np.prod(shape)))
    expected = synaptic_input(connection, shape, messages)
    total = np.zeros_like(expected)
    layers = unique_layers(triplets(synapses, shape))
    for rows, columns, weights in layers:
        assert len(set(zip(rows.tolist(), columns.tolist(), strict=True))) == rows.size
        np.add.at(total, rows, weights.astype(np.int64) * messages[columns])
    np.testing.assert_array_equal(total, expected)
    assert len(layers) == (2 if isinstance(synapses, Sparse) else 1)
    assert np.abs(expected).max() <= 9 * row_bound(synapses)


def conv(**more: object) -> Convolution:
    return Convolution(np.ones((2, 2, 3, 3), np.int8), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("synapses", "shape", "high", "suits", "by_stock"),
    [
        (conv(padding=(1, 2, 1, 2)), (2, 8, 8), 1, True, True),
        (conv(padding=(1, 1, 2, 1)), (2, 8, 8), 1, False, False),
        (conv(padding=(1, 0, 1, 1)), (2, 8, 8), 1, False, False),
        (conv(stride=(200, 1)), (2, 8, 8), 1, False, False),
        (conv(), (2, 8, 8), 2**23 // 18, True, True),
        (conv(), (2, 8, 8), 2**23 // 18 + 1, False, False),
        (Dense(np.ones((3, 4), np.int8)), (4,), 1, False, False),
        (Convolution(np.ones((32, 32, 3, 3), np.int8)), (32, 4, 4), 1, True, False),
        (Convolution(np.ones((32, 32, 3, 3), np.int8)), (32, 20, 20), 1, True, True),
    ],
)
def test_conv_is_used_where_it_is_exact_and_fast(
    synapses: Synapses, shape: tuple[int, ...], high: int, suits: bool, by_stock: bool
) -> None:
    """Only Lava's own model is slow where there are many channels and few positions."""
    program = program_of(synapses, shape, high)
    connection = program.connections[0]
    assert limits.suits_conv(program, connection, high, stock=False) is suits
    assert limits.suits_conv(program, connection, high, stock=True) is by_stock


def test_currents_beyond_32_bit_are_refused() -> None:
    weights = Dense(np.full((1, 8), 127, np.int8))
    limits.check_range(program_of(weights, (8,), exponent=7), 200)
    with pytest.raises(DeploymentError, match=r"32 bit .*overflow") as caught:
        limits.check_range(program_of(weights, (8,), high=300, exponent=7), 300)
    assert caught.value.place == "out"


def test_doubled_weights_beyond_32_bit_are_refused() -> None:
    """Lava's own `Dense` would wrap before it halves: 260 * 2^23, though 130 * 2^23 fits."""
    program = program_of(Dense(np.full((1, 2), 48, np.int8)), (2,), high=2**23 - 1)
    neuron = replace(program.populations[0].neuron, shift=0)
    program = replace(program, populations=(replace(program.populations[0], neuron=neuron),))
    limits.check_range(program, 2**23 - 1)
    wide = replace(program.connections[0], synapses=Dense(np.full((1, 2), 65, np.int8)))
    with pytest.raises(DeploymentError, match="overflow"):
        limits.check_range(replace(program, connections=(wide,)), 2**23 - 1)


def test_timeout_grows_with_the_work() -> None:
    small = program_of(conv(), (2, 8, 8))
    large = program_of(Convolution(np.ones((32, 32, 3, 3), np.int8)), (32, 20, 20))

    def timeout(program: Program, steps: int, stock: bool = False) -> float:
        return limits.default_timeout(program, steps, stock)

    assert 120 < timeout(small, 10) < timeout(small, 1000)
    assert timeout(small, 100) < timeout(large, 100) < timeout(large, 100, stock=True)
