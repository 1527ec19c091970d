"""The tool that counts neurons of an `online` program that did not settle."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np

from neurodeploy.program import (
    INPUT,
    Connection,
    Decoder,
    Dense,
    Encoder,
    Online,
    Population,
    Program,
)

TOOL = Path(__file__).resolve().parents[2] / "tools" / "count_unsettled.py"


def program(delay: int) -> Program:
    """3 - 5 = -2: the first digit sent is that of 2, unless the second one is waited for."""

    def online(size: int, **more: bool) -> Online:
        return Online(np.zeros(size, np.int32), np.ones(size, np.int32), 2, delay, **more)

    return Program(
        (
            Population("in", (2,), online(2, first=True), 2),
            Population("x", (1,), online(1), 3),
            Population("out", (1,), online(1, fires=False), 4 + delay),
        ),
        (
            Connection(INPUT, "in", Dense(np.eye(2, dtype=np.int8))),
            Connection("in", "x", Dense(np.array([[1, -5]], np.int8))),
            Connection("x", "out", Dense(np.ones((1, 1), np.int8))),
        ),
        Encoder((2,), "graded_first", 1.0, 0, 255),
        Decoder("out", 1.0),
        2 + delay,
    )


def test_it_counts(tmp_path):
    np.save(tmp_path / "x.npy", np.array([[3, 1], [3, 0]], np.float32))
    for delay, said, code in ((0, "x: 1 of 2", 1), (5, "x: 0 of 2", 0)):
        program(delay).save(tmp_path / "p.ndp")
        command = [sys.executable, str(TOOL), str(tmp_path / "p.ndp"), str(tmp_path / "x.npy")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stderr
        assert said in done.stdout
        assert f"2 samples: {code} of 6 neurons did not settle" in done.stdout
