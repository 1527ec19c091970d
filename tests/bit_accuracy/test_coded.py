"""Kinds that send digits: reference = engine = closed forms, in every window.

`random_coded_program` makes programs as the compiler does. `test_coded_streams.py` has any at all.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neurodeploy.errors import ProgramError
from neurodeploy.program import (
    INPUT,
    Connection,
    Convolution,
    Decoder,
    Dense,
    Encoder,
    MaskMaximum,
    Online,
    Population,
    Program,
    Radix,
    Sparse,
    Ttfs,
)
from neurodeploy.program.bounds import bounds
from neurodeploy.program.manifest_reading import program_from
from neurodeploy.program.manifest_writing import program_to
from neurodeploy.simulator import encoding, reference
from neurodeploy.simulator.activity import activity
from neurodeploy.simulator.closed_form import EventSweep, is_closed_form
from neurodeploy.simulator.dense_sweep import DenseSweep, can_sweep
from neurodeploy.simulator.integer_sweep import IntegerSweep, integer_sweep
from neurodeploy.simulator.recording import record
from neurodeploy.testing.codecs import messages_of
from neurodeploy.testing.coded_programs import CODES, random_coded_program
from neurodeploy.testing.comparing import compare_simulate, compare_stream
from neurodeploy.testing.programs import random_program

SEEDS = st.integers(0, 2**32 - 1)
MANY = settings(
    max_examples=500, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
SOME = settings(MANY, max_examples=60)


def streamed(program, level):
    """Messages of samples, and silence until the last window ends."""
    drain = max(p.fire_phase(program.period) for p in program.populations)
    return messages_of(program.encoder, level, program.period, drain)


@pytest.mark.parametrize("code", CODES)
@MANY
@given(seed=SEEDS)
def test_every_way_is_the_same(code, seed):
    rng = np.random.default_rng(seed)
    program, level = random_coded_program(rng, code)
    assert program.is_aligned
    assert is_closed_form(program) == (code != "online")
    window = program.period
    trace = compare_stream(program, streamed(program, level), ways=("any",))
    assert not any(trace.clipped.values())
    decoder = program.population(program.decoder.population)
    last = np.arange(1, len(level) + 1) * window + decoder.phase - 2
    said = {}
    for p in program.populations:
        sent = trace.messages.get(p.name, trace.spikes[p.name].astype(np.int32))
        rows = sent[p.fire_phase(window) - 1 :][: len(level) * window]
        if len(rows):  # a readout sends nothing
            rows = rows.reshape(len(level), -1, p.size)
            said[p.name] = program.window_code(p.name).integers(rows, window)
    if code == "online":
        return
    ways = [EventSweep(program).run(level, every=True)]
    if can_sweep(program):
        ways.append(DenseSweep(program).run(level, every=True))
    whole = integer_sweep(program) if seed % 3 == 0 else None  # for time
    if whole is not None:
        ways.append(whole.run(level, every=True))
    for way in ways:
        np.testing.assert_array_equal(way.membrane, trace.membrane[decoder.name][last])
        for name, x in said.items():
            if program.population(name).neuron.fires:
                np.testing.assert_array_equal(way.fired[name], x)
        np.testing.assert_equal(way.spikes, ways[0].spikes)
        np.testing.assert_equal(way.operations, ways[0].operations)


@pytest.mark.parametrize("code", CODES)
@SOME
@given(seed=SEEDS)
def test_samples(code, seed):
    """`simulate`, what each neuron said, and a recorded sample."""
    program, level = random_coded_program(np.random.default_rng(seed), code)
    x = level.reshape(-1, *program.encoder.shape).astype(np.float32)
    compare_simulate(program, x)
    found = activity(program, level)
    stepped = replace(program)
    stepped.__dict__["_obstacle"] = [("prescribed", "")]
    other = activity(stepped, level)
    for name, fired in found.fired.items():
        np.testing.assert_array_equal(other.fired[name], fired)
        np.testing.assert_array_equal(other.sent[name], found.sent[name])
    np.testing.assert_array_equal(other.membrane, found.membrane)
    watch = [p.name for p in program.populations]
    shown, run = (record(p, level[0], 0, watch) for p in (program, stepped))
    for name in watch:
        np.testing.assert_array_equal(shown.membrane[name], run.membrane[name])
        np.testing.assert_array_equal(shown.spikes[name], run.spikes[name])


def test_both_closed_forms_are_taken():
    """Programs that ONNX Runtime can express and programs that it cannot, maxima among both."""
    for code in ("radix", "graded", "mask_maximum"):
        programs = [random_coded_program(np.random.default_rng(s), code)[0] for s in range(60)]
        able = [can_sweep(p) for p in programs]
        assert 5 < sum(able) < 55
        pooled = [
            any(isinstance(p.neuron, MaskMaximum) for p in program.populations)
            for program, way in zip(programs, able, strict=True)
            if way
        ]
        assert code != "mask_maximum" or sum(pooled) > 2


@SOME
@given(seed=SEEDS)
def test_bounds_hold(seed):
    """No membrane leaves what is proved, whatever the kind and the phases."""
    code = CODES[seed % 4]
    if seed % 3:
        program, level = random_coded_program(np.random.default_rng(seed), code)
        messages = streamed(program, level)
    else:
        kinds = (Radix, MaskMaximum, Online, Ttfs)
        program, messages = random_program(np.random.default_rng(seed), among=kinds)
    trace = reference.run(program, messages)
    for name, proof in bounds(program).items():
        if proof.membrane is not None and proof.cannot_clip:
            assert trace.clipped[name] == 0
            assert trace.membrane[name].min() >= proof.membrane[0]
            assert trace.membrane[name].max() <= proof.membrane[1]


@SOME
@given(seed=SEEDS)
def test_online_settles_where_the_theorem_says(seed):
    """What arrives at a step stays within ``slope * 2**(delay - 2)``: the rounded quotient."""
    rng = np.random.default_rng(seed)
    bits, delay, size = int(rng.integers(1, 9)), int(rng.integers(2, 6)), 12
    weights = rng.integers(-128, 128, (size, 9)).astype(np.int8)
    most = np.abs(weights.astype(np.int64)).sum(1)
    slope = -(-most // 2 ** (delay - 2)) + rng.integers(0, 50, size)
    bias = rng.integers(-(2**16), 2**16, size).astype(np.int32)
    zeros, ones = np.zeros(9, np.int32), np.ones(9, np.int32)
    program = Program(
        (
            Population("in", (9,), Online(zeros, ones, bits, delay, first=True), 2),
            Population("x", (size,), Online(bias, slope.astype(np.int32), bits, delay), 3),
            Population(
                "out",
                (size,),
                Online(np.zeros(size, np.int32), np.ones(size, np.int32), bits, delay, fires=False),
                4 + delay,
            ),
        ),
        (
            Connection(INPUT, "in", Dense(np.eye(9, dtype=np.int8))),
            Connection("in", "x", Dense(weights)),
            Connection("x", "out", Dense(np.eye(size, dtype=np.int8))),
        ),
        Encoder((9,), "graded_first", 1.0, 0, 255),
        Decoder("out", 1.0),
        bits + delay,
    )
    level = rng.integers(0, 256, (3, 9)).astype(np.int32)
    found = activity(program, level)
    assert found.unsettled == {"in": 0, "x": 0}
    top = 2**bits - 1
    entered = np.minimum(level, top)
    np.testing.assert_array_equal(found.fired["in"], entered)
    total = entered @ weights.T.astype(np.int64) + bias
    expected = np.clip((total + slope // 2) // slope, 0, top)
    np.testing.assert_array_equal(found.fired["x"], expected)
    np.testing.assert_array_equal(found.membrane, expected)
    # the readout holds its sum two steps before the window ends, and a delay earlier
    assert program.latency == 4 + delay + bits - 1


def test_an_unsettled_neuron_is_counted():
    """Without a delay the first digit is sent before the others are known."""
    program = Program(
        (
            Population("in", (2,), Online(*_plain(2), 2, 0, first=True), 2),
            Population("x", (1,), Online(*_plain(1), 2, 0), 3),
            Population("out", (1,), Online(*_plain(1), 2, 0, fires=False), 4),
        ),
        (
            Connection(INPUT, "in", Dense(np.eye(2, dtype=np.int8))),
            Connection("in", "x", Dense(np.array([[1, -5]], np.int8))),
            Connection("x", "out", Dense(np.ones((1, 1), np.int8))),
        ),
        Encoder((2,), "graded_first", 1.0, 0, 255),
        Decoder("out", 1.0),
        2,
    )
    # 3 - 5 = -2, but the first digit is that of 2
    found = activity(program, np.array([[3, 1], [3, 0]], np.int32))
    assert found.fired["x"].tolist() == [[1], [3]]
    assert found.unsettled == {"in": 0, "x": 1}


def _plain(size):
    return np.zeros(size, np.int32), np.ones(size, np.int32)


def pooled(kernel, digit, bits):
    """Max pooling of a map of 6 x 6 as the compiler lowers it."""
    count = int(np.prod(kernel))
    fields = 1 << (digit * np.arange(count))
    parts = [(0, np.where(fields <= 64, fields, 0)), (7, np.where(fields > 64, fields >> 7, 0))]
    geometry = {"stride": kernel, "groups": 1}
    pools = [
        Connection("a", "max", Convolution(w.reshape(1, 1, *kernel).astype(np.int8), **geometry), e)
        for e, w in parts
        if w.any()
    ]
    shape = pools[0].synapses.output_shape((1, 6, 6))
    size, n = int(np.prod(shape)), bits // digit
    return Program(
        (
            Population("a", (1, 6, 6), Radix(*_plain(36), bits, digit), 2),
            Population("max", shape, MaskMaximum(digit), 3 + n),
            Population("out", (size,), Radix(*_plain(size), bits, digit, fires=False), 4 + n),
        ),
        (
            Connection(INPUT, "a", Convolution(np.ones((1, 1, 1, 1), np.int8))),
            *pools,
            Connection("max", "out", Dense(np.eye(size, dtype=np.int8))),
        ),
        Encoder((1, 6, 6), "graded", 1.0, 0, 255),
        Decoder("out", 1.0),
        n,
    )


@pytest.mark.parametrize(
    ("kernel", "digit", "bits"),
    [
        ((2, 2), 1, 5),
        ((3, 3), 1, 8),
        ((2, 6), 1, 5),
        ((1, 2), 8, 8),
        ((3, 1), 5, 5),
        ((2, 2), 2, 8),
    ],
)
def test_max_pooling(kernel, digit, bits):
    program = pooled(kernel, digit, bits)
    assert can_sweep(program)
    level = np.random.default_rng(1).integers(0, 2**bits, (5, 36)).astype(np.int32)
    high, wide = kernel
    expected = level.reshape(5, 6 // high, high, 6 // wide, wide).max((2, 4)).reshape(5, -1)
    trace = compare_simulate(program, level.reshape(5, 1, 6, 6).astype(np.float32))
    assert trace.spikes["max"].any()
    for way in (EventSweep(program), DenseSweep(program), IntegerSweep(program)):
        np.testing.assert_array_equal(way.run(level).membrane, expected)


def test_codes_that_do_not_agree_are_stepped():
    """Digits of two bits into neurons that read one: right, without a closed form."""
    two = Radix(*_plain(3), 4, 2)
    program = Program(
        (
            Population("a", (3,), two, 2),
            Population("out", (3,), Radix(*_plain(3), 2, 1, fires=False), 5),
        ),
        (
            Connection(INPUT, "a", Dense(np.eye(3, dtype=np.int8))),
            Connection("a", "out", Dense(np.eye(3, dtype=np.int8))),
        ),
        Encoder((3,), "graded", 1.0, 0, 255),
        Decoder("out", 1.0),
        2,
    )
    assert not is_closed_form(program)
    x = np.array([[7, 15, 2]], np.float32)
    compare_simulate(program, x)
    # 7 is the digits 1 and 3: 2 * 1 + 3
    assert activity(program, x.astype(np.int32)).membrane.tolist() == [[5, 9, 2]]


def unproved(rng, bits, digit, inputs=600, wide=False):
    """A layer whose worst case leaves 24 bit, though few inputs do."""
    weights = rng.integers(60, 128, (4, inputs)).astype(np.int8)
    weights[2:] = -weights[2:]
    exponent = (3 if bits == 5 else 2) + wide
    bias = np.array([0, 1000, -1000, 5], np.int32)
    hidden = Radix(bias, np.full(4, 9000, np.int32), bits, digit)
    return Program(
        (
            Population("a", (inputs,), Radix(*_plain(inputs), bits, digit), 2),
            Population("x", (4,), hidden, 3 + bits // digit),
            Population(
                "out", (4,), Radix(*_plain(4), bits, digit, fires=False), 4 + 2 * bits // digit
            ),
        ),
        (
            Connection(INPUT, "a", Sparse(*_one_to_one(inputs))),
            Connection("a", "x", Dense(weights), exponent),
            Connection("x", "out", Dense(np.eye(4, dtype=np.int8))),
        ),
        Encoder((inputs,), "graded", 1.0, 0, 255),
        Decoder("out", 1.0),
        bits // digit,
    )


def _one_to_one(size):
    ones = np.ones(size, np.int8)
    return ones, np.arange(size, dtype=np.int32), np.arange(size + 1, dtype=np.int64), size


@pytest.mark.parametrize(("bits", "digit"), [(5, 1), (6, 2), (5, 5)])
@pytest.mark.parametrize("wide", [False, True])
def test_what_is_not_proved_is_seen_when_it_happens(bits, digit, wide):
    """Samples of which the ends of windows tell that nothing clipped are swept, others stepped."""
    rng = np.random.default_rng(3)
    program = unproved(rng, bits, digit, wide=wide)
    assert not bounds(program)["x"].cannot_clip
    assert is_closed_form(program)
    assert can_sweep(program)
    level = rng.integers(0, 2**bits, (4, 600)).astype(np.int32)
    level[:2] = level[:2] * (rng.random((2, 600)) < 0.1)
    level[3] = 2**bits - 1
    trace = compare_simulate(program, level.astype(np.float32))
    assert trace.clipped["x"] > 0
    for sweep in (EventSweep(program), DenseSweep(program), IntegerSweep(program)):
        found = sweep.run(level)
        assert found.exceeded[3]
        assert not found.exceeded[:2].any()
    swept, stepped = activity(program, level), replace(program)
    stepped.__dict__["_obstacle"] = [("prescribed", "")]
    other = activity(stepped, level)
    np.testing.assert_equal(swept.fired, other.fired)
    np.testing.assert_array_equal(swept.membrane, other.membrane)
    assert swept.clipped == other.clipped


def test_a_graded_input_into_times():
    """One message at the window's last step is added once: an exact input of the time code."""
    program = Program(
        (
            Population("a", (2,), Ttfs(np.zeros(2, np.int32), 50), 2),
            Population("out", (2,), Ttfs(np.zeros(2, np.int32), 1, fires=False), 7),
        ),
        (
            Connection(INPUT, "a", Dense(np.eye(2, dtype=np.int8))),
            Connection("a", "out", Dense(np.eye(2, dtype=np.int8))),
        ),
        Encoder((2,), "graded", 1.0, -128, 255),
        Decoder("out", 1.0),
        4,
    )
    assert is_closed_form(program)
    x = np.array([[124, 125], [-128, 255]], np.float32)
    compare_simulate(program, x)
    assert EventSweep(program).run(encoding.levels(program.encoder, x)).membrane.tolist() == [
        [2, 3],
        [0, 4],
    ]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Radix(*_plain(2), 5, 2), "do not make 5 bits"),
        (lambda: Radix(np.zeros(2, np.int32), np.ones(3, np.int32), 5), "3 slopes for 2 biases"),
        (lambda: Radix(np.zeros(2, np.int32), np.zeros(2, np.int32), 5), "leaves 24 bit"),
        (lambda: Radix(*_plain(2), 17), "outside 1..16"),
        (lambda: Radix(*_plain(2), 5).check_period(4), "5 digits in a window of 4 steps"),
        (lambda: Online(*_plain(2), 5, 3).check_period(7), "a delay of 3 in a window of 7 steps"),
        (lambda: MaskMaximum(13), "outside 1..12"),
        (
            lambda: Encoder((2,), "radix", 1.0, 0, 32).check_period(5),
            "more binary digits than the window",
        ),
        (lambda: Encoder((2,), "radix", 1.0, -1, 3), "no negative integers"),
    ],
)
def test_refusals(make, message):
    with pytest.raises(ProgramError, match=message):
        make()


@pytest.mark.parametrize("code", CODES)
def test_saved_and_loaded(code):
    """Slopes are tensors of their own, and come back as they were."""
    program, level = random_coded_program(np.random.default_rng(4), code)
    again = program_from(*program_to(program))
    messages = streamed(program, level)
    one, other = reference.run(program, messages), reference.run(again, messages)
    for p in program.populations:
        np.testing.assert_array_equal(one.membrane[p.name], other.membrane[p.name])
