"""Samples spread over dask workers: the result of one thread, whatever happens to a cluster."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import numpy as np
import pytest

import neurodeploy as nd
from neurodeploy.errors import DataError, DeploymentError, ProgramError, UsageError
from neurodeploy.simulator import sharding
from neurodeploy.testing.programs import random_program

distributed = pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def cluster():
    """Two workers, each a process of one thread."""
    with distributed.LocalCluster(
        processes=True, n_workers=2, threads_per_worker=1, dashboard_address=":0"
    ) as made:
        yield made


@pytest.fixture
def scheduler():
    """A scheduler without a worker."""
    with distributed.LocalCluster(
        processes=True, n_workers=0, threads_per_worker=1, dashboard_address=":0"
    ) as made:
        yield made


@pytest.fixture(scope="module")
def programs(fashion, fashion_calibration):
    """The reference network by code."""
    x = fashion_calibration[:100]

    def make(**options):
        return nd.compile(fashion / "model.onnx", calibration=x, steps=8, **options)

    return {
        "current": make(),
        "poisson": make(encoding="poisson", seed=3),
        "ttfs": make(scheme="ttfs"),
    }


@pytest.mark.parametrize("code", ["current", "poisson", "ttfs"])
def test_the_split_changes_nothing(programs, cluster, fashion_test, code):
    program, x = programs[code], fashion_test[0][:60]
    done = []
    one = nd.simulate(program, x, threads=1)
    two = nd.simulate(program, x, threads=2)
    spread = nd.simulate(program, x, workers=cluster.scheduler_address, progress=done.append)
    assert one.checksum == two.checksum == spread.checksum
    np.testing.assert_array_equal(spread.outputs, one.outputs)
    assert sum(done) == len(x)
    assert len(done) > 2
    assert one.checksum != nd.simulate(program, x[::-1]).checksum


def test_several_programs_and_a_memory_limit(programs, cluster, fashion_test):
    """What workers keep of one program is not taken for another's."""
    x = fashion_test[0][:12]
    for name in ("ttfs", "current", "poisson", "ttfs"):
        found = nd.simulate(
            programs[name], x, workers=cluster.scheduler_address, memory="200MB", limit=7
        )
        assert found.checksum == nd.simulate(programs[name], x[:7]).checksum


def test_what_workers_refuse_comes_back(programs, cluster, fashion_test):
    with pytest.raises(UsageError, match="one sample on one thread needs") as caught:
        nd.simulate(
            programs["current"], fashion_test[0][:4], workers=cluster.scheduler_address, memory=1000
        )
    assert caught.value.place == "--memory"


def test_refused_before_anything_travels(programs, fashion_test):
    x = fashion_test[0][:4]
    with pytest.raises(UsageError, match="decide about threads"):
        nd.simulate(programs["ttfs"], x, workers="tcp://127.0.0.1:1", threads=2)
    with pytest.raises(DataError, match="does not fit"):
        nd.simulate(programs["ttfs"], x[:, :, :5], workers="tcp://127.0.0.1:1")
    with pytest.raises(UsageError, match="is not a size"):
        nd.simulate(programs["ttfs"], x, workers="tcp://127.0.0.1:1", memory="much")
    mixed, _ = random_program(np.random.default_rng(2), aligned=False)
    assert not mixed.is_aligned
    samples = np.zeros((1, *mixed.encoder.sample_shape), np.float32)
    with pytest.raises(ProgramError, match="mix neighbouring samples"):
        nd.simulate(mixed, samples, workers="tcp://127.0.0.1:1")


