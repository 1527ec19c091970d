"""A neuron kind that nobody has heard of, in this file alone, through everything there is.

An adaptive-threshold LIF with a refractory time that sends its spike as an integer: defined here,
registered, and by that saved, loaded, inspected, simulated, run on Lava, mapped and reported.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neurodeploy.cli import cli
from neurodeploy.errors import ProgramError
from neurodeploy.lava.run import run
from neurodeploy.mapping import map_program
from neurodeploy.program import (
    Connection,
    Decoder,
    Dense,
    Encoder,
    Lif,
    Population,
    Program,
)
from neurodeploy.program.neurons import Neuron, State, StateVariable, Stepped, register
from neurodeploy.program.neurons.arithmetic import clip24, decay
from neurodeploy.program.neurons.fields import integer, per_neuron
from neurodeploy.program.storage import load
from neurodeploy.simulator import reference
from neurodeploy.targets import load_target
from neurodeploy.testing import random_program, random_recurrent_program
from neurodeploy.testing.codecs import draw_levels, messages_of
from neurodeploy.testing.comparing import compare_samples, compare_simulate, compare_stream
from neurodeploy.testing.neurons import OUR_KINDS, neuron_of
from neurodeploy.testing.odd_programs import odd_samples


@register
@dataclass(frozen=True, eq=False)
class Adaptive(Neuron):
    """A threshold that rises with every spike, and some steps of rest after it."""

    bias: np.ndarray = per_neuron(np.int16, -4096, 4095, tensor="bias", usual=(-50, 50))
    threshold: int = integer(1, 2**17 - 1, usual=(1, 500))
    rise: int = integer(0, 1000, 10)
    refractory: int = integer(0, 10, 2)
    largest: int = integer(1, 7, 3)
    quiet: int = integer(0, 2**31 - 1, 0, usual=(0, 4))

    kind: ClassVar[str] = "adaptive"
    description: ClassVar[str] = "adaptive threshold and refractory time, sends how strong it fires"
    states: ClassVar[tuple[StateVariable, ...]] = (
        StateVariable("v", 24, "membrane"),
        StateVariable("extra", 24, "what is added to the threshold"),
        StateVariable("wait", 4, "steps of rest that are left"),
    )

    @property
    def sends(self) -> tuple[int, int]:
        """How many thresholds the membrane reached."""
        return 0, self.largest

    def step(self, state: State, a: np.ndarray, tau: int, period: int) -> Stepped:
        """Integrate; fire unless at rest; rise and rest."""
        if tau == 0:
            state.update(self.start(a.size))
        v, clipped = clip24(state["v"] + a + self.bias)
        extra = decay(state["extra"], 400)
        fires = (state["wait"] == 0) & (v > self.threshold + extra) & (tau < period - self.quiet)
        state["wait"] = np.where(fires, self.refractory, np.maximum(state["wait"] - 1, 0))
        state["extra"] = np.where(fires, extra + self.rise, extra)
        state["v"] = np.where(fires, 0, v)
        return Stepped(
            np.where(fires, np.minimum(v // self.threshold, self.largest), 0), 0, clipped
        )


KINDS = (Adaptive, *OUR_KINDS)
SEEDS = st.integers(0, 2**32 - 1)
SOME = settings(
    max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
RNG = np.random.default_rng(11)
PERIOD = 20


def int8(*shape: int) -> np.ndarray:
    return RNG.integers(-40, 80, shape).astype(np.int8)


@pytest.fixture(scope="module")
def program() -> Program:
    """By hand: a loop of the new kind, read by a leaky read-out; samples do not mix."""
    loop = Adaptive(RNG.integers(-5, 20, 12).astype(np.int16), 150, quiet=2)
    out = Lif(np.zeros(3, np.int16), 0, reset="none", dv=100, shift=0)
    return Program(
        (Population("loop", (12,), loop, 2), Population("out", (3,), out, 3)),
        (
            Connection("input", "loop", Dense(int8(12, 6))),
            Connection("loop", "loop", Dense(int8(12, 12)), delay=2),
            Connection("loop", "out", Dense(int8(3, 12))),
        ),
        Encoder((6,), "current", 1.0, 0, 3),
        Decoder("out", 1.0, "membrane_mean"),
        PERIOD,
    )


@pytest.fixture(scope="module")
def samples() -> np.ndarray:
    return RNG.integers(0, 4, (5, 6)).astype(np.float32)


def test_it_is_saved_and_loaded(program, tmp_path):
    program.save(tmp_path / "new.ndp")
    loaded = load(tmp_path / "new.ndp")
    (old, new) = (p.population("loop").neuron for p in (program, loaded))
    assert type(new) is Adaptive
    assert new.parameters() == old.parameters()
    np.testing.assert_array_equal(new.bias, old.bias)
    assert loaded.connections[1].graded
    loaded.save(tmp_path / "again.ndp")
    assert (tmp_path / "again.ndp").read_bytes() == (tmp_path / "new.ndp").read_bytes()


def test_values_out_of_range_are_refused():
    with pytest.raises(ProgramError, match=r"largest is 8, outside 1\.\.7"):
        Adaptive(np.zeros(2, np.int16), 5, largest=8)
    with pytest.raises(ProgramError, match="4096"):
        Adaptive(np.full(2, 4096, np.int16), 5)


def test_it_is_inspected(program, tmp_path):
    path = tmp_path / "new.ndp"
    program.save(path)
    said = CliRunner().invoke(cli, ["inspect", str(path)])
    assert said.exit_code == 0, said.output
    assert "adaptive" in said.output
    in_json = CliRunner().invoke(cli, ["inspect", str(path), "--json"])
    assert '"refractory": 2' in in_json.output


def test_simulate(program, samples):
    trace = compare_simulate(program, samples)
    assert trace.spikes["loop"][PERIOD:].any()
    assert trace.messages["loop"].max() > 1
    assert program.is_aligned
    level = samples.astype(np.int32)
    compare_samples(program, level, 0, 3, ["any"])


@SOME
@given(SEEDS)
def test_it_climbs_the_ladder(seed):
    """Random programs with it: reference = engine = `simulate`; no generator knows the kind."""
    rng = np.random.default_rng(seed)
    make = random_recurrent_program if seed % 2 else random_program
    program, messages = make(rng, among=(Adaptive,) if seed % 4 < 2 else KINDS, max_steps=24)
    compare_stream(program, messages, ["any"])
    if seed % 3 == 0:
        compare_simulate(program, odd_samples(rng, program))
    if program.is_aligned:
        compare_samples(program, draw_levels(rng, program.encoder, 2), 0, 2, ["any"])


def test_every_field_is_drawn_to_its_ends():
    """The random neurons reach the ends of every range that was declared, and between."""
    rng = np.random.default_rng(0)
    drawn = [neuron_of(rng, Adaptive, 4, 7, extreme=k % 2 == 0) for k in range(400)]
    for name, low, high in (("threshold", 1, 2**17 - 1), ("largest", 1, 7), ("rise", 0, 1000)):
        values = {getattr(neuron, name) for neuron in drawn}
        assert {low, high} <= values
        assert len(values) > 4
    bias = np.concatenate([neuron.bias for neuron in drawn])
    assert (bias.min(), bias.max()) == (-4096, 4095)


@pytest.mark.lava
@pytest.mark.skipif(importlib.util.find_spec("lava") is None, reason="Lava is not installed")
@pytest.mark.parametrize("stock", [False, True])
def test_lava(program, samples, stock):
    """Lava's processes import this file for the kind."""
    messages = messages_of(program.encoder, samples.astype(np.int32)[:2], PERIOD, drain=3)
    expected = reference.run(program, messages)
    names = ["loop", "out"]
    found = run(program, messages, membranes=names, timeout=60, stock=stock)
    for name in names:
        np.testing.assert_array_equal(found.spikes[name], expected.spikes[name])
        np.testing.assert_array_equal(found.membrane[name], expected.membrane[name])
    np.testing.assert_array_equal(found.messages["loop"], expected.messages["loop"])


def test_it_is_mapped(program):
    """Loihi 2 takes it as microcode with graded messages; Loihi 1 does not, and says so."""
    mapping = map_program(program, load_target("loihi2"))
    assert sum(part.neurons for part in mapping.parts if part.population == "loop") == 12
    assert program.needs_microcode
    assert all(finding.ok for finding in mapping.findings)
    refused = [f for f in map_program(program, load_target("loihi1")).findings if not f.ok]
    assert ("loop", "needs microcode") in {(f.layer, f.rule) for f in refused}
    assert ("loop->loop", "payload bits", 2) in {(f.layer, f.rule, f.value) for f in refused}


def test_it_shows_in_the_report(program, samples, tmp_path):
    page = tmp_path / "report.html"
    np.savez(tmp_path / "samples.npz", x=samples)
    program.save(tmp_path / "new.ndp")
    said = CliRunner().invoke(
        cli,
        [
            "report",
            str(tmp_path / "new.ndp"),
            "--data",
            str(tmp_path / "samples.npz"),
            "-o",
            str(page),
        ],
    )
    assert said.exit_code == 0, said.output
    assert "adaptive" in page.read_text()
