"""A simulation keeps within its memory limit, whatever the number of samples and steps."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import tracemalloc
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import neurodeploy as nd
from neurodeploy.errors import UsageError
from neurodeploy.samples import load_samples
from neurodeploy.simulator import encoding, memory
from neurodeploy.simulator.simulation import simulate
from neurodeploy.simulator.threads import spread
from neurodeploy.testing.programs import random_program, random_ttfs_program

SEEDS = st.integers(0, 2**32 - 1)
SOME = settings(
    max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("1", 1),
        ("100000000", 10**8),
        (4096, 4096),
        ("500MB", 5 * 10**8),
        ("500 mb", 5 * 10**8),
        ("2GiB", 2**31),
        (" 1.5 KiB ", 1536),
        ("0.5kB", 500),
        ("3TiB", 3 * 2**40),
        ("7B", 7),
    ],
)
def test_sizes(text, size):
    assert memory.parse_size(text) == size


@pytest.mark.parametrize(
    "text",
    [
        "",
        "much",
        "-1",
        "0",
        "0GiB",
        "1e9",
        "nan",
        "inf",
        "2 G",
        "1..5MB",
        "MB",
        "9" * 30,
        0,
        -5,
        "0.0001B",
        None,
        "1,5GB",
        "٣GB",
    ],
)
def test_what_is_no_size(text):
    with pytest.raises(UsageError) as caught:
        memory.parse_size(text)
    assert caught.value.place == "--memory"
    assert "2GiB" in caught.value.remedy


@given(st.integers(1, 2**60))
def test_a_size_that_is_told_suffices(size):
    assert memory.parse_size(memory.readable(size)) >= size


def test_available(tmp_path):
    # what is free may change between the two
    assert 0 < memory.default_limit() < memory.available()
    # version 2: the innermost limit that binds; files in the cache do not count as used
    group = tmp_path / "outer" / "inner"
    group.mkdir(parents=True)
    own = tmp_path / "own"
    own.write_text("0::/outer/inner\n")
    (tmp_path / "outer" / "memory.max").write_text("5000\n")
    (tmp_path / "outer" / "memory.current").write_text("4500\n")
    (tmp_path / "outer" / "memory.stat").write_text("anon 1\ninactive_file 1500\nactive_file 9\n")
    (group / "memory.max").write_text("max\n")
    (tmp_path / "memory.max").write_text("9000\n")
    assert sorted(memory._groups(own, tmp_path)) == [2000, 9000]
    # version 1, seen from inside a container: the path is the host's
    (tmp_path / "memory").mkdir()
    (tmp_path / "memory" / "memory.limit_in_bytes").write_text("7000\n")
    own.write_text("5:cpu:/docker/1\n4:memory:/docker/1\n")
    assert memory._groups(own, tmp_path) == [7000]
    assert memory._groups(tmp_path / "missing", tmp_path) == []
    own.write_text("")
    assert memory._groups(own, tmp_path) == []


def traced(program, x, limit):
    """Most bytes that one thread allocates for samples, its buffers not yet made."""
    peak = []

    def run():
        tracemalloc.start()
        simulate(program, x, threads=1, memory=limit)
        peak.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return peak[0]


@pytest.mark.parametrize(
    "options", [{}, {"encoding": "poisson"}, {"scheme": "ttfs"}], ids=["current", "poisson", "ttfs"]
)
def test_the_limit_is_kept(fashion, fashion_calibration, fashion_test, options):
    """By every share of the work, down to a step at a time; the results are the same."""
    x = fashion_test[0][:64]
    program = nd.compile(
        fashion / "model.onnx", calibration=fashion_calibration[:100], steps=24, **options
    )
    expected = nd.simulate(program, x[:5]).checksum
    whole = memory.need(program, memory.BATCH, program.period)
    least = memory.need(program, 1, program.period if options.get("scheme") == "ttfs" else 1)
    assert least < whole / 3
    for limit in (whole, memory.need(program, 1, program.period), least):
        share = memory.share(program, 1, limit)
        assert memory.need(program, share.samples, share.steps) <= limit
        simulate(program, x[:1], threads=1, memory=limit)  # tables that stay with the program
        assert traced(program, x, limit) <= limit
        assert nd.simulate(program, x[:5], memory=limit).checksum == expected
    with pytest.raises(UsageError, match="one sample on one thread needs") as caught:
        nd.simulate(program, x[:1], memory=least - 1)
    enough = caught.value.remedy.split()[1]
    assert nd.simulate(program, x[:5], memory=enough).checksum == expected


def test_what_is_given_up_first(fashion_program):
    def share(limit, threads=4):
        return memory.share(fashion_program, threads, limit)

    period = fashion_program.period
    one = memory.need(fashion_program, 1, period)
    assert share(2**40) == memory.Share(4, memory.batch(period), period)
    assert [memory.batch(steps) for steps in (1, 4, 16, 64, 1000)] == [128, 128, 32, 16, 16]
    assert share(4 * one) == memory.Share(4, 1, period)
    assert share(4 * one - 1).steps < period
    assert share(4 * one - 1).threads == 4
    least = memory.need(fashion_program, 1, 1)
    assert share(4 * least - 1).threads == 3
    assert share(least) == memory.Share(1, 1, 1)


@SOME
@given(SEEDS)
def test_portions_of_time_change_nothing(seed):
    """Random programs, a step at a time, equal the same at once."""
    program, _ = random_program(np.random.default_rng(seed), aligned=True, timed=False)
    x = np.random.default_rng(seed).random((3, *program.encoder.sample_shape)).astype(np.float32)
    least = memory.need(program, 1, 1)
    assert memory.share(program, 2, least) == memory.Share(1, 1, 1)
    points = sorted({1, program.period})
    small, early = simulate(program, x, memory=least, checkpoints=points)
    whole, expected = simulate(program, x, checkpoints=points)
    assert small.checksum == whole.checksum
    np.testing.assert_array_equal(early, expected)


@SOME
@given(SEEDS, st.data())
def test_messages_of_some_steps(seed, data):
    """An encoder's messages in portions are those of the whole sample."""
    rng = np.random.default_rng(seed)
    make = random_ttfs_program if data.draw(st.booleans()) else random_program
    program = make(rng)[0]
    encoder, steps = program.encoder, program.period
    high = encoder.high
    level = rng.integers(0, high + 1, encoder.shape).reshape(-1).astype(np.int32)
    whole = encoding.encode(encoder, level, steps, 7)
    cuts = sorted({0, steps, *data.draw(st.lists(st.integers(0, steps), max_size=3))})
    parts = [
        encoding.encode(encoder, level, steps, 7, range(first, last))
        for first, last in pairwise(cuts)
    ]
    np.testing.assert_array_equal(np.concatenate(parts), whole)


