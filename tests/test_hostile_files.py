"""Files that mean harm, or are damaged: one message, in no time, with little memory.

`tools/fuzz_files.py` has thousands of them; here are the kinds, by name.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tracemalloc
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

import neurodeploy as nd
from neurodeploy import files
from neurodeploy.errors import (
    DataError,
    NeuroDeployError,
    ProgramError,
    StorageError,
    TargetError,
    printable,
    shown,
)
from neurodeploy.mapping import map_program
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
)
from neurodeploy.program.bounds import bounds
from neurodeploy.program.limits import MAX_PERIOD
from neurodeploy.program.neurons.membrane_range import membrane_range
from neurodeploy.program.storage import from_bytes, load, to_bytes
from neurodeploy.reporting.inspection import describe
from neurodeploy.samples import load_samples
from neurodeploy.simulator.memory import available
from neurodeploy.targets import load_target
from neurodeploy.testing.synapses import convolution

CASES = Path(__file__).parent / "cases"


def neurodeploy(*arguments, **environment):
    """A command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "neurodeploy", *map(str, arguments)],
        capture_output=True,
        env=os.environ | environment,
        timeout=300,
        check=False,
    )


def one_neuron(period=4, weight=1, reset="subtract", high=1, **parameters):
    neuron = Lif(np.zeros(1, np.int16), 10, reset=reset, **parameters)
    return Program(
        (Population("n", (1,), neuron, phase=2),),
        (Connection("input", "n", Dense(np.full((1, 1), weight, np.int8)), graded=True),),
        Encoder((1,), "current", 1.0, 0, high),
        Decoder("n", 1.0),
        period=period,
    )


def huge_map(side):
    """A program of a few bytes whose two populations have side x side neurons."""
    once = np.ones((1, 1, 1, 1), np.int8)
    pad = (side - 1) // 2
    return Program(
        (
            Population("p0", (1, side, side), Earliest(), phase=2),
            Population("p1", (1, side, side), Earliest(), phase=3),
        ),
        (
            Connection("input", "p0", Convolution(once, padding=(pad,) * 4)),
            Connection("p0", "p1", Convolution(once)),
        ),
        Encoder((1, 1, 1), "ttfs", 1.0, 0, 4),
        Decoder("p1", 1.0),
        period=4,
    )


# Sizes


def stepped_range(drive, threshold, reset, v_initial, steps):
    """`membrane_range` step by step, for every neuron."""
    low, high = drive
    peak, bottom = (np.full(d.shape, v_initial, np.int64) for d in drive)
    highest, lowest = v_initial, v_initial if reset == "none" else min(v_initial, 0)
    for _ in range(steps):
        peak, bottom = peak + high, bottom + low
        highest, lowest = max(highest, int(peak.max())), min(lowest, int(bottom.min()))
        if reset == "subtract":
            peak = np.where(peak > threshold, np.maximum(threshold, peak - threshold), peak)
        elif reset == "zero":
            peak = np.minimum(peak, threshold)
        if reset != "none":
            bottom = np.minimum(bottom, 0)  # a spike may leave it there
    return lowest, highest


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.tuples(st.integers(-30, 30), st.integers(0, 30)), min_size=1, max_size=3),
    st.integers(0, 30),
    st.sampled_from(["zero", "subtract", "none"]),
    st.integers(-40, 40),
    st.integers(1, 25),
)
def test_bounds_in_closed_form_are_those_of_stepping(drive, threshold, reset, v_initial, steps):
    low = np.array([a for a, _ in drive])
    high = low + np.array([b for _, b in drive])
    arguments = ((low, high), threshold, reset, v_initial, steps)
    assert membrane_range(*arguments) == stepped_range(*arguments)
    # and whatever comes stays within them
    rng = np.random.default_rng(steps)
    for inputs in (rng.integers(low, high + 1, (steps, low.size)), rng.choice((low, high), steps)):
        v = np.full(low.size, v_initial)
        for row in inputs:
            v = v + row
            assert stepped_range(*arguments)[0] <= v.min()
            assert v.max() <= stepped_range(*arguments)[1]
            if reset != "none":
                v = np.where(v > threshold, v - threshold if reset == "subtract" else 0, v)


