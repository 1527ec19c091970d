"""The command of docs/sigma-delta.md, on few frames of moving fashion images."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np

TOOL = Path(__file__).resolve().parents[2] / "tools" / "compare_sigma_delta.py"


def tool():
    spec = importlib.util.spec_from_file_location("compare_sigma_delta", TOOL)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_images_move_by_a_pixel_at_a_time_and_follow_each_other():
    made = tool()
    images = np.zeros((2, 9, 9), np.uint8)
    images[0, 4, 4], images[1, 4, 4] = 1, 2
    frames = made.moving(images, 80, every=2, hold=40)
    where = np.array([np.argwhere(frame)[0] for frame in frames])
    assert [frame.max() for frame in frames] == [1] * 40 + [2] * 40
    np.testing.assert_array_equal(where[0], [4, 4])
    moved = np.abs(np.diff(where[:40], axis=0))
    assert moved.max() == 1
    assert not moved[::2].any()
    assert moved[1::2].all()
    assert np.abs(where - 4).max(0).tolist() == list(made.REACH)


def test_rows_of_both_ways_to_divide():
    done = subprocess.run(
        [sys.executable, str(TOOL), "--network", "fashion", "--frames", "6", "--hold", "6",
         "--calibration-samples", "16", "--divide", "sums"],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    head, _, graded, *rows = (line.strip("| ").split(" | ") for line in done.stdout.splitlines())
    assert {len(row) for row in (head, *rows)} == {13}
    assert graded[1] == "graded --stock"
    same, drift = head.index("as `graded` (%)"), head.index("largest drift (%)")
    without = rows[0]
    assert (without[2], without[same], without[drift]) == ("0", "100.0", "0.0")
    part = [float(row[head.index("of `graded`")]) for row in rows]
    assert part == sorted(part, reverse=True)
    assert part[0] < 1
