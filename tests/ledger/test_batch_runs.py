"""The ledger's programs against the engine, the ANN and plain NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from networks import random_network

from neurodeploy.calibration import collect
from neurodeploy.conversion import RateScheme, TtfsScheme
from neurodeploy.ledger.batch_runs import Runner, only
from neurodeploy.ledger.matching import match
from neurodeploy.ledger.source_model import reference_network
from neurodeploy.network.stages import stages
from neurodeploy.passes import run_passes, standard_passes
from neurodeploy.program import INPUT, Preprocessing
from neurodeploy.recording import record
from neurodeploy.simulator import encoding
from neurodeploy.simulator.activity import activity
from neurodeploy.simulator.closed_form import EventSweep
from neurodeploy.simulator.engine import Engine
from neurodeploy.simulator.simulation import simulate
from neurodeploy.targets import load_target

SETTINGS = settings(
    max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
PLAIN = Preprocessing(1.0)


def converted(seed, scheme):
    rng = np.random.default_rng(seed)
    network = random_network(rng, max_pooling=scheme.max_pooling)
    network = run_passes(network, standard_passes())
    x = rng.standard_normal((8, *network.shapes["x"])).astype(np.float32)
    known = collect(network, x, PLAIN.apply)
    cut = stages(network, max_pooling=scheme.max_pooling)
    target = load_target("loihi2")
    program = scheme.convert(cut, network.shapes["x"], known, target, PLAIN, 0, {})
    return match(program, network), x


@SETTINGS
@given(st.integers(0, 2**32 - 1), st.sampled_from([7, 64]))
def test_time_code_equals_its_closed_form(seed, steps):
    """Exactly: every neuron of every population, relays and maxima included."""
    twin, x = converted(seed, TtfsScheme(steps=steps))
    batch = Runner(twin).run(x)
    for part in twin.parts:
        np.testing.assert_array_equal(batch.weighed[part.name], batch.real[part.name])
        assert not batch.late[part.name].any()


@SETTINGS
@given(st.integers(0, 2**32 - 1), st.sampled_from(["ttfs", "rate"]))
def test_layers_compute_like_the_network(seed, scheme):
    """`Layer.exact` is the ANN; a network in which nothing is changed has no error."""
    scheme = (
        TtfsScheme() if scheme == "ttfs" else RateScheme(encoding="current", bias_correction=False)
    )
    twin, x = converted(seed, scheme)
    exact = Runner(twin).exact(x)
    for layer in twin.layers:
        found, wanted = layer.exact(exact), exact[layer.name]
        assert np.abs(found - wanted).max() <= 1e-4 * max(np.abs(wanted).max(), 1e-3)
        # eight bits a weight: the dequantised layer is near, or the units would be wrong
        norm = np.linalg.norm(wanted)
        if layer.kind == "relu" and norm > 1e-3:
            assert np.linalg.norm(layer.weighed(exact) - wanted) < 0.2 * norm
    out = only(twin, exact, INPUT, exact[INPUT])
    np.testing.assert_allclose(out, exact[twin.readout.name], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("reset", ["subtract", "zero"])
def test_rate_code_without_uneven_input(made, schemes, reset):
    """The first layer's input is constant: with reset by subtraction its spikes are the closed
    form; the input is never late."""
    twin = match(
        made.program(schemes["rate"](32, reset=reset)), reference_network_of(made, schemes)
    )
    batch = Runner(twin).run(made.x)
    first = twin.layers[0].name
    assert not batch.late[INPUT].any()
    assert batch.late[first].any() == (reset == "zero")
    if reset == "subtract":
        np.testing.assert_array_equal(batch.weighed[first], batch.real[first])


def reference_network_of(made, schemes):
    return reference_network(made.program(schemes["rate"](32)), made.path)


@pytest.mark.parametrize("code", ["current", "deterministic", "poisson", "ttfs"])
def test_activity_is_the_simulation(made, schemes, code):
    options = {} if code == "ttfs" else {"encoding": code}
    program = made.program(schemes["ttfs" if code == "ttfs" else "rate"](16, **options))
    result, _ = simulate(program, made.x, first_index=5)
    level = encoding.levels(program.encoder, made.x)
    found = activity(program, level, 5)
    outputs = (found.membrane * program.decoder.unit).astype(np.float32)
    np.testing.assert_array_equal(outputs, result.outputs.reshape(outputs.shape))
    for name, spikes in result.spikes.items():
        fired = found.fired[name]
        counted = (fired > 0).sum(1) if code == "ttfs" else fired.sum(1)
        np.testing.assert_array_equal(counted, spikes)


@SETTINGS
@given(st.integers(0, 2**32 - 1))
def test_spike_times_say_the_same(seed):
    """Decoded from the stepped engine's spike times; event by event, too."""
    steps = 9
    twin, x = converted(seed, TtfsScheme(steps=steps))
    program = twin.program
    level = encoding.levels(program.encoder, x[:1])
    found = activity(program, level)
    silence = np.zeros((max(p.fire_phase(steps) for p in program.populations), level.shape[1]))
    messages = np.concatenate([encoding.encode(program.encoder, level[0], steps, 0), silence])
    trace = Engine(program).run_stream(messages.astype(np.int32))
    events = EventSweep(program).run(level, every=True).fired
    for p in program.populations:
        window = trace.spikes[p.name][p.fire_phase(steps) - 1 :][:steps]
        window = np.pad(window, ((0, steps - len(window)), (0, 0)))
        decoded = (np.arange(steps, 0, -1)[:, None] * window).sum(0)
        np.testing.assert_array_equal(decoded, found.fired[p.name][0])
        np.testing.assert_array_equal(events[p.name], found.fired[p.name])


def test_input_spikes_are_counted(made, schemes):
    """Evenly paced spikes are exactly the closed form of the encoder, random ones are not."""
    network = reference_network_of(made, schemes)
    for code, late in (("deterministic", False), ("poisson", True)):
        program = made.program(schemes["rate"](32, encoding=code))
        batch = Runner(match(program, network)).run(made.x)
        assert batch.late[INPUT].any() == late
        assert np.abs(batch.late[INPUT]).max() < 1


@SETTINGS
@given(st.integers(0, 2**32 - 1), st.sampled_from([8, 32]))
def test_spikes_taken_back_do_not_count(seed, steps):
    """Signed spikes, the default: a window's messages add up, and are counted apart from that."""
    twin, x = converted(seed, RateScheme(steps=steps, signed=True))
    found = Runner(twin).run(x).activity
    kept = record(twin.program, x).spikes
    for name, sums in found.fired.items():
        messages = kept[name].reshape(len(x), twin.program.period, -1).astype(int)
        np.testing.assert_array_equal(sums, messages.sum(1))
        np.testing.assert_array_equal(found.sent[name], (messages != 0).sum(1))
