"""A run that is interrupted goes on where it was, and yields what one in a piece does."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import neurodeploy as nd
from neurodeploy.errors import ProgramError, StorageError, UsageError
from neurodeploy.simulator import journal as journals
from neurodeploy.testing.programs import random_program

SAMPLES = 60


class Stop(BaseException):
    """Raised by a callback in the middle of a run, as Ctrl-C does."""


@pytest.fixture(scope="module")
def programs(fashion, fashion_calibration):
    x = fashion_calibration[:50]

    def make(**options):
        return nd.compile(
            fashion / "model.onnx", calibration=x, steps=8, try_samples=0, warn=print, **options
        )

    return {"poisson": make(encoding="poisson", seed=3), "ttfs": make(scheme="ttfs")}


@pytest.fixture(scope="module")
def images(fashion_test):
    return fashion_test[0][:SAMPLES]


def interrupted(program, x, path, after, **more):
    """A run that ends when `after` samples are done."""
    done = []

    def progress(count):
        done.append(count)
        if sum(done) >= after:
            raise Stop

    with pytest.raises(Stop):
        nd.simulate(program, x, journal=path, progress=progress, **more)
    return sum(done)


@pytest.mark.parametrize("code", ["poisson", "ttfs"])
def test_it_goes_on(programs, images, tmp_path, code):
    """Several times, with other numbers of threads; then all of it is there."""
    program, path = programs[code], tmp_path / "run.journal"
    whole = nd.simulate(program, images)
    for threads, after in ((1, 9), (2, 40)):
        interrupted(program, images, path, after, threads=threads)
    done = []
    found = nd.simulate(program, images, journal=path, progress=done.append)
    assert found.checksum == whole.checksum
    np.testing.assert_array_equal(found.outputs, whole.outputs)
    assert done[0] > 0
    assert sum(done) == SAMPLES
    assert found.wrapped == whole.wrapped
    assert list(found.spikes) == list(whole.spikes)
    again = []
    assert nd.simulate(program, images, journal=path, progress=again.append).checksum == (
        whole.checksum
    )
    assert again == [SAMPLES]


@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_whatever_is_left_of_the_file(programs, images, tmp_path_factory, data):
    """A journal cut off anywhere, or with a byte changed behind its first line."""
    program, x = programs["ttfs"], images[:10]
    path = tmp_path_factory.mktemp("j") / "run.journal"
    expected = nd.simulate(program, x, journal=path, threads=1).checksum
    content = path.read_bytes()
    begins = content.index(b"\n") + 1
    at = data.draw(st.integers(begins, len(content) - 1))
    if data.draw(st.booleans()):
        path.write_bytes(content[:at])
    else:
        path.write_bytes(content[:at] + bytes([content[at] ^ 0x41]) + content[at + 1 :])
    lines = []
    found = nd.simulate(program, x, journal=path, warn=lines.append)
    assert found.checksum == expected
    if at > begins:
        assert any("computed again" in line for line in lines) or path.read_bytes() != content
    assert nd.simulate(program, x, journal=path).checksum == expected


def test_a_killed_process(programs, images, tmp_path):
    """SIGKILL in the middle, as when a machine goes down."""
    programs["ttfs"].save(tmp_path / "p.ndp")
    np.savez(tmp_path / "x.npz", x=images)
    script = textwrap.dedent(
        """
        import os, signal
        import neurodeploy as nd
        done = []
        def progress(count):
            done.append(count)
            if sum(done) > 20:
                os.kill(os.getpid(), signal.SIGKILL)
        nd.simulate(nd.load("p.ndp"), "x.npz", journal="j", threads=1, progress=progress)
        """
    )
    ended = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, timeout=120, check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert ended.returncode == -signal.SIGKILL
    done = []
    found = nd.simulate(programs["ttfs"], images, journal=tmp_path / "j", progress=done.append)
    assert 0 < done[0] < SAMPLES
    assert found.checksum == nd.simulate(programs["ttfs"], images).checksum


def test_of_another_run(programs, images, tmp_path, monkeypatch):
    program, path = programs["ttfs"], tmp_path / "j"
    nd.simulate(program, images[:8], journal=path)
    before = path.read_bytes()

    def refused(said, program=program, x=images[:8]):
        with pytest.raises(StorageError, match=said) as caught:
            nd.simulate(program, x, journal=path)
        assert caught.value.place == str(path)
        assert path.read_bytes() == before

    refused("another program", program=programs["poisson"])
    refused("other samples", x=images[1:9])
    refused("other samples, another number of samples", x=images[:9])
    with monkeypatch.context() as changed:
        changed.setattr(journals, "code_checksum", lambda: "other")
        refused("another version of neurodeploy")
    with journals.Journal(path, journals.run_of(program, images[:8]), None, print):
        refused("another run is writing")
    path.write_bytes(b"something else\n")
    before = path.read_bytes()
    refused("not a journal")
    path.write_bytes(b"neurodeploy journal 1 {}\n")
    before = path.read_bytes()
    refused("damaged")


def test_where_it_cannot_be(programs, images, tmp_path):
    with pytest.raises(StorageError, match="cannot be written"):
        nd.simulate(programs["ttfs"], images[:2], journal=tmp_path / "none" / "j")
    mixed, _ = random_program(np.random.default_rng(2), aligned=False)
    samples = np.zeros((1, *mixed.encoder.sample_shape), np.float32)
    with pytest.raises(ProgramError, match="mix neighbouring samples"):
        nd.simulate(mixed, samples, journal=tmp_path / "j", warn=print)
    with pytest.raises(UsageError, match="decide about threads"):
        nd.simulate(programs["ttfs"], images[:2], workers="tcp://127.0.0.1:1", threads=2)


@pytest.mark.skipif(importlib.util.find_spec("distributed") is None, reason="no dask")
def test_on_a_cluster(programs, images, tmp_path):
    """Begun on threads, gone on with on workers, and interrupted there as well."""
    import distributed

    program, path = programs["poisson"], tmp_path / "j"
    whole = nd.simulate(program, images)
    interrupted(program, images, path, 9, threads=1)
    with distributed.LocalCluster(
        processes=True, n_workers=2, threads_per_worker=1, dashboard_address=":0"
    ) as cluster:
        at = cluster.scheduler_address
        interrupted(program, images, path, 30, workers=at)
        done = []
        found = nd.simulate(program, images, journal=path, workers=at, progress=done.append)
    assert found.checksum == whole.checksum
    assert done[0] >= 8
    assert sum(done) == SAMPLES
    nothing_to_do = nd.simulate(program, images, journal=path, workers="tcp://127.0.0.1:1")
    assert nothing_to_do.checksum == whole.checksum
