"""Deployment as a whole, and its end: after success, time-out, failure, Ctrl-C and murder."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from neurodeploy.errors import DeploymentError, ProgramError, UsageError
from neurodeploy.lava import groups
from neurodeploy.lava import run as run_module
from neurodeploy.lava.deploy import deploy, stream
from neurodeploy.lava.run import run
from neurodeploy.program import Connection, Decoder, Dense, Encoder, Lif, Population, Program
from neurodeploy.simulator import reference
from neurodeploy.simulator.reference import Trace
from neurodeploy.simulator.simulation import simulate
from neurodeploy.testing import random_program

pytestmark = [
    pytest.mark.lava,
    pytest.mark.skipif(importlib.util.find_spec("lava") is None, reason="Lava is not installed"),
]


def two_layers(period: int = 5) -> Program:
    rng = np.random.default_rng(3)
    weights = [rng.integers(-128, 128, shape).astype(np.int8) for shape in ((6, 4), (3, 6))]
    return Program(
        (
            Population("hidden", (6,), Lif(np.full(6, 90, np.int16), 200, bias_exponent=3), 2),
            Population("out", (3,), Lif(np.zeros(3, np.int16), 0, reset="none", shift=2), 3),
        ),
        (
            Connection("input", "hidden", Dense(weights[0]), graded=True),
            Connection("hidden", "out", Dense(weights[1])),
        ),
        Encoder((4,), "current", 0.5, -10, 10),
        Decoder("out", 0.125),
        period,
    )


SAMPLES = np.random.default_rng(4).uniform(-5, 5, (3, 4)).astype(np.float32)


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where temporary folders of runs go; their paths name the processes, too.

    Short, unlike pytest's: sockets lie in it.
    """
    with tempfile.TemporaryDirectory(prefix="nd-test-") as name:
        monkeypatch.setattr(tempfile, "tempdir", name)
        yield Path(name)