MEASURE = """
import resource, sys
import neurodeploy as nd
from neurodeploy.samples import load_samples
program, samples = nd.load(sys.argv[1]), load_samples(sys.argv[2])
nd.simulate(program, samples.x[:20])
nd.simulate(program, samples.x, limit=int(sys.argv[3]), memory=sys.argv[4])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in KiB on Linux")
def test_memory_does_not_grow_with_the_samples(
    fashion, fashion_calibration, fashion_test, tmp_path
):
    program = nd.compile(fashion / "model.onnx", calibration=fashion_calibration[:100], steps=4)
    program.save(tmp_path / "p.ndp")
    np.save(tmp_path / "x.npy", fashion_test[0][:3000])
    peak = {}
    for count in (100, 3000):
        arguments = [tmp_path / "p.ndp", tmp_path / "x.npy", count, "100MB"]
        done = subprocess.run(
            [sys.executable, "-c", MEASURE, *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=300,
            check=True,
        )
        peak[count] = int(done.stdout) * 1024
    held = 2900 * (28 * 28 + 16 * (len(program.populations) + len(program.connections)) + 40)
    assert peak[3000] - peak[100] < held + 25e6, peak


def test_a_mapped_file_takes_no_memory(tmp_path):
    """A file of 4 GB, most of it a hole: opened, looked at, cut."""
    header = {"descr": "<f4", "fortran_order": False, "shape": (10**6, 1, 10, 100)}
    path = tmp_path / "x.npy"
    with open(path, "wb") as stream:
        np.lib.format.write_array_header_1_0(stream, header)
        stream.truncate(stream.tell() + 4 * 10**9)
    tracemalloc.start()
    samples = load_samples(path)
    assert encoding.check_samples(samples.limit(50).x, (1, 10, 100)).shape == (50, 1, 10, 100)
    assert tracemalloc.get_traced_memory()[1] < 2e6
    tracemalloc.stop()
    assert samples.x[-1].sum() == 0
    with pytest.raises(ValueError, match="read-only"):
        samples.x[0] = 1


def test_work_is_not_handed_out_far_ahead():
    begun = []

    def items():
        for i in range(1000):
            begun.append(i)
            yield i

    done = spread(lambda i: i * i, items(), 2)
    assert [next(done) for _ in range(10)] == [i * i for i in range(10)]
    assert len(begun) < 30
    done.close()
    assert len(begun) < 30
    assert list(spread(str, range(5), 1)) == list(spread(str, range(5), 3)) == list("01234")


def test_an_error_on_a_thread_ends_the_work():
    def fail(i):
        if i == 3:
            raise ValueError("three")
        return i

    with pytest.raises(ValueError, match="three"):
        list(spread(fail, range(10**9), 2))


def test_command(fashion_program, fashion, tmp_path):
    fashion_program.save(tmp_path / "p.ndp")

    def run(*options):
        common = ["--data", fashion / "test.npz", "--limit", "20", "--json"]
        return subprocess.run(
            [
                sys.executable,
                "-m",
                "neurodeploy",
                "simulate",
                tmp_path / "p.ndp",
                *common,
                *options,
            ],
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    whole, small = run(), run("--memory", "60MB", "--threads", "1")
    assert json.loads(whole.stdout)["checksum"] == json.loads(small.stdout)["checksum"]
    for text, word in (("1MB", "needs"), ("lots", "not a size"), ("-1", "not a size")):
        refused = run("--memory", text)
        assert refused.returncode == 2
        error = json.loads(refused.stdout)["error"]
        assert (error["code"], error["place"]) == ("ND-USAGE", "--memory")
        assert refused.stderr.startswith("error: [ND-USAGE] --memory: ")
        assert word in refused.stderr
