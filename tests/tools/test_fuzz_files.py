"""A small run of tools/fuzz_files.py: mutated files are used, or refused in one clear message."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import pytest

TOOLS = Path(__file__).parents[2] / "tools"


@pytest.fixture
def tools(monkeypatch):
    monkeypatch.syspath_prepend(str(TOOLS))
    pytest.importorskip("resource")
    assert sys.path[0] == str(TOOLS)


def test_mutated_files_end_well(tools):
    import fuzz_files

    options = argparse.Namespace(
        kinds=["ndp", "npz", "npy", "toml"],
        seed=77,
        start=0,
        count=80,
        minutes=None,
        keep=None,
        time_limit=300,
        memory_limit=4096,
    )
    records = fuzz_files.fuzz(options)
    assert {record["kind"] for record in records} == {".ndp", ".npz", ".npy", ".toml"}
    outcomes = {record["outcome"] for record in records}
    assert outcomes == {"ok", "refused"}, [
        fuzz_files.failure(r, 77) for r in records if r["outcome"] not in ("ok", "refused")
    ]
    assert "| all |" in fuzz_files.summary(records)


def test_the_judge_sees_what_must_not_be(tools, monkeypatch, tmp_path):
    from file_fuzz import judging

    path = tmp_path / "x.npy"

    def outcome(work):
        monkeypatch.setitem(judging._WORK, ".npy", work)
        return judging.judge(path)["outcome"]

    def raising(error):
        def work(path):
            raise error

        return work

    assert outcome(lambda path: None) == "ok"
    assert outcome(raising(KeyError("x"))) == "traceback"
    assert outcome(raising(MemoryError())) == "memory"
    assert outcome(lambda path: judging._printable("\x1b[2J")) == "unprintable"
