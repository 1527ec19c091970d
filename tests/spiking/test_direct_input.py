"""Samples without a time axis into networks that spike already; read-outs of stock neurons."""

from __future__ import annotations

from dataclasses import fields
from itertools import pairwise

import nir
import numpy as np
import pytest

import neurodeploy as nd
from neurodeploy.errors import ConversionError, UsageError
from neurodeploy.program.encoders import encoding_named
from neurodeploy.program.neurons.lif import THRESHOLD_MAX

INPUTS, HIDDEN, CLASSES, STEPS = 12, 9, 4, 24


def grid(shape, seed, step=1 / 64):
    found = np.random.default_rng(seed).integers(-127, 128, shape)
    found.reshape(-1)[0] = 127
    return found.astype(np.float32) * step


FIRST, SECOND = grid((HIDDEN, INPUTS), 1), grid((CLASSES, HIDDEN), 2)


def written(path, scale=1.0):
    """Dense, integrate-and-fire, dense, integrator; all weights on a grid."""
    ones, out = np.ones(HIDDEN, np.float32), np.ones(CLASSES, np.float32)
    resets = any(field.name == "v_reset" for field in fields(nir.IF))
    nodes = {
        "input": nir.Input({"input": np.array([INPUTS])}),
        "fc1": nir.Linear(FIRST * np.float32(scale)),
        "neurons": nir.IF(ones, ones, **({"v_reset": 0 * ones} if resets else {})),
        "fc2": nir.Linear(SECOND),
        "readout": nir.I(out),
        "output": nir.Output({"output": np.array([CLASSES])}),
    }
    nir.write(path, nir.NIRGraph(nodes=nodes, edges=list(pairwise(nodes))))
    return str(path)


def compiled(path, **options):
    options = {"reset": "zero", "steps": STEPS, "warn": lambda _: None, **options}
    return nd.compile(path, **options)


def expected(rows):
    """Sums of the read-out in float64 for what comes in at each step (steps, n, inputs)."""
    u, out = 0.0, 0.0
    for row in rows:
        u = u + row @ FIRST.T.astype(np.float64)
        fired = u > 1
        u = np.where(fired, 0, u)
        out = out + fired @ SECOND.T.astype(np.float64)
    return out


def test_evenly_paced_spikes_on_stock_neurons_alone(tmp_path):
    program = compiled(written(tmp_path / "a.nir"), target="loihi1", encoding="deterministic")
    assert all(p.neuron.is_stock for p in program.populations)
    assert program.populations[-1].neuron.threshold == THRESHOLD_MAX
    assert program.decoder.decoding == "membrane"
    assert nd.map(program).ok
    x = np.random.default_rng(3).random((20, INPUTS)).astype(np.float32)
    level = np.rint(x.astype(np.float64) * 2**16).astype(np.int32)
    code = encoding_named("deterministic")
    rows = np.stack(
        [code.encode(program.encoder, row, STEPS, 0, range(STEPS)) for row in level], axis=1
    )
    found = nd.simulate(program, x, warn=lambda _: None).outputs
    np.testing.assert_array_equal(found, expected(rows))
    assert np.abs(found).sum() > 100


def test_the_read_out_of_stock_neurons_is_that_with_microcode(tmp_path):
    path = written(tmp_path / "a.nir")
    x = np.random.default_rng(4).random((20, INPUTS)).astype(np.float32)
    found = [
        nd.simulate(compiled(path, target=t, encoding="poisson", seed=7), x, warn=lambda _: None)
        for t in ("loihi1", "loihi2")
    ]
    np.testing.assert_array_equal(found[0].outputs, found[1].outputs)
    other = compiled(path, target="loihi1", encoding="poisson", seed=8)
    assert (nd.simulate(other, x, warn=lambda _: None).outputs != found[0].outputs).any()


def test_a_constant_current_in_whole_levels_is_exact(tmp_path):
    program = compiled(written(tmp_path / "a.nir"), encoding="current", input_levels=16)
    x = np.random.default_rng(5).integers(0, 17, (20, INPUTS)) / np.float32(16)
    found = nd.simulate(program, x.astype(np.float32), warn=lambda _: None).outputs
    np.testing.assert_array_equal(found, expected(np.broadcast_to(x, (STEPS, *x.shape))))
    assert program.encoder.high == 16


def test_images_of_bytes_are_scaled_as_stated(tmp_path):
    path = written(tmp_path / "a.nir")
    raw = np.random.default_rng(6).integers(0, 256, (10, INPUTS)).astype(np.uint8)
    program = compiled(path, encoding="deterministic", scale=1 / 255)
    same = nd.simulate(program, raw.astype(np.float32) / 255, warn=lambda _: None).outputs
    np.testing.assert_array_equal(nd.simulate(program, raw).outputs, same)


def test_levels_leave_the_weights_their_bits(tmp_path):
    for name, scale in (("a", 1.0), ("b", 100.0)):
        program = compiled(written(tmp_path / f"{name}.nir", scale), encoding="current")
        weights = program.incoming(program.populations[0].name)[0].synapses.weights
        assert np.abs(weights.astype(int)).max() >= 64
        most = np.abs(weights.astype(int)).sum(1).max() * program.encoder.high
        assert 1 <= program.encoder.high <= 255
        assert most << program.populations[0].neuron.shift < 2**24


def test_a_read_out_that_reaches_every_threshold_is_refused(tmp_path):
    path = written(tmp_path / "a.nir")
    with pytest.raises(ConversionError, match="only integrates"):
        compiled(path, target="loihi1", encoding="deterministic", steps=20_000)
    compiled(path, target="loihi2", encoding="deterministic", steps=20_000)


@pytest.mark.parametrize(
    ("options", "place"),
    [
        ({"target": "loihi1", "encoding": "current"}, "--encoding current"),
        ({"target": "loihi1", "encoding": "frames"}, "--encoding frames"),
        (
            {"target": "loihi1", "encoding": "deterministic", "input_range": (-1.0, 1.0)},
            "--encoding deterministic",
        ),
        ({"encoding": "events", "scale": 0.5}, "--scale, --mean, --std"),
        ({"encoding": "current", "input_range": (0.5, 1.0)}, "--input-range"),
        ({"encoding": "events", "input_range": (0.0, 0.5)}, "--input-range"),
        ({"encoding": "current", "input_levels": 0}, "--input-levels"),
        ({"encoding": "poisson", "seed": -1}, "--seed"),
    ],
)
def test_what_does_not_go_together_is_refused(tmp_path, options, place):
    with pytest.raises(UsageError) as told:
        compiled(written(tmp_path / "a.nir"), **options)
    assert told.value.place == place


def test_reset_by_subtraction_needs_microcode(tmp_path):
    with pytest.raises(ConversionError, match="reset by subtraction"):
        compiled(written(tmp_path / "a.nir"), target="loihi1", reset="subtract")
