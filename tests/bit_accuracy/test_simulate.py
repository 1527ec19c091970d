"""`neurodeploy.simulate`, closed forms included, = reference, on any valid program."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import neurodeploy as nd
from neurodeploy.errors import ProgramError, UsageError
from neurodeploy.program import (
    Connection,
    Convolution,
    Decoder,
    Dense,
    Earliest,
    Encoder,
    Lif,
    Population,
    Program,
    Sparse,
    Ttfs,
)
from neurodeploy.simulator import encoding, memory, reference
from neurodeploy.simulator.activity import activity
from neurodeploy.simulator.closed_form import (
    is_by_sample,
    is_closed_form,
    is_window_coded,
    obstacle,
)
from neurodeploy.simulator.dense_sweep import can_sweep
from neurodeploy.simulator.recording import record
from neurodeploy.testing.comparing import compare_simulate
from neurodeploy.testing.odd_programs import odd_program, odd_samples
from neurodeploy.testing.programs import random_program, random_ttfs_program

SEEDS = st.integers(0, 2**32 - 1)
MANY = settings(
    max_examples=120, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
SOME = settings(MANY, max_examples=60)


@MANY
@given(SEEDS)
def test_odd_programs(seed):
    rng = np.random.default_rng(seed)
    program = odd_program(rng)
    compare_simulate(program, odd_samples(rng, program), threads=1 + seed % 2)


@SOME
@given(SEEDS)
def test_any_programs(seed):
    rng = np.random.default_rng(seed)
    program, _ = random_program(rng) if seed % 2 else random_ttfs_program(rng)
    compare_simulate(program, odd_samples(rng, program))


def test_the_odd_programs_are_odd():
    """Every way to run a program is taken, and what each rests on occurs."""
    seen: Counter[str] = Counter()
    for seed in range(1000):
        rng = np.random.default_rng(seed)
        p = odd_program(rng)
        closed = is_closed_form(p)
        seen["dense"] += closed and can_sweep(p)
        seen["spike by spike"] += closed and not can_sweep(p)
        seen["coded, stepped"] += is_window_coded(p) and is_by_sample(p) and not closed
        seen["mixed codes"] += is_by_sample(p) and len({q.neuron.lag for q in p.populations}) > 1
        seen["phases mix samples"] += not p.is_aligned
        seen["before the first step"] += any(q.phase == 0 for q in p.populations)
        seen["bit planes"] += p.encoder.bit_planes > 0
        seen["windows of one step"] += p.period == 1
        seen[f"decoder {p.population(p.decoder.population).neuron.kind}"] += 1
        seen[f"axes {len(p.encoder.shape)}"] += 1
        seen["same ends twice"] += len({c.name for c in p.connections}) < len(p.connections)
        for q in p.populations:
            arriving = p.incoming(q.name)
            kind = q.neuron.kind
            seen[f"{kind} that nothing reaches"] += not arriving
            seen[f"{kind} of other axes"] += len(q.shape) not in (1, 3)
            seen[f"{kind} alone"] += q.size == 1
            several = isinstance(q.neuron, Earliest) and len(arriving) > 1
            seen["maximum of several"] += several and closed
            seen["maximum inhibited"] += (
                isinstance(q.neuron, Earliest)
                and closed
                and any(c.synapses.weights.min(initial=0) < 0 for c in arriving)
            )
            sources = {c.source for c in p.connections}
            seen["silent source"] += (
                isinstance(q.neuron, Ttfs) and not q.neuron.fires and q.name in sources
            )
        seen["pads as much as it covers"] += any(
            isinstance(c.synapses, Convolution)
            and max(c.synapses.padding) >= max(c.synapses.weights.shape[2:])
            for c in p.connections
        )
    kinds = {name.split()[0] for name in seen if name.endswith("nothing reaches")}
    assert kinds == {
        "lif", "ttfs", "earliest", "radix", "mask_maximum", "online", "levels",
        "integrate_fire", "count_maximum", "two_compartments",
    }  # fmt: skip
    assert not {name: count for name, count in seen.items() if count < 8}


def program_of(populations, connections, shape, decoder, period=4, encoding="ttfs", high=None):
    """Rules of a few numbers."""
    return Program(
        tuple(populations),
        tuple(connections),
        Encoder(shape, encoding, 1.0, 0, period if high is None else high),
        Decoder(decoder, 1.0),
        period,
    )


def ttfs(size, fires=False, slope=1, bias=0):
    return Ttfs(np.full(size, bias, np.int32), slope, fires)


def ones(*shape):
    return np.ones(shape, np.int8)


def outputs(program, *samples):
    """Of `simulate`, found to be the reference's."""
    x = np.array(samples, np.float32).reshape(-1, *program.encoder.sample_shape)
    compare_simulate(program, x)
    return nd.simulate(program, x).outputs.reshape(len(x), -1).tolist()