def test_a_long_window_is_bounded_at_once():
    found = bounds(one_neuron(MAX_PERIOD, 1, "none", shift=0))["n"]
    assert found.membrane == (0, MAX_PERIOD)
    assert found.cannot_clip
    # the largest weight, message, exponent and shift: far outside, and positive all the same
    program = one_neuron(MAX_PERIOD, 127, "none", 2**23 - 1, shift=6)
    strong = replace(program.connections[0], exponent=7)
    found = bounds(replace(program, connections=(strong,)))["n"]
    assert found.membrane[1] > 2**40
    assert not found.cannot_wrap


@pytest.mark.parametrize("period", [MAX_PERIOD + 1, 2**31 - 1, 10**30, 0, True, 1.5])
def test_a_window_beyond_the_limit_is_refused(period):
    with pytest.raises(ProgramError, match=f"the period is .*1..{MAX_PERIOD}"):
        one_neuron(period)
    with pytest.raises(ProgramError, match="the period is int that is too large to print"):
        one_neuron(10**5000)
    with pytest.raises(StorageError, match="the period is 2147483647"):
        load(CASES / "period_max.ndp")


def test_a_huge_map_is_described_at_once_and_refused_where_it_would_take_long():
    tracemalloc.start()
    program = load(CASES / "hugeconv.ndp")
    about = describe(program)
    assert (about["neurons"], about["synapses"]) == (2 * 10001**2, 1 + 10001**2)
    assert about["populations"][0]["cannot_overflow"]
    x = np.zeros((1, 1, 1, 1), np.float32)
    for work in (map_program, lambda p: nd.simulate(p, x)):
        with pytest.raises(ProgramError, match="of 200,040,003 neurons and inputs is refused"):
            work(program)
    assert tracemalloc.get_traced_memory()[1] < 2**27
    tracemalloc.stop()
    with pytest.raises(ProgramError, match="neurons; the limit is"):
        huge_map(2**20 + 1)
    with pytest.raises(ProgramError, match="padding is"):
        Convolution(np.ones((1, 1, 1, 1), np.int8), padding=(0, 0, 0, 2**27 + 1))


def test_more_updates_a_sample_than_a_machine_can_do_are_refused():
    program = replace(huge_map(301), period=MAX_PERIOD)
    with pytest.raises(ProgramError, match=r"neuron updates a sample .* limit is"):
        nd.simulate(program, np.zeros((1, 1, 1, 1), np.float32))


def test_a_phase_that_lies_years_ahead_is_refused():
    program = one_neuron()
    late = replace(program.populations[0], phase=2**31 - 1)
    with pytest.raises(ProgramError, match="updates up to the last phase"):
        nd.simulate(replace(program, populations=(late,)), np.zeros((1, 1), np.float32))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_synapses_are_counted_without_a_table(seed):
    rng = np.random.default_rng(seed)
    shape = (int(rng.integers(1, 5)), int(rng.integers(1, 8)), int(rng.integers(1, 8)))
    synapses = convolution(rng, shape)
    assert synapses.synapse_count(shape) == synapses.fan_out(shape).sum()
    dense = Dense(np.ones((3, 4), np.int8))
    assert dense.synapse_count((4,)) == dense.fan_out((4,)).sum()
    starts = np.array([0, 2, 3], np.int64)
    sparse = Sparse(np.ones(3, np.int8), np.array([0, 1, 1], np.int32), starts, 2)
    assert sparse.synapse_count((2,)) == sparse.fan_out((2,)).sum()


def test_the_limit_of_a_process_counts_as_its_memory():
    resource = pytest.importorskip("resource")
    code = (
        "import resource\nfrom neurodeploy.simulator.memory import available\n"
        "resource.setrlimit(resource.RLIMIT_AS, (2**32, 2**32))\nprint(available())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300
    )
    assert 0 < int(done.stdout) < 2**32
    assert resource.getrlimit(resource.RLIMIT_AS)[0] == resource.RLIM_INFINITY
    assert available() > 0


# Headers and archives

