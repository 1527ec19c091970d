"""The command of docs/to-a-chip.md, on few images of the fashion CNN."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

TOOL = Path(__file__).resolve().parents[2] / "tools" / "table_of_targets.py"


def test_rows_of_stock_and_microcode():
    done = subprocess.run(
        [sys.executable, str(TOOL), "--network", "fashion", "--limit", "20",
         "--calibration-samples", "16", "--only", "4", "--only", "5"],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    head, _, stock, own = (line.split(" | ") for line in done.stdout.splitlines())
    assert len(head) == len(stock) == len(own) == 8
    assert stock[3] == "no"
    assert own[3] == "yes (radix)"
    assert int(stock[5]) < int(own[5])
    assert int(stock[7].rstrip(" |")) > 1