def test_a_population_that_never_fires_sends_nothing():
    program = program_of(
        [Population("mute", (2,), ttfs(2), 2), Population("out", (1,), ttfs(1, bias=5), 7)],
        [
            Connection("input", "mute", Dense(ones(2, 2))),
            Connection("mute", "out", Dense(ones(1, 2))),
        ],
        (2,),
        "out",
    )
    assert is_closed_form(program)
    assert outputs(program, [3, 1], [4, 4]) == [[5], [5]]


@pytest.mark.parametrize("order", [1, -1])
def test_the_maximum_of_several_connections(order):
    """The larger integer comes by either of them; one may hold the other back."""
    a, b = np.eye(2, dtype=np.int8)[::order, None]
    populations = [Population("max", (1,), Earliest(), 2), Population("out", (1,), ttfs(1), 3)]
    read = Connection("max", "out", Dense(ones(1, 1)))
    first = Connection("input", "max", Dense(a))

    def program(second):
        both = [first, Connection("input", "max", Dense(second))]
        return program_of(populations, [*both, read], (2,), "out")

    samples = np.array([[4, 2], [1, 3], [3, 3], [0, 0]])[:, ::order]
    assert outputs(program(b), *samples) == [[4], [3], [3], [0]]
    # taken back by the other input, but at the same step only
    assert outputs(program(-b), *samples) == [[4], [1], [0], [0]]
    assert outputs(program(-a), *samples) == [[0], [0], [0], [0]]


def test_negative_weights_into_a_maximum():
    """Two of three held back: what is left decides, and only at the same step."""
    program = program_of(
        [Population("max", (1,), Earliest(), 2), Population("out", (1,), ttfs(1), 3)],
        [
            Connection("input", "max", Dense(np.array([[1, 1, -1]], np.int8))),
            Connection("max", "out", Dense(ones(1, 1))),
        ],
        (3,),
        "out",
    )
    assert outputs(program, [4, 2, 4], [4, 2, 3], [3, 3, 3], [0, 0, 4]) == [[2], [4], [3], [0]]


@pytest.mark.parametrize("shape", [(1, 2), (2, 1), (2,), (1, 1, 2), (1, 2, 1, 1), (1, 1, 1, 2, 1)])
@pytest.mark.parametrize("target", [(2,), (1, 2), (2, 1, 1), (1, 2, 1, 1)])
def test_shapes_of_any_number_of_axes(shape, target):
    same = Sparse(ones(2), np.arange(2, dtype=np.int32), np.arange(3), 2)
    program = program_of(
        [
            Population("a", target, ttfs(2, fires=True), 2),
            Population("out", target, ttfs(2, bias=1), 7),
        ],
        [
            Connection("input", "a", Dense(ones(2, 2))),
            Connection("input", "a", same, exponent=1),
            Connection("a", "out", same),
        ],
        shape,
        "out",
    )
    assert can_sweep(program)
    assert outputs(program, [1, 0], [0, 1]) == [[4, 2], [2, 4]]
    x = np.zeros((3, *shape), np.float32)
    assert nd.simulate(program, x).outputs.shape == (3, *target)


