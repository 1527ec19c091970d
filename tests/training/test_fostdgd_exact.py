"""Random networks: the steps are those of plain NumPy, and on a grid of weights of the program."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch", reason="needs the extra train")
pytest.importorskip("nir", reason="needs the extra nir")

import neurodeploy as nd  # noqa: E402
from neurodeploy.training.fostdgd import IntegrateAndFireNetwork  # noqa: E402
from neurodeploy.training.fostdgd.spiking_nir import save_nir  # noqa: E402

LAYERS = st.sampled_from(["6-5-3", "6-8-4-3", "2x4x4-3c3p1-3", "1x5x5-4c2s2-6-3", "7-2"])
RESETS = st.sampled_from(["zero", "subtract"])


def on_a_grid(layers, reset, seed, step=1 / 64):
    """A network whose weights are whole numbers of 1/64, in float64."""
    network = IntegrateAndFireNetwork(layers, reset=reset, seed=seed).double()
    random = np.random.default_rng(seed)
    with torch.no_grad():
        for synapses in network.synapses:
            whole = random.integers(-60, 80, synapses.weight.shape)
            whole.reshape(-1)[0] = 127
            synapses.weight.copy_(torch.from_numpy(whole * step))
    return network


def events(network, steps, n, seed):
    shape = (steps, n, *network.input_shape)
    return (np.random.default_rng(seed).random(shape) < 0.4).astype(np.uint8)


@given(LAYERS, RESETS, st.integers(1, 70), st.integers(0, 10**6))
@settings(max_examples=40, deadline=None)
def test_steps_are_those_of_plain_numpy(layers, reset, steps, seed):
    network = on_a_grid(layers, reset, seed)
    x = events(network, steps, 3, seed)
    *hidden, head = network.synapses
    membranes = [np.zeros((3, *s.shape)) for s in hidden]
    counts = [np.zeros((3, *s.shape)) for s in hidden]
    arrived = 0.0
    for row in x:
        sent = torch.from_numpy(row.astype(np.float64))
        for k, synapses in enumerate(hidden):
            with torch.no_grad():
                membranes[k] += synapses(sent).numpy()
            fired = membranes[k] > 1.0
            membranes[k] = np.where(fired, 0 if reset == "zero" else membranes[k] - 1, membranes[k])
            counts[k] += fired
            sent = torch.from_numpy(fired.astype(np.float64))
        with torch.no_grad():
            arrived = arrived + head(sent).numpy()
    for found, expected in zip(network.spike_counts(torch.from_numpy(x)), counts, strict=True):
        np.testing.assert_array_equal(found.numpy(), expected)
    with torch.no_grad():
        readout = network(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(readout, arrived / steps, rtol=0, atol=1e-12)


@given(LAYERS.filter(lambda text: text != "7-2"), RESETS, st.integers(0, 10**6))
@settings(max_examples=12, deadline=None)
def test_on_a_grid_the_program_is_the_network(tmp_path_factory, layers, reset, seed):
    """int8 holds every weight, so every spike is the same: on stock neurons where it is reset."""
    network, steps = on_a_grid(layers, reset, seed), 16
    path = tmp_path_factory.mktemp("grid") / "n.nir"
    save_nir(network, path)
    program = nd.compile(
        str(path), reset=reset, steps=steps, warn=lambda _: None,
        target="loihi1" if reset == "zero" else "loihi2",
    )  # fmt: skip
    x = events(network, steps, 4, seed + 1)
    found = nd.simulate(program, x.swapaxes(0, 1), warn=lambda _: None).outputs
    with torch.no_grad():
        expected = steps * network(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)
