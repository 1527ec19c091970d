"""What decides a result besides program and samples: the sources that compute it."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import neurodeploy

__all__ = ["code_checksum"]


@cache
def code_checksum() -> str:
    """SHA-256 of the sources of programs and of the simulator, and the version."""
    root = Path(neurodeploy.__file__).parent
    digest = hashlib.sha256(neurodeploy.__version__.encode())
    for folder in ("program", "simulator"):
        for path in sorted((root / folder).rglob("*.py")):
            digest.update(f"{path.relative_to(root).as_posix()}\n".encode() + path.read_bytes())
    return digest.hexdigest()
