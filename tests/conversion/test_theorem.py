"""The theorem: a time-to-first-spike program is the W-level quantised network.

1. Integers: the spiking program, stepped by the reference, equals a plain NumPy evaluation of
   the quantised network, integer for integer.
2. Reals: with float weights in continuous time the ANN's activations are reproduced.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from networks import random_network

from neurodeploy.calibration import collect
from neurodeploy.conversion import TtfsScheme
from neurodeploy.network import Activation
from neurodeploy.network.evaluate import Evaluator
from neurodeploy.network.stages import stages
from neurodeploy.passes import run_passes, standard_passes
from neurodeploy.program import INPUT, Convolution, Dense, Earliest, Preprocessing, Sparse
from neurodeploy.simulator import encoding, reference
from neurodeploy.simulator.continuous import activations
from neurodeploy.simulator.simulation import simulate
from neurodeploy.targets import load_target

SETTINGS = settings(
    max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
PLAIN = Preprocessing(1.0)


def converted(seed, steps):
    """A random network, its program, and a few samples of both signs."""
    rng = np.random.default_rng(seed)
    network = run_passes(random_network(rng), standard_passes())
    x = rng.standard_normal((24, *network.shapes["x"])).astype(np.float32)
    known = collect(network, x, PLAIN.apply)
    parts = stages(network, max_pooling=True)
    scheme = TtfsScheme(steps=steps, balance="max")
    target = load_target("loihi2")
    program = scheme.convert(parts, network.shapes["x"], known, target, PLAIN, 0, {})
    return network, parts, program, x[:2]


def plain_numpy(program, level):
    """The quantised network, layer by layer: no spikes, no time; int64 all through."""
    window = program.period
    values = {INPUT: level.astype(np.int64)}
    for p in program.order:
        total = np.zeros(p.size, np.int64)
        for c in program.incoming(p.name):
            x = values[c.source].reshape(program.shape_of(c.source)) << c.exponent
            s = c.synapses
            if isinstance(s, Dense):
                total += s.weights.astype(np.int64) @ x.reshape(-1)
            elif isinstance(s, Sparse):
                for row in range(p.size):
                    part = slice(s.row_starts[row], s.row_starts[row + 1])
                    weights = s.weights[part].astype(np.int64)
                    total[row] += weights @ x.reshape(-1)[s.columns[part]]
            elif isinstance(p.neuron, Earliest):
                total += pooled(s, x).reshape(-1)
            else:
                total += correlated(s, x).reshape(-1)
        if isinstance(p.neuron, Earliest):
            values[p.name] = total
            continue
        v = total + p.neuron.bias
        if not p.neuron.fires:
            return v
        rounded = np.floor(v / p.neuron.slope + 0.5).astype(np.int64)
        values[p.name] = np.clip(rounded, 0, window)
    raise AssertionError("no readout")


def patches(s: Convolution, x):
    """Windows of a padded image: (C, H', W', kh, kw)."""
    top, left, bottom, right = s.padding
    padded = np.pad(x, ((0, 0), (top, bottom), (left, right)))
    extent = [(k - 1) * d + 1 for k, d in zip(s.weights.shape[2:], s.dilation, strict=True)]
    seen = np.lib.stride_tricks.sliding_window_view(padded, extent, (1, 2))
    return seen[:, :: s.stride[0], :: s.stride[1], :: s.dilation[0], :: s.dilation[1]]


def pooled(s, x):
    return patches(s, x).max((3, 4))


def correlated(s, x):
    seen, weights = patches(s, x), s.weights.astype(np.int64)
    inputs, outputs = x.shape[0] // s.groups, weights.shape[0] // s.groups
    return np.concatenate(
        [
            np.einsum(
                "oikl,ihwkl->ohw",
                weights[g * outputs : (g + 1) * outputs],
                seen[g * inputs : (g + 1) * inputs],
            )
            for g in range(s.groups)
        ]
    )


@SETTINGS
@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 3, 8, 16, 33]))
def test_integer_for_integer(seed, steps):
    _, _, program, x = converted(seed, steps)
    assert program.is_aligned
    level = encoding.levels(program.encoder, x)
    expected = np.stack([plain_numpy(program, row) for row in level])

    decoder = program.population(program.decoder.population)
    sent = [encoding.encode(program.encoder, row, steps, k) for k, row in enumerate(level)]
    drain = max(p.fire_phase(steps) for p in program.populations)
    messages = np.concatenate([*sent, np.zeros((drain, level.shape[1]), np.int32)])
    trace = reference.run(program, messages)
    last = np.arange(1, len(level) + 1) * steps + decoder.phase - 2
    np.testing.assert_array_equal(trace.membrane[decoder.name][last], expected)
    for name, spikes in trace.spikes.items():
        p = program.population(name)
        window = spikes[p.fire_phase(steps) - 1 :][:steps]
        assert window.sum(0).max(initial=0) <= 1, "more than one spike a neuron and sample"

    result, _ = simulate(program, x)
    np.testing.assert_array_equal(
        result.outputs, (expected * program.decoder.unit).astype(np.float32)
    )


@SETTINGS
@given(st.integers(0, 2**32 - 1))
def test_real_for_real(seed):
    """Event-driven, continuous time, float64: the ANN to 1e-5."""
    network, parts, _, x = converted(seed, 8)
    taps = [node.name for node in network if isinstance(node, Activation)]
    results = Evaluator(network, taps).run(x[:1])
    largest = max(float(np.abs(values).max()) for values in results.values())
    window = 1.5 * max(largest, 2 * float(np.abs(x).max()))
    found = activations(parts, x[0], network.shapes["x"], window)
    for stage in parts:
        if stage.kind == "max":
            continue
        expected = results[stage.activation or "output"][0].reshape(-1)
        scale = max(1.0, np.abs(expected).max())
        np.testing.assert_allclose(found[stage.name], expected, rtol=0, atol=1e-5 * scale)


@pytest.mark.parametrize("seed", range(6))
def test_more_levels_come_closer(seed):
    """The decoded outputs converge to the ANN's as the window grows."""
    errors = []
    for steps in (8, 64, 512):
        network, _, program, x = converted(seed, steps)
        exact = Evaluator(network).run(x)["output"]
        result, _ = simulate(program, x)
        errors.append(np.abs(result.outputs - exact).max() / max(1e-6, np.abs(exact).max()))
    assert errors[-1] < errors[0] + 1e-9
    assert errors[-1] < 0.12, errors
