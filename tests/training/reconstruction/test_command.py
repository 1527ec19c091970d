"""`python -m neurodeploy.training reconstruct`: a file in, a program out, one message otherwise."""

from __future__ import annotations

import json

import numpy as np
import pytest

pytest.importorskip("sklearn")

from click.testing import CliRunner

import neurodeploy as nd
from neurodeploy.errors import DataError
from neurodeploy.training.commands import training
from neurodeploy.training.reconstruction.tasks import first_last_xor, xor_split

QUICK = ["--rounds", "3", "--candidates", "1000"]


@pytest.fixture
def files(tmp_path):
    (x, y), (test_x, test_y) = xor_split(6, 48, np.random.default_rng(0))
    np.savez(tmp_path / "train.npz", x=x, y=y)
    np.savez(tmp_path / "test.npz", x=test_x, y=test_y)
    return tmp_path


def run(*arguments):
    return CliRunner().invoke(training, ["reconstruct", *map(str, arguments)])


def test_a_program_is_trained_written_and_judged(files):
    done = run(
        files / "train.npz", "-o", files / "xor.ndp", "--test", files / "test.npz", "--json", *QUICK
    )
    assert done.exit_code == 0, done.output
    record = json.loads(done.stdout)
    assert record["accuracy"]["training"] == {"network": 1.0, "program": 1.0}
    assert record["accuracy"]["test"]["network"] == record["accuracy"]["test"]["program"]
    assert record["duality_gap"] < 0.005
    assert record["violation"] < 1.2
    x, _ = first_last_xor(np.random.default_rng(0).integers(0, 2, (20, 6)))
    assert nd.simulate(nd.load(files / "xor.ndp"), x).outputs.shape == (20, 2)


def test_the_table_says_what_the_certificate_is(files):
    done = run(files / "train.npz", "-o", files / "xor.ndp", *QUICK)
    assert done.exit_code == 0, done.output
    assert "100.00" in done.stdout
    assert "above the optimum over its dictionary" in done.stdout
    assert "fresh branches" in done.stdout


def test_files_that_do_not_serve_are_one_message(files):
    np.savez(files / "float.npz", x=np.zeros((4, 3, 2)), y=np.arange(4))
    np.savez(files / "none.npz", x=np.zeros((4, 3, 2), np.uint8))
    for name, match in (("float", "integers"), ("none", "no labels")):
        done = run(files / f"{name}.npz", "-o", files / "a.ndp")
        assert isinstance(done.exception, DataError)
        assert match in str(done.exception)
    assert not (files / "a.ndp").exists()