HEADERS = {
    "open": "{'descr': '<f4', 'fortran_order': False, 'shape': (1,",
    "brackets": "(" * 900,
    "quotes": "'''",
    "dedent": "if 1:\n    2\n  3",
    "objects": "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }",
    "fields": "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }",
    "empty type": "{'descr': '|V0', 'fortran_order': False, 'shape': (1,), }",
    "type of many": "{'descr': '(1000000,1000000)<f4', 'fortran_order': False, 'shape': (), }",
    "dates": "{'descr': '<M8[s]', 'fortran_order': False, 'shape': (1,), }",
    "negative": "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }",
    "huge": "{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296), }",
    "digits": "{'descr': '<f4', 'fortran_order': False, 'shape': (" + "9" * 5000 + ",), }",
    "texts": "{'descr': '<f4', 'fortran_order': False, 'shape': ('a',), }",
    "beside none": "{'descr': '<f4', 'fortran_order': False, 'shape': (0, 4611686018427387904)}",
    "true": "{'descr': '<f4', 'fortran_order': False, 'shape': (True,), }",
}


def with_header(text, body=bytes(4)):
    header = text.encode()
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + body


@pytest.mark.parametrize("kind", HEADERS)
def test_headers_that_cannot_be_read(kind, tmp_path):
    content = with_header(HEADERS[kind])
    (tmp_path / "x.npy").write_bytes(content)
    with pytest.raises(DataError, match=r"not an array|does not hold"):
        load_samples(tmp_path / "x.npy")
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        archive.writestr("x.npy", content)
    with pytest.raises(DataError, match=r"not an array|does not hold"):
        load_samples(tmp_path / "x.npz")


def test_a_header_in_a_program():
    with pytest.raises(StorageError, match=r"connection_2_weights.*: its header cannot be read"):
        load(CASES / "npy-header.ndp")


def test_a_single_number_is_no_samples(tmp_path):
    np.save(tmp_path / "x.npy", np.float32(1))
    np.savez(tmp_path / "x.npz", x=np.float32(1))
    for name in ("x.npy", "x.npz"):
        with pytest.raises(DataError, match="x is a single number"):
            load_samples(tmp_path / name)


@pytest.mark.parametrize("name", ["x.npy", "y.npy"])
def test_an_array_that_stands_twice_in_an_archive(name, tmp_path):
    np.savez(tmp_path / "x.npz", x=np.zeros((2, 3), np.float32), y=np.zeros(2, np.int64))
    with zipfile.ZipFile(tmp_path / "x.npz") as archive:
        content = archive.read(name)
    with (
        pytest.warns(UserWarning, match="Duplicate"),
        zipfile.ZipFile(tmp_path / "x.npz", "a") as archive,
    ):
        archive.writestr(name, content)
    with pytest.raises(DataError, match=f"holds {name} twice"):
        load_samples(tmp_path / "x.npz")


@pytest.mark.parametrize(
    "text",
    ["9" * 5000, "0x" + "f" * 9000, "-" + "1" * 4000, "1e999", "[" * 3000, '"\\u001b[31m"'],
)
def test_numbers_and_texts_of_a_target(text, tmp_path):
    whole = (Path(nd.__file__).parents[1] / "targets/loihi2.toml").read_text()
    path = tmp_path / "t.toml"
    path.write_text(whole.replace("[neuron]", f"[neuron]\nbias_exponent_max = {text}\n#", 1))
    with pytest.raises(TargetError) as error:
        load_target(str(path))
    assert len(str(error.value)) < 1000
    assert "\x1b" not in str(error.value)
    with pytest.raises(TargetError, match="not valid TOML: Exceeds the limit"):
        load_target(str(CASES / "huge-integer.toml"))


@pytest.mark.parametrize(
    "manifest",
    [
        b"[" * 100_000,
        b'{"schema": ' + b"9" * 5000 + b"}",
        b'{"schema": 1' + b"0" * 4000 + b"}",
        b'{"schema": 1, "tensors": {}, "program": ' + b'{"a":' * 2000 + b"1" + b"}" * 2001,
        b'{"schema": 1, "schema": 1}',
        b"\xff\xfe",
        b" " * (2**24 + 1),
    ],
)
def test_manifests(manifest, tmp_path):
    path = tmp_path / "p.ndp"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("manifest.json", manifest)
    with pytest.raises(StorageError) as error:
        load(path)
    assert len(str(error.value)) < 1000