@pytest.mark.parametrize(
    ("padding", "dilation", "kernel", "expected"),
    [
        ((1, 1, 1, 1), (1, 1), (1, 1), [0, 0, 0, 0, 0, 4, 1, 0, 0, 0, 0, 0]),
        ((0, 3, 0, 2), (1, 1), (1, 2), [0, 0, 4, 4, 1, 0]),
        ((1, 0, 1, 0), (1, 1), (1, 1), [0, 0, 4, 1, 0, 0]),
        ((0, 1, 0, 1), (1, 3), (1, 2), [0]),  # one place on the left of the map, one on the right
    ],
)
def test_pooling_whose_windows_lie_outside(padding, dilation, kernel, expected):
    pool = Convolution(ones(1, 1, *kernel), padding=padding, dilation=dilation)
    shape, size = pool.output_shape((1, 1, 2)), len(expected)
    program = program_of(
        [Population("max", shape, Earliest(), 2), Population("out", (size,), ttfs(size), 3)],
        [
            Connection("input", "max", pool),
            Connection("max", "out", Dense(np.eye(size, dtype=np.int8))),
        ],
        (1, 1, 2),
        "out",
    )
    assert outputs(program, [4, 1]) == [expected]


def test_a_maximum_as_decoder_and_without_source():
    program = program_of(
        [Population("max", (1, 1, 1), Earliest(), 2)],
        [Connection("input", "max", Convolution(ones(1, 1, 1, 2)))],
        (1, 1, 2),
        "max",
    )
    assert outputs(program, [3, 1], [0, 0]) == [[0], [0]]
    assert nd.simulate(program, np.array([[[[3, 1]]], [[[0, 0]]]])).spikes["max"].tolist() == [0, 0]
    program = program_of(
        [Population("max", (1,), Earliest(), 2), Population("out", (1,), ttfs(1), 2)],
        [Connection("input", "out", Dense(ones(1, 2)))],
        (2,),
        "out",
    )
    assert outputs(program, [3, 1]) == [[4]]


def test_membranes_that_clip_leave_the_closed_form():
    """One over the limit: the stepped neurons clip, and say so."""
    largest = 2**23 - 1
    for over in (0, 1):
        program = program_of(
            [
                Population("a", (1,), ttfs(1, fires=True, bias=largest - 4 + over), 2),
                Population("out", (1,), ttfs(1), 7),
            ],
            [
                Connection("input", "a", Dense(ones(1, 1))),
                Connection("a", "out", Dense(ones(1, 1))),
            ],
            (1,),
            "out",
        )
        assert is_closed_form(program) == (over == 0)
        result = nd.simulate(program, np.array([[4.0]], np.float32))
        assert result.clipped == {"a": over, "out": 0}
        assert outputs(program, [4], [0]) == [[4], [4]]
    assert "24 bit" in obstacle(program)[0]


def mixed_codes():
    """Times into integrate-and-fire neurons into times."""
    lif = Lif(np.zeros(2, np.int16), 1, reset="subtract", shift=0)
    return program_of(
        [
            Population("a", (2,), ttfs(2, fires=True), 2),
            Population("b", (2,), lif, 7),
            Population("out", (1,), ttfs(1, slope=2), 8),
        ],
        [
            Connection("input", "a", Dense(ones(2, 2))),
            Connection("a", "b", Dense(np.array([[2, 1], [3, -1]], np.int8))),
            Connection("b", "out", Dense(ones(1, 2))),
        ],
        (2,),
        "out",
    )


