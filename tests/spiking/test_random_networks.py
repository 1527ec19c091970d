"""Random networks that spike, on grids: the program has every spike of the float steps."""

from __future__ import annotations

import numpy as np
import pytest

import neurodeploy as nd
from neurodeploy.errors import ConversionError
from neurodeploy.network.stages import stages
from neurodeploy.network.stepping import step_through
from neurodeploy.testing.comparing import compare_simulate

STEPS = 14


def drawn(rng):
    """Layers without a leak, or of neurons that forget everything: those are exact."""

    def grid(*shape, largest=60):
        return rng.integers(-largest, largest + 1, shape) / 64

    shape, layers = (int(rng.integers(2, 7)),), []
    if rng.random() < 0.3:
        shape = (2, 5, 4)
    size = int(np.prod(shape))
    stock = bool(rng.random() < 0.3)
    for k in range(int(rng.integers(1, 4))):
        last = k and rng.random() < 0.2
        forgets = bool(rng.random() < 0.4) and not last
        reset = "zero" if stock else str(rng.choice(["zero", "subtract"]))
        n = int(rng.integers(1, 9))
        weight = grid(n, size)
        options = {}
        if k == 0 and len(shape) == 3 and rng.random() < 0.7:
            weight = grid(3, 2, 3, 3)
            options = {"padding": int(rng.integers(0, 2)), "stride": int(rng.integers(1, 3))}
            n = None
        elif rng.random() < 0.5 and not last and not (stock and forgets):
            options["recurrent"] = grid(n, n, largest=30)
            options["recurrent_delay"] = int(rng.integers(1, 4))
        if rng.random() < 0.3 and not stock:
            options["delay"] = int(rng.integers(1, 4))
        threshold = 1.0
        if forgets and n is not None and rng.random() < 0.5:
            threshold = rng.integers(-40, 80, n) / 64
        layers.append(
            nd.SpikingLayer(
                weight, threshold=threshold, membrane_leak=float(forgets),
                reset="none" if last else reset, inclusive=bool(rng.random() < 0.3 and not last),
                bias=0.0 if stock or rng.random() < 0.6 else int(rng.integers(-3, 9)) / 64,
                **options,
            )
        )  # fmt: skip
        made = nd.spiking_network(shape, layers).shapes["output"]
        size = int(np.prod(made))
        if last:
            break
    target = "loihi1" if stock and layers[-1].reset != "none" else "loihi2"
    return nd.spiking_network(shape, layers), shape, target


@pytest.mark.parametrize("seed", range(40))
def test_every_spike_is_the_networks(seed):
    rng = np.random.default_rng(seed)
    network, shape, target = drawn(rng)
    options = {"scheme": "direct", "steps": STEPS, "warn": lambda _: None}
    try:
        program = nd.compile(network, target=target, **options)
    except ConversionError as error:  # a bias that fires stock neurons before the first sample
        if target != "loihi1" or "before the first sample" not in error.message:
            raise
        program = nd.compile(network, target="loihi2", **options)
    x = (rng.random((5, STEPS, *shape)) < 0.5).astype(np.uint8)
    cut = stages(network)
    expected = step_through(cut, shape, x)
    names = [stage.name for stage in cut if stage.neuron.reset != "none"]
    found = nd.record(program, x, populations=names).spikes
    for name in names:
        mine = found[name][:, :STEPS].reshape(expected[name].spikes.shape)
        np.testing.assert_array_equal(mine, expected[name].spikes, err_msg=name)
    compare_simulate(program, x)