# Weights at the ends of what a float holds


def two_layers(path, first, second):
    rng = np.random.default_rng(1)
    tensors = {
        "w1": (rng.standard_normal((12, 10)) * first).astype(np.float32),
        "w2": (rng.standard_normal((4, 12)) * second).astype(np.float32),
    }
    nodes = [
        helper.make_node("Gemm", ["x", "w1"], ["h"], transB=1),
        helper.make_node("Relu", ["h"], ["g"]),
        helper.make_node("Gemm", ["g", "w2"], ["y"], transB=1),
    ]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 10])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 4])],
        [numpy_helper.from_array(values, name) for name, values in tensors.items()],
    )
    opset = [helper.make_opsetid("", 13)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), path)
    return tensors


@pytest.mark.parametrize("scheme", ["rate", "ttfs"])
@pytest.mark.parametrize(
    ("first", "second"), [(1e-38, 1.0), (1e-38, 1e37), (1e-41, 1.0), (1.0, 1e-41), (1e36, 1.0)]
)
def test_tiny_and_huge_weights_scale(scheme, first, second, tmp_path):
    """The network of weights a million times smaller is the same program."""
    x = np.random.default_rng(0).random((30, 10)).astype(np.float32)
    tensors = two_layers(tmp_path / "m.onnx", first, second)
    program = nd.compile(tmp_path / "m.onnx", x, scheme=scheme, steps=32)
    found = nd.simulate(program, x).outputs.astype(np.float64)
    w1, w2 = (tensors[name].astype(np.float64) for name in ("w1", "w2"))
    expected = np.maximum(x @ w1.T, 0) @ w2.T
    assert np.abs(found - expected).max() < 0.15 * np.abs(expected).max()


def test_activations_around_1e_38():
    x = np.random.default_rng(0).random((30, 10)).astype(np.float32)
    for scheme in ("rate", "ttfs"):
        assert nd.compile(CASES / "tinyw.onnx", x, scheme=scheme).neurons == 24


# What reaches a terminal, a page, a file

NASTY = "\x1b[31mred\x1b[0m\u202e<script>alert(1)</script>|`[b]\x9b2J"


def named_model(path, name):
    two_layers(path, 1.0, 1.0)
    model = onnx.load(path)
    for node in model.graph.node:
        node.name = f"{name}{node.name}{node.op_type}{node.output[0]}"
    onnx.save(model, path)


def test_texts_are_made_printable_and_short():
    assert (
        printable("plain \u00e9\u4e2d\u2500\u00a0\nline") == "plain \u00e9\u4e2d\u2500\u00a0\nline"
    )
    assert printable("a\x1b[2J\u202e\x9b\ud800") == "a\\x1b[2J\\u202e\\x9b\\ud800"
    assert len(shown("x" * 10**6)) < 200
    assert shown(10**5000) == "int that is too large to print"
    error = NeuroDeployError("m" * 10**6, place="a\nerror: b\x1b", remedy="r")
    assert len(str(error)) < 5000
    assert "\x1b" not in str(error)
    assert "\nerror" not in str(error)


def test_names_of_a_model_reach_no_terminal(tmp_path):
    named_model(tmp_path / "m.onnx", NASTY)
    x = np.random.default_rng(0).random((30, 10)).astype(np.float32)
    np.savez(tmp_path / "x.npz", x=x)
    made = neurodeploy(
        "compile", tmp_path / "m.onnx", "--calibration", tmp_path / "x.npz", "-o", tmp_path / "p"
    )
    said = made.stdout + made.stderr
    for arguments in (
        ("check", tmp_path / "m.onnx"),
        ("inspect", tmp_path / "p"),
        ("inspect", tmp_path / "p", "--json"),
        ("map", tmp_path / "p"),
    ):
        done = neurodeploy(*arguments, PYTHONIOENCODING="ascii", LC_ALL="C")
        assert b"Traceback" not in done.stderr
        assert b"ND-INTERNAL" not in done.stderr
        said += done.stdout + done.stderr
    assert b"\x1b" not in said
    assert "\u202e".encode() not in said
    assert b"\\u2500" not in said


