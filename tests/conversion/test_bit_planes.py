"""Layers that read an input on several lines, and what that is worth."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

import neurodeploy as nd
from neurodeploy.conversion.input_lines import reading_lines, usual_bit_planes, with_lines
from neurodeploy.errors import UsageError
from neurodeploy.network import Conv, Dense
from neurodeploy.network.stages import Path, Stage, apply_operator
from neurodeploy.program import INPUT

SHAPE = (4, 5, 5)


def operator(kind):
    rng = np.random.default_rng(3)
    if kind == "matrix":
        return sparse.random(7, 100, 0.2, format="csr", rng=rng)
    if kind == "dense":
        return Dense("d", rng.standard_normal((7, 100)).astype(np.float32), np.zeros(7))
    groups = {"conv": 1, "grouped": 2, "depthwise": 4}[kind]
    weight = rng.standard_normal((8, 4 // groups, 3, 3)).astype(np.float32)
    return Conv("c", weight, np.zeros(8, np.float32), (1, 1), (1,) * 4, groups=groups)


@pytest.mark.parametrize("kind", ["conv", "grouped", "depthwise", "dense", "matrix"])
@pytest.mark.parametrize("lines", [1, 3])
def test_whatever_a_value_is_split_into_adds_up(kind, lines):
    rng = np.random.default_rng(4)
    read = operator(kind)
    stage = Stage("a", "relu", "", (7,), (Path(INPUT, read),), np.zeros(7), None, 1)
    (wide,) = reading_lines((stage,), lines, SHAPE)
    parts = rng.standard_normal((4, lines, 5, 5)).astype(np.float32)
    expected = apply_operator(read, parts.sum(1))
    found = apply_operator(wide.paths[0].operator, parts.reshape(4 * lines, 5, 5))
    np.testing.assert_allclose(found, expected, atol=1e-4)
    x = rng.standard_normal((2, *SHAPE)).astype(np.float32)
    spread = with_lines(x, lines)
    assert spread.shape == (2, 4 * lines, 5, 5)
    np.testing.assert_array_equal(spread.reshape(2, 4, lines, 5, 5).sum(2), x)


@pytest.mark.parametrize(
    ("steps", "planes"), [(8, 5), (16, 4), (32, 3), (33, 3), (100, 2), (256, 0), (4096, 0)]
)
def test_as_many_as_tell_256_levels_apart(steps, planes):
    x = np.linspace(0, 1, 50)
    assert usual_bit_planes(steps, x) == planes
    assert usual_bit_planes(steps, x[:0]) == planes
    assert usual_bit_planes(steps, np.array([0.0, 2.0, 0.0])) == 0  # spikes already


@pytest.fixture(scope="module")
def programs(fashion, fashion_calibration):
    """The fashion network for Loihi 1 at 8 steps, without bit planes and as usual."""
    made = {}
    for name, options in (("none", {"bit_planes": 0}), ("usual", {})):
        made[name] = nd.compile(
            fashion / "model.onnx", fashion_calibration[:64], "rate", target="loihi1", steps=8,
            scale=1 / 255, warn=lambda _: None, **options,
        )  # fmt: skip
    return made


def test_the_ledger_sees_a_finer_input(programs, fashion, fashion_calibration):
    x = fashion_calibration[64:160]
    rows = {}
    for name, program in programs.items():
        assert program.encoder.bit_planes == (0 if name == "none" else 5)
        assert program.encoder.shape == (program.encoder.lines, 28, 28)
        assert program.encoder.sample_shape == (1, 28, 28)
        rows[name] = nd.explain(program, x, model=fashion / "model.onnx").rows
    first, bare = rows["usual"][0], rows["none"][0]
    assert first.neurons == bare.neurons == 784
    assert first.real < 0.1 * bare.real
    assert first.alone["timing"] == bare.alone["timing"] == 0
    assert rows["usual"][-1].real < rows["none"][-1].real


def test_lava_gets_the_same_spikes(programs, fashion_calibration):
    found = nd.deploy(programs["usual"], fashion_calibration[:2], verify=True)
    assert found.compared_spikes > 10_000
    assert found.mismatched_spikes == 0


def test_a_current_has_none(fashion, fashion_calibration):
    model, x = fashion / "model.onnx", fashion_calibration[:8]
    with pytest.raises(UsageError, match="bit planes are lines of spikes"):
        nd.compile(model, x, "rate", bit_planes=2)
    with pytest.raises(UsageError, match="bit-planes"):
        nd.compile(model, x, "rate", target="loihi1", bit_planes=16)