def test_codes_may_be_mixed():
    program = mixed_codes()
    x = np.array([[3, 1], [0, 2], [4, 4]], np.float32)
    trace = compare_simulate(program, x)
    assert trace.spikes["b"].any()
    # what a report shows of a sample: at the steps at which the reference has it
    level = encoding.levels(program.encoder, x[:1])
    shown = record(program, level[0])
    for name in ("a", "b"):
        step, neuron = np.nonzero(trace.spikes[name])
        at = program.population(name).fire_phase(4)
        here = (step + 1 >= at) & (step + 1 < at + 4)
        assert shown.spikes[name][0].tolist() == (step[here] + 1).tolist()
        assert shown.spikes[name][1].tolist() == neuron[here].tolist()
    assert activity(program, level).fired["b"].tolist() == [trace.spikes["b"][6:10].sum(0).tolist()]


def test_times_are_read_off_where_there_is_no_closed_form():
    """What each neuron says is the integer of its time, proved or stepped."""
    program, level = random_ttfs_program(np.random.default_rng(3))
    proved = activity(program, level)
    other = Program(
        program.populations,
        program.connections,
        program.encoder,
        program.decoder,
        program.period,
    )
    other.__dict__["_obstacle"] = [("prescribed", "")]
    stepped = activity(other, level)
    assert any(fired.any() for fired in proved.fired.values())
    for name, fired in proved.fired.items():
        np.testing.assert_array_equal(stepped.fired[name], fired)
    np.testing.assert_array_equal(stepped.membrane, proved.membrane)


def unaligned(rng):
    while True:
        program = odd_program(rng)
        if not program.is_aligned and program.period > 1:
            return program


def test_a_stream_may_be_cut_anywhere():
    """Neither threads nor memory change what samples that mix do; less than one's need is told."""
    rng = np.random.default_rng(5)
    for _ in range(4):
        program = unaligned(rng)
        shape = (40, *program.encoder.sample_shape)
        level = rng.integers(program.encoder.low, program.encoder.high + 1, shape)
        x = (level * program.encoder.unit + program.encoder.offset).astype(np.float32)
        compare_simulate(program, x)
        whole = nd.simulate(program, x)
        least = memory.need(program, 1, program.period)
        for more in ({"threads": 1, "memory": least}, {"threads": 2, "memory": 3 * least}):
            assert nd.simulate(program, x, **more).checksum == whole.checksum
        with pytest.raises(UsageError, match="one sample on one thread needs"):
            nd.simulate(program, x, memory=least - 1)


def test_a_window_before_the_first_step():
    """It lacks that step, in the first sample only; such a sample cannot be run alone."""
    lone = Lif(np.full(1, 3, np.int16), 100, reset="none", shift=0, v_initial=50)
    program = program_of([Population("lone", (1,), lone, 0)], [], (1,), "lone")
    assert program.is_aligned
    assert outputs(program, [1], [1]) == [[9], [62]]
    with pytest.raises(ProgramError, match="before the first step"):
        activity(program, np.zeros((1, 1), np.int32))
    program = program_of([Population("lone", (1,), lone, 0)], [], (1,), "lone", period=1)
    assert outputs(program, [1], [1]) == [[0], [53]]


def test_one_command_compares_many():
    tool = Path(__file__).resolve().parents[2] / "tools" / "compare_simulator.py"
    command = [sys.executable, str(tool), "--count", "8", "--seed", "77"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "8 programs" in done.stdout
    assert "0 differ, 0 fail" in done.stdout


def test_what_compares_would_find_a_difference(monkeypatch):
    """Another step of the definition, and the comparison says so."""
    program = program_of(
        [Population("out", (1,), ttfs(1), 2)],
        [Connection("input", "out", Dense(ones(1, 1)))],
        (1,),
        "out",
    )
    right = reference.synaptic_input
    monkeypatch.setattr(reference, "synaptic_input", lambda *a: right(*a) + 1)
    with pytest.raises(AssertionError, match="outputs"):
        compare_simulate(program, np.ones((1, 1), np.float32))