def test_ascii_terminals(tmp_path):
    """Neither lines nor names that the terminal cannot show end a command."""
    program = replace(one_neuron(), provenance={"options": {"name": "\u00e9\u4e2d"}})
    program.save(tmp_path / "p.ndp")
    done = neurodeploy("inspect", tmp_path / "p.ndp", PYTHONIOENCODING="ascii", LC_ALL="C")
    assert done.returncode == 0
    assert b"name \\xe9\\u4e2d" in done.stdout
    done = neurodeploy("inspect", tmp_path / "\u00e9.ndp", PYTHONIOENCODING="ascii", LC_ALL="C")
    assert done.returncode == 2
    assert b"no such file" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("moment", ["fsync", "replace"])
def test_a_signal_leaves_no_temporary_file(number, moment, tmp_path, monkeypatch):
    """At the worst moments: behind the first byte, and before and behind the renaming."""

    class ArrivedError(Exception):
        pass

    def arrive(*_):
        raise ArrivedError

    real = getattr(os, moment)

    def interrupted(*arguments):
        signal.raise_signal(number)
        real(*arguments)

    before = signal.signal(number, arrive)
    try:
        monkeypatch.setattr(files.os, moment, interrupted)
        with pytest.raises(ArrivedError):
            files.write_atomically(tmp_path / "a", bytes(10))
        assert signal.getsignal(number) is arrive
    finally:
        signal.signal(number, before)
    assert [p.name for p in tmp_path.iterdir()] == ["a"]  # whole: the signal came too late


def test_a_signal_ends_the_writing(tmp_path, monkeypatch):
    """A large file is given up; a handler that goes on is told so."""
    heard = []
    before = signal.signal(signal.SIGTERM, lambda *_: heard.append(1))
    monkeypatch.setattr(files, "_PIECE", 1)
    monkeypatch.setattr(
        files.secrets, "token_hex", lambda n: signal.raise_signal(signal.SIGTERM) or "aa"
    )
    try:
        with pytest.raises(StorageError, match="a signal came"):
            files.write_atomically(tmp_path / "a", bytes(10))
    finally:
        signal.signal(signal.SIGTERM, before)
    assert heard == [1]
    assert list(tmp_path.iterdir()) == []


def test_a_terminated_command_cleans_up(tmp_path):
    """SIGTERM unwinds: exit code 143, one line, nothing left."""
    code = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from neurodeploy import cli\n"
        "def work(arguments):\n"
        "    try:\n"
        "        os.kill(os.getpid(), signal.SIGTERM)\n"
        "        signal.pause()\n"
        "    finally:\n"
        "        Path('cleaned').touch()\n"
        "cli._invoke = work\n"
        "cli.main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=300,
        check=False,
    )
    assert (done.returncode, done.stderr) == (143, "terminated; nothing was written\n")
    assert (tmp_path / "cleaned").exists()


def test_a_name_as_long_as_a_file_system_takes(tmp_path):
    files.write_atomically(tmp_path / ("\u4e2d" * 80), b"x")
    assert len(list(tmp_path.iterdir())) == 1


def test_a_model_whose_samples_are_single_numbers(tmp_path):
    """They have no axis of channels."""
    node = helper.make_node("Relu", ["x"], ["y"])
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N"]) for name in "xy"]
    graph = helper.make_graph([node], "g", values[:1], values[1:])
    opset = [helper.make_opsetid("", 13)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), tmp_path / "m.onnx")
    with pytest.raises(NeuroDeployError) as error:
        nd.compile(tmp_path / "m.onnx")
    assert error.value.code != "ND-ERROR"


def test_sealed_bytes_come_back():
    program = one_neuron()
    assert to_bytes(from_bytes(to_bytes(program), "p")) == to_bytes(program)
