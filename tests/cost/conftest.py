"""Helpers of this folder by name (path-based: lava-nc installs a package called `tests`)."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
