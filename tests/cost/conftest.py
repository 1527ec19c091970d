"""Helpers of this folder and of `cli` by name (lava-nc installs a package called `tests`)."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "cli")]