def test_without_dask(programs, fashion_test, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(DeploymentError, match="not installed") as caught:
        nd.simulate(programs["ttfs"], fashion_test[0][:4], workers="tcp://127.0.0.1:1")
    assert "neurodeploy-compiler[cluster]" in caught.value.remedy


@contextmanager
def listening(answer=b""):
    """A port that accepts, says something, and waits."""
    server = socket.create_server(("127.0.0.1", 0))
    held = []

    def serve():
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            held.append(connection)
            connection.sendall(answer)

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield server.getsockname()[1]
    finally:
        server.close()
        for connection in held:
            connection.close()


@pytest.mark.parametrize(
    "address",
    [
        "",
        "nonsense",
        "tcp://",
        "tcp://127.0.0.1:1",
        "tcp://127.0.0.1:port",
        "tcp://127.0.0.1:99999",
        "tcp://no.such.host.invalid:8786",
        "http://127.0.0.1:8787",
        "tls://127.0.0.1:1",
        "inproc://192.0.2.1/1/1",
    ],
)
def test_nobody_there(programs, fashion_test, monkeypatch, address):
    monkeypatch.setattr(sharding, "PATIENCE", 1)
    began = time.monotonic()
    with pytest.raises(DeploymentError, match="scheduler") as caught:
        nd.simulate(programs["ttfs"], fashion_test[0][:4], workers=address)
    assert time.monotonic() - began < 8
    assert caught.value.place == address


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n" * 9])
def test_somebody_else_there(programs, fashion_test, monkeypatch, answer):
    monkeypatch.setattr(sharding, "PATIENCE", 1)
    with listening(answer) as port, pytest.raises(DeploymentError, match="scheduler"):
        nd.simulate(programs["ttfs"], fashion_test[0][:4], workers=f"tcp://127.0.0.1:{port}")


def test_the_address_of_a_worker(programs, fashion_test, cluster):
    address = next(iter(cluster.scheduler_info["workers"]))
    with pytest.raises(DeploymentError, match="a Worker answers, not a scheduler"):
        nd.simulate(programs["ttfs"], fashion_test[0][:4], workers=address)


def test_no_worker(programs, fashion_test, monkeypatch, scheduler):
    monkeypatch.setattr(sharding, "PATIENCE", 1)
    with pytest.raises(DeploymentError, match="no worker came within 1 s"):
        nd.simulate(programs["ttfs"], fashion_test[0][:4], workers=scheduler.scheduler_address)


@contextmanager
def process(*arguments, **options):
    """A process of dask's command line; its messages, line by line."""
    with subprocess.Popen(
        [sys.executable, "-m", *arguments, "--no-dashboard"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    ) as made:
        try:
            yield made
        finally:
            made.kill()


@contextmanager
def worker(scheduler, folder=None, package=None):
    """A worker; with a `package` it finds that as neurodeploy."""
    environment = dict(os.environ)
    if package is not None:
        (folder / "neurodeploy").mkdir()
        (folder / "neurodeploy" / "__init__.py").write_text(package)
        environment["PYTHONPATH"] = str(folder)
    arguments = [scheduler, "--nthreads", "1", "--no-nanny"]
    with process("distributed.cli.dask_worker", *arguments, env=environment, cwd=folder) as made:
        yield made


@pytest.mark.parametrize(
    ("package", "message"),
    [
        ("raise ModuleNotFoundError('gone', name='neurodeploy')", "no module 'neurodeploy'"),
        (
            f"__version__ = '0.0.1'\n__path__ = [{str(nd.__path__[0])!r}]",
            r"runs another neurodeploy \(0.0.1\)",
        ),
        ("import os; os._exit(1)", "went away"),
    ],
    ids=["without neurodeploy", "another version", "dying"],
)
def test_workers_that_cannot(programs, fashion_test, scheduler, tmp_path, package, message):
    address = scheduler.scheduler_address
    with worker(address, tmp_path, package), pytest.raises(DeploymentError, match=message):
        nd.simulate(programs["ttfs"], fashion_test[0][:4], workers=address)


def test_a_worker_that_dies_is_replaced_by_the_others(programs, fashion_test, scheduler):
    address, x = scheduler.scheduler_address, fashion_test[0][:400]
    with worker(address), worker(address) as second:
        scheduler.wait_for_workers(2, timeout=60)
        found = nd.simulate(
            programs["poisson"], x, workers=address, progress=lambda _: second.kill()
        )
    assert found.checksum == nd.simulate(programs["poisson"], x).checksum


def test_a_scheduler_that_dies(programs, fashion_test, capfd):
    arguments = ["--host", "127.0.0.1", "--port", "0"]
    with process("distributed.cli.dask_scheduler", *arguments) as made:
        told = (re.search(r"Scheduler at:\s*(\S+)", line) for line in made.stderr)
        address = next(filter(None, told))[1]
        with worker(address), pytest.raises(DeploymentError, match="went away"):
            nd.simulate(
                programs["ttfs"],
                fashion_test[0][:2000],
                workers=address,
                progress=lambda _: made.kill(),
            )
    assert "Traceback" not in capfd.readouterr().err


def command(*arguments, **options):
    return subprocess.Popen(
        [sys.executable, "-m", "neurodeploy", "simulate", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def test_command(programs, fashion, cluster, tmp_path):
    programs["poisson"].save(tmp_path / "p.ndp")
    common = [tmp_path / "p.ndp", "--data", fashion / "test.npz", "--limit", 20]
    found = []
    for extra in (["--json"], ["--json", "--workers", cluster.scheduler_address]):
        output, errors = (process := command(*common, *extra)).communicate(timeout=300)
        assert process.returncode == 0, errors
        found.append(json.loads(output)["checksum"])
    assert found[0] == found[1]
    output, errors = command(*common).communicate(timeout=300)
    assert found[0] in output
    output, errors = (process := command(*common, "--workers", "nowhere")).communicate(timeout=60)
    assert process.returncode == 2
    assert errors.startswith("error: [ND-DEPLOY] nowhere: ")
    assert output == ""
    assert "Traceback" not in errors


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT")
def test_interrupted(programs, fashion, cluster, tmp_path):
    """Ctrl-C ends the command at once, and the cluster is left without work."""
    programs["poisson"].save(tmp_path / "p.ndp")
    process = command(
        tmp_path / "p.ndp",
        *("--data", fashion / "test.npz", "--workers", cluster.scheduler_address),
    )
    tasks = cluster.scheduler.tasks
    began = time.monotonic()
    while len(tasks) <= 2 and process.poll() is None and time.monotonic() < began + 240:
        time.sleep(0.005)
    assert process.poll() is None, process.communicate()
    assert len(tasks) > 2
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=30)
    assert process.returncode == 130, errors
    assert output == ""
    assert "Traceback" not in errors
    for _ in range(300):
        if not tasks:
            break
        time.sleep(0.1)
    assert not tasks