def processes(folder: Path) -> list[int]:
    """Living processes that have the folder among their arguments."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if str(folder).encode() in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue
    return sorted(set(found) - {os.getpid()})


def shared_memory() -> set[str]:
    return {p.name for p in Path("/dev/shm").glob("psm_*")}


def assert_nothing_left(folder: Path, before: set[str]) -> None:
    new = shared_memory() - before  # a run beside this one ends soon, a leak stays
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and (
        processes(folder) or list(folder.glob("*-*")) or new & shared_memory()
    ):
        time.sleep(0.1)
    assert processes(folder) == []
    assert list(folder.glob("*-*")) == []  # nd-lava-..., pymp-...
    assert not new & shared_memory()


def test_deploy_equals_the_simulators(folder: Path) -> None:
    before = shared_memory()
    program, seen = two_layers(), []
    result = deploy(
        program,
        SAMPLES,
        verify=True,
        membranes=True,
        progress=lambda done, total: seen.append((done, total)),
    )
    expected, _ = simulate(program, SAMPLES)
    np.testing.assert_array_equal(result.outputs, expected.outputs)
    for kind in ("spikes", "synaptic_operations"):
        for name, values in getattr(expected, kind).items():
            np.testing.assert_array_equal(getattr(result, kind)[name], values)
    trace = reference.run(program, stream(program, SAMPLES))
    assert result.compared_spikes == sum(int(s.sum()) for s in trace.spikes.values()) > 0
    assert result.compared_membranes == 17 * 9
    assert result.mismatched_spikes == result.mismatched_membranes == 0
    assert result.first_mismatch is None
    assert result.predictions.shape == (3,)
    assert (result.models, result.lava_steps) == ("neurodeploy", 17)
    assert 0 < result.start_seconds + result.step_seconds < result.seconds
    assert seen[-1] == (17, 17)
    assert_nothing_left(folder, before)


@pytest.mark.parametrize("seed", [52, 55])
def test_random_aligned_programs(seed: int) -> None:
    rng = np.random.default_rng(seed)
    program, _ = random_program(rng, aligned=True, timed=False)
    encoder = program.encoder
    x = rng.integers(encoder.low, encoder.high + 1, (2, *encoder.shape)) * encoder.unit
    result = deploy(program, x, verify=True, membranes=True, simulator=reference.run)
    assert result.mismatched_spikes == result.mismatched_membranes == 0
    np.testing.assert_array_equal(result.outputs, simulate(program, x)[0].outputs)


def test_a_difference_is_counted_and_found() -> None:
    def wrong(program: Program, messages: np.ndarray) -> Trace:
        trace = reference.run(program, messages)
        trace.spikes["hidden"][6:9, 4] ^= True
        trace.membrane["out"][11, 2] += 5
        return trace

    result = deploy(two_layers(), SAMPLES, verify=True, membranes=True, simulator=wrong)
    assert result.mismatched_spikes == 3
    assert result.mismatched_membranes == 1
    first = result.first_mismatch
    assert first is not None
    assert (first.population, first.neuron, first.step) == ("hidden", 4, 7)
    assert str(first).startswith("step 7, hidden, neuron 4: spike ")


def test_without_verify_nothing_is_compared_and_limit_cuts() -> None:
    result = deploy(two_layers(), SAMPLES, limit=1)
    assert result.samples == 1
    assert result.compared_spikes is None
    assert result.mismatched_membranes is None


def test_the_command_says_whose_models_ran(tmp_path: Path) -> None:
    two_layers().save(tmp_path / "p.ndp")
    np.savez(tmp_path / "x.npz", x=SAMPLES)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "neurodeploy", "deploy", "p.ndp", "--data", "x.npz"),
            *("--verify", "--stock", "--json"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    found = json.loads(done.stdout)
    assert (found["models"], found["lava_steps"], found["mismatched_spikes"]) == ("lava", 17, 0)
    assert 0 < found["step_seconds"] < found["seconds"]
    assert done.stderr == ""


def test_refusals_come_before_lava_starts() -> None:
    with pytest.raises(UsageError, match="verify"):
        deploy(two_layers(), SAMPLES, membranes=True)
    with pytest.raises(UsageError, match="limit"):
        deploy(two_layers(), SAMPLES, limit=0)
    mixed, _ = random_program(np.random.default_rng(2), aligned=False)
    assert not mixed.is_aligned
    with pytest.raises(ProgramError, match="mix"):
        deploy(mixed, np.zeros((1, *mixed.encoder.shape), np.float32))


def test_time_limit_leaves_nothing_behind(folder: Path) -> None:
    before, started = shared_memory(), time.monotonic()
    messages = np.zeros((1_000_000, 4), np.int32)
    with pytest.raises(DeploymentError, match="did not finish 1000000 steps in 4 seconds"):
        run(two_layers(), messages, timeout=4)
    assert time.monotonic() - started < 15
    assert_nothing_left(folder, before)


def test_an_error_inside_a_process_ends_the_run(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = shared_memory()
    monkeypatch.setattr(run_module, "lava_order", lambda shape: np.arange(2))
    with pytest.raises(DeploymentError, match="the run failed: ValueError: cannot reshape"):
        run(two_layers(), np.ones((50, 4), np.int32), timeout=60)
    assert_nothing_left(folder, before)


def test_an_error_before_the_run_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(program: Program, path: Path) -> None:
        path.write_bytes(b"not a program")

    monkeypatch.setattr(run_module, "save", broken)
    with pytest.raises(DeploymentError, match="not a"):
        run(two_layers(), np.ones((5, 4), np.int32), timeout=60)


def test_a_killed_process_ends_the_run(folder: Path) -> None:
    before = shared_memory()

    def kill_the_youngest() -> None:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and not list(folder.glob("*/spikes-1.bin")):
            time.sleep(0.05)
        os.kill(processes(folder)[-1], signal.SIGKILL)

    thread = threading.Thread(target=kill_the_youngest)
    thread.start()
    with pytest.raises(DeploymentError, match="ended with exit code -9"):
        run(two_layers(), np.zeros((1_000_000, 4), np.int32), timeout=60)
    thread.join()
    assert_nothing_left(folder, before)


def _stop_when_it_steps(folder: Path, which: slice) -> threading.Thread:
    """A thread that stops processes of the run, youngest last, as soon as they step."""

    def stop() -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and not list(folder.glob("*/spikes-1.bin")):
            time.sleep(0.05)
        for process in processes(folder)[which]:
            os.kill(process, signal.SIGSTOP)

    thread = threading.Thread(target=stop)
    thread.start()
    return thread


@pytest.mark.parametrize("which", [slice(-1, None), slice(None)], ids=["youngest", "all"])
def test_a_process_that_hangs_leaves_nothing_behind(folder: Path, which: slice) -> None:
    before = shared_memory()
    thread = _stop_when_it_steps(folder, which)
    with pytest.raises(DeploymentError, match="did not finish"):
        run(two_layers(), np.zeros((1_000_000, 4), np.int32), timeout=12)
    thread.join()
    assert_nothing_left(folder, before)


def test_a_process_deaf_to_sigterm_is_killed_and_its_memory_freed() -> None:
    """The resource tracker, which frees it, is the last to be killed."""
    code = (
        "import os, signal, time\n"
        "from multiprocessing import shared_memory\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print(shared_memory.SharedMemory(create=True, size=64).name, flush=True)\n"
        "time.sleep(600)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as child:
        assert child.stdout is not None
        name = child.stdout.readline().strip()
        assert (Path("/dev/shm") / name).exists()
        groups.terminate_group(child.pid)
        assert groups.alive(child.pid)
        groups.kill_group(child.pid, 20)
    assert not (Path("/dev/shm") / name).exists()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_the_death_of_the_caller_ends_the_run(folder: Path, how: signal.Signals) -> None:
    before = shared_memory()
    two_layers().save(folder / "p.ndp")
    code = (
        "import numpy as np\nfrom neurodeploy.program.storage import load\n"
        "from neurodeploy.lava.run import run\n"
        f"run(load({str(folder / 'p.ndp')!r}), np.zeros((1_000_000, 4), np.int32), timeout=60)\n"
    )
    caller = subprocess.Popen(
        [sys.executable, "-c", code],
        env={**os.environ, "TMPDIR": str(folder)},
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and not list(folder.glob("*/spikes-1.bin")):
        time.sleep(0.05)
    caller.send_signal(how)
    caller.wait(120)  # a busy machine is no failure
    assert_nothing_left(folder, before)


@pytest.mark.parametrize("from_stdin", [False, True])
def test_a_script_needs_no_main_guard(tmp_path: Path, from_stdin: bool) -> None:
    two_layers().save(tmp_path / "p.ndp")
    np.save(tmp_path / "x.npy", SAMPLES)
    code = (
        "import numpy as np\nimport neurodeploy as nd\n"
        "r = nd.deploy(nd.load('p.ndp'), np.load('x.npy'), verify=True)\n"
        "print(r.compared_spikes > 0, r.mismatched_spikes)\n"
    )
    (tmp_path / "script.py").write_text(code)
    # what lies in the folder of the caller must not reach the process that runs Lava
    (tmp_path / "scipy.py").write_text("raise ImportError('not this one')\n")
    done = subprocess.run(
        [sys.executable, "-" if from_stdin else "script.py"],
        input=code,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout.strip() == "True 0", done.stderr
