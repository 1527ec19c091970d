"""tools/compare_levels.py on a few programs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

TOOL = Path(__file__).resolve().parents[2] / "tools" / "compare_levels.py"


def test_nothing_differs():
    command = [sys.executable, str(TOOL), "--programs", "4", "--no-lava"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["messages"] > 100
    assert found["membranes"] > 1000
